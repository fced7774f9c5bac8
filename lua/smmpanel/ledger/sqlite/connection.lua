--- A connection to a SQLite ledger, over LuaSQL: opened at the first use, checked before each step, and opened
-- again after a failure, but never created again.
-- @module smmpanel.ledger.sqlite.connection

local core = require "smmpanel.core"
local file = require "smmpanel.ledger.sqlite.file"
local schema = require "smmpanel.ledger.sqlite.schema"
local statement = require "smmpanel.ledger.sqlite.statement"
local guard = require "smmpanel.util.guard"
local text = require "smmpanel.util.text"

local connection = {}

local Connection = {}
Connection.__index = Connection

-- A part of SQLite's message -> our code, and what to do.
local ADVICE = {
  { "locked", "busy", "another process has been writing for too long: try again, or raise busy_timeout" },
  { "disk is full", "full", "free some space on its disk, then try again" },
  { "readonly", "read_only", "give this user write access to the file and its directory" },
  { "malformed", "corrupt", "stop: it is the only record of placed orders; if you restore a backup, refs taken since "
    .. "then are uncertain" },
  { "not a database", "corrupt", "it is damaged, or not a ledger: choose another file, or restore a backup (refs "
    .. "taken since then are uncertain)" },
  { "unable to open", "unavailable", "does its directory exist, and may this user read and write there?" },
  { "disk I/O error", "unavailable", "check its disk (free space, quota, the system's log), then try again" },
}
local UNKNOWN = { nil, "store", "an unexpected failure: check the file with sqlite3" }

local function failure(self, said)
  said = text.one_line(tostring(said):gsub("^LuaSQL: ", ""), 200)
  local known = UNKNOWN
  for _, row in ipairs(ADVICE) do
    if said:find(row[1], 1, true) then
      known = row
      break
    end
  end
  return { code = known[2], message = ("the ledger %s: %s; %s"):format(self.path, said, known[3]) }
end

-- Reads a row by position, because LuaSQL's versions differ in the names of columns. If there is no row, 2.8 first
-- returns the table that it was passed, empty. (No statement of ours returns a row of only NULLs.)
local function next_row(cursor)
  local row, said = cursor:fetch({}, "n")
  if row and next(row) == nil then return nil, said end
  return row, said
end

local function first_row(cursor)
  local row, said = next_row(cursor)
  cursor:close()
  return row, said
end

local function value_of(handle, sql)
  local cursor, said = handle:execute(sql)
  if not cursor then return nil, said end
  local row
  row, said = first_row(cursor)
  return row and row[1], said
end

-- Switching to WAL needs exclusive access, for which SQLite does not wait; a write lock does wait.
local function write_ahead(handle)
  local said
  for _ = 1, 20 do
    local cursor, err = handle:execute "PRAGMA journal_mode = WAL"
    if cursor then
      first_row(cursor)
      return true
    end
    said = err
    if not tostring(said):find("locked", 1, true) then return nil, said end
    if handle:execute "BEGIN IMMEDIATE" then handle:execute "ROLLBACK" end
  end
  return nil, said
end

local function random_id()
  local parts = {}
  for i = 1, 4 do parts[i] = ("%08x"):format(math.floor(core.random() * 2 ^ 32)) end
  return table.concat(parts)
end

local HAS_ORDERS = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'smmpanel_orders'"

-- Another process may have migrated the file meanwhile, so the version is read again under the write lock.
local function upgrade(handle)
  local ok, said = handle:execute "BEGIN IMMEDIATE"
  if not ok then return nil, said end
  local version = tonumber((value_of(handle, "PRAGMA user_version")))
  local statements = {}
  if version and version < schema.VERSION then
    statements = schema.upgrade(version, random_id(), tonumber((value_of(handle, HAS_ORDERS))) == 1)
  end
  for _, sql in ipairs(statements) do
    ok, said = handle:execute(sql)
    if not ok then
      handle:execute "ROLLBACK"
      return nil, said
    end
    if type(ok) == "userdata" then ok:close() end
  end
  return handle:execute "COMMIT"
end

local function prepare(self, handle)
  local cursor, said = handle:execute(("PRAGMA busy_timeout = %.0f"):format(self.busy_timeout * 1000))
  if not cursor then return nil, said end
  if type(cursor) ~= "number" then cursor:close() end
  local ok
  ok, said = write_ahead(handle)
  if ok then ok, said = handle:execute("PRAGMA synchronous = " .. self.synchronous) end
  if not ok then return nil, said end
  local version
  version, said = value_of(handle, "PRAGMA user_version")
  if not version then return nil, said end
  if tonumber(version) < schema.VERSION and not self.identity.id then ok, said = upgrade(handle) end
  return ok, said
