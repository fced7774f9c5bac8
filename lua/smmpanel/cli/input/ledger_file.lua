--- The path of a panel's ledger. There is one file per panel, not per profile: the same ref must mean the same order. A
-- ledger from the time when there was one per profile is renamed.
-- @module smmpanel.cli.input.ledger_file

local ledger_file = {}

local guard = require "smmpanel.util.guard"
local lfs = require "lfs"
local private = require "smmpanel.cli.input.private"

-- Returns the ledgers with the old name PROFILE@PLACE.sqlite.
local function older_ledgers(directory, place)
  local found, tail = {}, "@" .. place .. ".sqlite"
  for name in lfs.dir(directory) do
    if name:sub(-#tail) == tail then found[#found + 1] = directory .. "/" .. name end
  end
  table.sort(found)
  return found
end

local SEVERAL = [[several ledgers of this panel were found:

  %s

A ref that was placed with one ledger could be placed again with another. Choose the ledger that has your orders with
--ledger FILE, or remove the other ledgers from this directory.]]

-- Moves the write-ahead log into the main file, so that only one file needs renaming.
local function settle(path)
  local ok, driver = guard.call(require, "luasql.sqlite3")
  if not ok then return nil, "the ledger needs LuaSQL's SQLite driver" end
  local environment = driver.sqlite3()
  local connection, problem = environment:connect(path)
  if not connection then return nil, problem end
  local cursor = connection:execute "PRAGMA wal_checkpoint(TRUNCATE)"
  if type(cursor) == "userdata" then cursor:close() end
  connection:close()
  environment:close()
  local left = lfs.attributes(path .. "-wal", "size")
  if left and left > 0 then return nil, path .. " is in use by another process: try again when it has ended" end
  return true
end

local function take_over(older, path)
  local ok, problem = settle(older)
  if ok then ok, problem = os.rename(older, path) end
  return ok and path, problem
end

--- Returns the ledger's path.
---@param directory string
---@param place string the panel's name for files
---@return string? path
---@return string? problem
---@return string? note for the user
function ledger_file.path(directory, place)
  local path = directory .. "/" .. place .. ".sqlite"
  local older = older_ledgers(directory, place)
  if #older == 0 then return path end
  if lfs.attributes(path) then table.insert(older, 1, path) end
  if #older > 1 then return nil, SEVERAL:format(table.concat(older, "\n  ")) end
  local taken, problem = take_over(older[1], path)
  return taken, problem, ("the ledger %s was renamed to %s: there is now one per panel"):format(older[1], path)
end

--- Restricts access to this user.
---@param path string
function ledger_file.protect(path)
  private.create(path)
  for _, suffix in ipairs { "", "-wal", "-shm" } do private.file(path .. suffix) end
end

return ledger_file
