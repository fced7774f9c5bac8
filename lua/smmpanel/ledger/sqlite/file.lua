--- The identity of a SQLite ledger's file. A path may later name another file, and a file may have several names. Both
-- would give two ledgers for the same refs, so both are refused.
-- @module smmpanel.ledger.sqlite.file

local core = require "smmpanel.core"

local file = {}

--- Returns the absolute path, so that a later change of directory has no effect.
---@param path string
---@return string
function file.absolute(path)
  local full = core.absolute(path)
  if full or path:sub(1, 1) == "/" then return full or path end
  return (core.absolute "." or "") .. "/" .. path
end

--- Returns what is wrong with a path: some names mean a database in memory, which does not persist.
---@param path string
---@return string? why
function file.forgets(path)
  if path:lower():find "^%s*file:" then return "a URI may name a database in memory, which does not persist" end
  if path:lower():find(":memory:", 1, true) then return "a database in memory does not persist" end
end

local function unescaped(field)
  return (field:gsub("\\(%d%d%d)", function(octal) return string.char(tonumber(octal, 8)) end))
end

-- Whether the file itself is a mount point, as in containers; nil if this system does not report it.
local function is_mount_point(path)
  local mounts = io.open("/proc/self/mountinfo", "r")
  if not mounts then return nil end
  local found = false
  for line in mounts:lines() do
    local point = line:match "^%S+ %S+ %S+ %S+ (%S+)"
    found = found or point ~= nil and unescaped(point) == path
  end
  mounts:close()
  return found
end

local function changed(path, said)
  return { code = "store_changed", message = ("the ledger %s %s"):format(path, said) }
end

local LINKS = "has %d names (hard links): SQLite stores its journal next to one name, and writers under another name "
  .. "do not see it; remove the other names"
local MOUNTED = "is mounted as a single file, so SQLite's journal next to it is not shared: mount its directory"
local GONE = "is missing (deleted, or its volume is not mounted): stop, and restore the file; no other place "
  .. "records its refs"
local OTHER = "is not the file that was opened before: stop, and restore the first one, or restart the program if "
  .. "you replaced it on purpose"
local MISSING = "does not exist, and create = false: check the path and the volume, or allow its creation once"

--- Checks the file before a step.
---@param path string absolute
---@param opened? string the file's identity at the first open
---@param create boolean whether it may not exist yet
---@return string|false|nil identity the file's identity; false if it must be created; nil, failure
---@return table? failure
function file.check(path, opened, create)
  local which, links, is_missing = core.file(path)
  if not which and not is_missing then
    return nil, { code = "unavailable",
      message = ("the ledger %s: %s; does its directory exist, and may this user read and write there?")
        :format(path, links) }
  end
  if not which and opened then return nil, changed(path, GONE) end
  if not which and not create then return nil, changed(path, MISSING) end
  if not which then return false end
  if opened and which ~= opened then return nil, changed(path, OTHER) end
  if links ~= 1 then return nil, changed(path, LINKS:format(links)) end
  return which
end

--- Checks the directory of the file, at each open.
---@param path string absolute
---@return table? failure
function file.check_place(path)
  if is_mount_point(path) then return changed(path, MOUNTED) end
end

--- Makes the failure for a file that contains another ledger than before.
---@param path string
---@return table failure
function file.other_ledger(path)
  return changed(path, OTHER)
end

return file
