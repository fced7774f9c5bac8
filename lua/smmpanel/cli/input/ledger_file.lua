--- Where a panel's ledger is. One file for each panel, whatever the profile is called: the same ref is the same
-- order. Ledgers that were kept for each profile are taken over.
-- @module smmpanel.cli.input.ledger_file

local ledger_file = {}

local lfs = require "lfs"
local private = require "smmpanel.cli.input.private"

-- PROFILE@PLACE.sqlite, as ledgers were called.
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

-- Empties the write-ahead log into the file, so that the file alone can be renamed.
local function settle(path)
  local ok, driver = pcall(require, "luasql.sqlite3")
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

--- The ledger's path.
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
  return taken, problem, ("the ledger %s is %s now: one for each panel"):format(older[1], path)
end

--- Makes it this user's alone.
---@param path string
function ledger_file.protect(path)
  private.create(path)
  for _, suffix in ipairs { "", "-wal", "-shm" } do private.file(path .. suffix) end
end

return ledger_file