end

local function wrong_version(self, handle)
  local version = tonumber((value_of(handle, "PRAGMA user_version")))
  if not version or version <= schema.VERSION then return nil end
  local said = "the ledger %s has the schema version %.0f, and this smmpanel knows %d: use the newer one"
  return { code = "store", message = said:format(self.path, version, schema.VERSION) }
end

-- The file's id must be the first one that this process has seen.
local function recognise(self, handle)
  local wrong = wrong_version(self, handle)
  if wrong then return wrong end
  local identity = self.identity
  local id, said = value_of(handle, "SELECT id FROM smmpanel_ledger")
  local is_missing = not id and (not said or said:find("no such table", 1, true))
  if is_missing and identity.id then return file.other_ledger(self.path) end
  if not id then return failure(self, said or "it has no id") end
  if identity.id and identity.id ~= id then return file.other_ledger(self.path) end
  identity.id, identity.file = id, (core.file(self.path))
  if not identity.file then return file.other_ledger(self.path) end
end

local function connect(self)
  local misplaced = file.check_place(self.path)
  if misplaced then return nil, misplaced end
  local handle, said = self.environment:connect(self.path)
  if not handle then return nil, failure(self, said) end
  local ok
  ok, said = prepare(self, handle)
  local wrong = not ok and failure(self, said) or recognise(self, handle)
  if wrong then
    handle:close()
    return nil, wrong
  end
  return handle
end

-- A connection must be neither used nor closed after a fork: the child drops the parent's.
local inherited = {}

local function open(self)
  local pid = core.pid()
  if self.handle and self.pid ~= pid then inherited[#inherited + 1], self.handle = self.handle, nil end
  local which, why = file.check(self.path, self.identity.file, self.create)
  if which == nil then return nil, why end
  if self.handle then return self.handle end
  self.pid = pid
  self.handle, why = connect(self)
  return self.handle, why
end

local function drop(self)
  local handle = self.handle
  self.handle = nil
  if handle then guard.call(handle.close, handle) end
end

-- After a disk failure the connection is not used again. After a busy timeout it is, once the transaction is undone.
local function give_up(self, said)
  local why = failure(self, said)
  if why.code == "busy" then
    self.handle:execute "ROLLBACK"
  else
    drop(self)
  end
  return nil, why
end

local NONE = {}

--- Runs one statement; replaces each `:name` in it by that value.
---@param template string
---@param values? table<string, string|number|boolean>
---@return any? result from LuaSQL: a cursor, or the number of changed rows
---@return table? failure
function Connection:execute(template, values)
  local handle, why = open(self)
  if not handle then return nil, why end
  local result, said = handle:execute(statement.fill(template, values or NONE))
  if not result then return give_up(self, said) end
  return result
end

--- Returns all rows of a statement.
---@param template string
---@param values? table<string, string|number|boolean>
---@param names? string[] of its columns, in their order (as SQLite names them)
---@return table[]? rows
---@return table? failure
function Connection:rows(template, values, names)
  local cursor, why = self:execute(template, values)
  if not cursor then return nil, why end
  local list = {}
  names = names or cursor:getcolnames()
  local row, said = next_row(cursor)
  while row do
    local named = {}
    for i, name in ipairs(names) do named[name] = row[i] end
    list[#list + 1] = named
    row, said = next_row(cursor)
  end
  cursor:close()
  if said then return give_up(self, said) end
  return list
end

--- Returns the id of the file; opens it if necessary.
---@return string? id
---@return table? failure
function Connection:identify()
  local handle, why = open(self)
  if not handle then return nil, why end
  return self.identity.id
end

--- Makes another connection to the same file, for work that need not wait for the disk.
---@return table
function Connection:relaxed()
  return connection.new(self, "NORMAL")
end

--- Makes a connection; opens nothing yet.
---@param how { environment: userdata, path: string, busy_timeout: number, create: boolean, identity: table }
---@param synchronous string SQLite's setting of this name
---@return table
function connection.new(how, synchronous)
  return setmetatable({
    environment = how.environment, path = how.path, busy_timeout = how.busy_timeout, create = how.create,
    identity = how.identity, synchronous = synchronous,
  }, Connection)
end

return connection
