--- Files and directories that only this user can read: keys, ledgers, catalogues with an account's prices.
-- @module smmpanel.cli.input.private

local private = {}

local lfs = require "lfs"
local text = require "smmpanel.util.text"

-- Lua has no umask and no chmod.
local function shell(command, path)
  local ok = os.execute(("umask 077; %s -- %s 2>/dev/null"):format(command, text.shell_word(path)))
  return ok == true or ok == 0
end

--- Returns whether an existing file can be read by users other than its owner.
---@param path string?
---@return boolean
function private.is_open(path)
  if not path then return false end
  local permissions = lfs.attributes(path, "permissions")
  return permissions ~= nil and permissions:sub(4) ~= "------"
end

--- Returns the problem with a file that must be private: other users can read it, or it is not an ordinary file.
---@param path string
---@return string? problem
function private.problem(path)
  local mode = lfs.attributes(path, "mode")
  if mode and mode ~= "file" then
    return ("%s is a %s: a key must be in an ordinary file"):format(path, mode)
  end
  if private.is_open(path) then
    return ("%s contains keys and can be read by other users: chmod 600 %s"):format(path,
      text.shell_word(path))
  end
end

--- Creates a directory and its parents, closed to other users.
---@param path string
---@return true?
---@return string? problem
function private.directory(path)
  if lfs.attributes(path, "mode") ~= "directory" then shell("mkdir -p", path) end
  if lfs.attributes(path, "mode") ~= "directory" then return nil, path .. ": cannot create this directory" end
  if private.is_open(path) then shell("chmod 700", path) end
  if private.is_open(path) then -- another user made it, in /tmp for example
    return nil, path .. ": other users can access this directory, and it cannot be closed to "
      .. "them: choose another one with XDG_CACHE_HOME or XDG_STATE_HOME"
  end
  return true
end

--- Closes a file to other users, if it exists.
---@param path string
function private.file(path)
  if private.is_open(path) then shell("chmod 600", path) end
end

--- Creates an empty file, closed to other users, if it does not exist.
---@param path string
function private.create(path)
  if not lfs.attributes(path) then shell("touch", path) end
end

--- Resolves symbolic links. Returns nil and the reason if nothing can be saved at the path.
---@param path string
---@return string?
---@return string? problem
function private.target(path)
  for _ = 1, 20 do
    local target = lfs.symlinkattributes(path, "target")
    if not target then
      local mode = lfs.attributes(path, "mode")
      if mode == nil or mode == "file" then return path end
      return nil, ("%s is a %s: cannot save there"):format(path, mode)
    end
    path = target:find "^/" and target or (path:match "^(.*/)" or "") .. target
  end
  return nil, path .. ": too many symbolic links"
end

return private
