--- A ledger in one SQLite file, over LuaSQL. Each step is one statement, so it is atomic among processes; in
-- WAL mode with full synchronisation it is on the disk when it returns.
--
-- LuaSQL blocks: a step takes as long as the disk does, and where others are writing, up to `busy_timeout`.
-- In an event loop or in nginx everything else waits meanwhile: there, use Redis. The file belongs on a local
-- disk (WAL needs shared memory), is opened at the first use, so after any fork, and must not be deleted
-- while a process has it open.
-- @module smmpanel.ledger.sqlite

local checks = require "smmpanel.util.checks"
local guard = require "smmpanel.util.guard"
local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

local store = {}

local Store = {}
Store.__index = Store

-- `until` and the like in seconds since 1970. What is open has no answer, what is settled no token.
local SCHEMA = {
  [[CREATE TABLE IF NOT EXISTS smmpanel_orders (
      ref TEXT NOT NULL PRIMARY KEY, fingerprint TEXT NOT NULL, token TEXT, since INTEGER NOT NULL,
      sending_until INTEGER NOT NULL, wanted TEXT, answer TEXT) WITHOUT ROWID]],
  "CREATE INDEX IF NOT EXISTS smmpanel_orders_open ON smmpanel_orders (ref) WHERE answer IS NULL",
}

local WORK_SCHEMA = {
  [[CREATE TABLE IF NOT EXISTS smmpanel_work (
      name TEXT NOT NULL, id TEXT NOT NULL, due REAL NOT NULL, seen TEXT, PRIMARY KEY (name, id)) WITHOUT ROWID]],
  "CREATE INDEX IF NOT EXISTS smmpanel_work_due ON smmpanel_work (name, due)",
}

-- What SQLite says, by a part of it, in our words: the code, and what to do.
local ADVICE = {
  { "locked", "busy", "another process is writing for long: try again, or raise busy_timeout" },
  { "disk is full", "full", "make room on its disk, then try again" },
  { "readonly", "read_only", "give this user write access to the file and its directory" },
  { "malformed", "corrupt", "stop, and restore the file from a backup: it alone knows what was placed" },
  { "not a database", "corrupt", "it is damaged, or no ledger: restore it from a backup, or choose another" },
  { "unable to open", "unavailable", "does its directory exist, and may this user read and write there?" },
  { "disk I/O error", "unavailable", "look at its disk (room, quota, the system's log), then try again" },
}
local UNKNOWN = { nil, "store", "this is none of the ordinary failures: look at the file with sqlite3" }

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

local function fetch(cursor)
  local row, said = cursor:fetch({}, "a")
  cursor:close()
  return row, said
end

-- Switching to WAL needs the file for itself a moment, and SQLite does not wait for that: a write lock does.
local function write_ahead(connection)
  local said
  for _ = 1, 20 do
    local cursor, err = connection:execute "PRAGMA journal_mode = WAL"
    if cursor then
      fetch(cursor)
      return true
    end
    said = err
    if not tostring(said):find("locked", 1, true) then return nil, said end
    if connection:execute "BEGIN IMMEDIATE" then connection:execute "ROLLBACK" end
  end
  return nil, said
end

local function prepare(self, connection)
  local cursor, said = connection:execute(("PRAGMA busy_timeout = %.0f"):format(self.busy_timeout * 1000))
  if not cursor then return nil, said end
  if type(cursor) ~= "number" then cursor:close() end
  local ok
  ok, said = write_ahead(connection)
  if not ok then return nil, said end
  ok, said = connection:execute("PRAGMA synchronous = " .. self.synchronous)
  for _, statement in ipairs(self.schema) do
    if ok then ok, said = connection:execute(statement) end
  end
  return ok, said
end

local function drop(self)
  local connection = self.connection
  self.connection = nil
  if connection then guard.call(connection.close, connection) end
end

local function open(self)
  if self.connection then return self.connection end
  local connection, said = self.environment:connect(self.path)
  if not connection then return nil, failure(self, said) end
  local ok
  ok, said = prepare(self, connection)
  if not ok then
    connection:close()
    return nil, failure(self, said)
  end
  self.connection = connection
  return connection
end

local function literal(connection, value)
  if value == nil then return "NULL" end
  if type(value) == "number" then return (("%.17g"):format(value):gsub(",", ".")) end
  -- SQL text ends at a NUL, and what follows would be lost.
  assert(not value:find("\0", 1, true), "a text with a NUL")
  return "'" .. connection:escape(value) .. "'"
end

-- Each :name in the statement becomes that value. -> what LuaSQL returns, or nil, failure
local function execute(self, statement, values)
  local connection, why = open(self)
  if not connection then return nil, why end
  local sql = statement:gsub(":([a-z]+)", function(name) return literal(connection, values[name]) end)
  local result, said = connection:execute(sql)
  if not result then
    -- A connection whose disk failed is not to be trusted with the next step.
    drop(self)
    return nil, failure(self, said)
  end
  return result
end

local function rows(self, statement, values)
  local cursor, why = execute(self, statement, values)
  if not cursor then return nil, why end
  local list = {}
  local row, said = cursor:fetch({}, "a")
  while row do
    list[#list + 1] = row
    row, said = cursor:fetch({}, "a")
  end
  cursor:close()
  if said then
    drop(self) -- and with it a transaction that was begun
    return nil, failure(self, said)
  end
  return list
end

-- The row, or nil without a failure where there is none.
local function select(self, statement, values)
  local list, why = rows(self, statement, values)
  return list and list[1], why
end

local ROW = [[SELECT fingerprint, token, sending_until AS "until", answer FROM smmpanel_orders
  WHERE ref = :ref]]

local INSERT = [[INSERT OR IGNORE INTO smmpanel_orders (ref, fingerprint, token, since, sending_until, wanted)
  VALUES (:ref, :fingerprint, :token, :since, :until, :wanted)]]

local KEPT = [[INSERT OR IGNORE INTO smmpanel_orders (ref, fingerprint, since, sending_until, answer)
  VALUES (:ref, :fingerprint, :since, 0, :answer)]]

local SETTLE = [[UPDATE smmpanel_orders SET answer = :answer, token = NULL, wanted = NULL
  WHERE ref = :ref AND answer IS NULL]]

local FREE = "DELETE FROM smmpanel_orders WHERE ref = :ref AND token = :token"
local DOUBT = "UPDATE smmpanel_orders SET sending_until = 0 WHERE ref = :ref AND token = :token"
local CLEAR = "DELETE FROM smmpanel_orders WHERE ref = :ref AND answer IS NULL AND sending_until <= :now"

local PENDING = [[SELECT ref, since, sending_until AS "until", wanted FROM smmpanel_orders
  WHERE answer IS NULL ORDER BY ref]]

local OPTIONS = { busy_timeout = checks.seconds }

--- A ledger in a SQLite file. Throws where LuaSQL's driver is not installed.
---@param path string
---@param options? { busy_timeout: number? } seconds (5)
---@return smmpanel.Ledger
function store.new(path, options)
  local where = "smmpanel.ledger.sqlite"
  local wrong = checks.line(path)
  if wrong then argerror.throw(where, "the path must be %s, got %s", wrong, argerror.describe(path)) end
  if path == ":memory:" then argerror.throw(where, "a ledger in memory forgets: give it a file") end
  options = checks.options(where, options or {}, OPTIONS)
  local ok, driver = pcall(require, "luasql.sqlite3")
  if not ok then
    argerror.throw(where, "needs LuaSQL's SQLite driver (Debian: lua-sql-sqlite3, LuaRocks: luasql-sqlite3): %s",
      text.one_line(tostring(driver), 120))
  end
  return setmetatable({
    path = path, environment = assert(driver.sqlite3()), busy_timeout = options.busy_timeout or 5,
    -- EXTRA is FULL, and where there is no WAL (some file systems), it is as safe there.
    now = os.time, schema = SCHEMA, synchronous = "EXTRA",
  }, Store)
end

-- Somebody else's entry, as take and resolve tell it.
local function state_of(self, row)
  local left = tonumber(row["until"]) - self.now()
  if left > 0 then return "sending", left end
  return "uncertain"
end

local function judge(self, row, entry)
  if row.token == entry.token then return "taken" end
  if row.fingerprint ~= entry.fingerprint then return "mismatch" end
  if row.answer then return "done", row.answer end
  return state_of(self, row)
end

function Store:take(entry)
  local now = self.now()
  while true do
    local taken, why = execute(self, INSERT, {
      ref = entry.ref, fingerprint = entry.fingerprint, token = entry.token, wanted = entry.wanted,
      since = now, ["until"] = now + math.ceil(entry.seconds) + 1, -- the clock's seconds are whole
    })
    if not taken then return nil, why end
    if taken == 1 then return "taken" end
    local row
    row, why = select(self, ROW, entry)
    if why then return nil, why end
    if row then return judge(self, row, entry) end
    -- It was freed in between: the next round has it.
  end
end

local function insert_kept(self, entry, answer)
  return execute(self, KEPT,
    { ref = entry.ref, fingerprint = entry.fingerprint, since = self.now(), answer = answer })
end

function Store:keep(entry, answer)
  local kept, why = execute(self, SETTLE .. " AND token = :token",
    { ref = entry.ref, token = entry.token, answer = answer })
  if kept == 0 then kept, why = insert_kept(self, entry, answer) end
  if not kept then return nil, why end
  if kept == 1 then return "kept" end
  local row
  row, why = select(self, ROW, entry)
  if why then return nil, why end
  if not row or not row.answer then return "conflict" end
  if row.answer == answer then return "kept" end
  return "settled", row.answer
end

local function done(result, why)
  if result then return true end
  return nil, why
end

function Store:free(entry)
  return done(execute(self, FREE, entry))
end

function Store:doubt(entry)
  return done(execute(self, DOUBT, entry))
end

-- Nothing was changed: why not.
local function unresolved(self, ref)
  local row, why = select(self, ROW, { ref = ref })
  if why then return nil, why end
  if not row then return "unknown" end
  if row.answer then return "settled", row.answer end
  return state_of(self, row)
end

function Store:resolve(ref, answer)
  local changed, why
  if answer then
    changed, why = execute(self, SETTLE, { ref = ref, answer = answer })
  else
    changed, why = execute(self, CLEAR, { ref = ref, now = self.now() })
  end
  if not changed then return nil, why end
  if changed == 1 then return "resolved" end
  return unresolved(self, ref)
end

function Store:pending()
  local list, why = rows(self, PENDING)
  if not list then return nil, why end
  for i, row in ipairs(list) do
    local state, left = state_of(self, row)
    list[i] = { ref = row.ref, state = state, since = tonumber(row.since), left = left or 0, wanted = row.wanted }
  end
  return list
end

--- The orders to be watched under a name, shared by all who ask for it: see smmpanel.work.
---@param name string
---@param how? { decimals: "number"|"string"|nil }
---@return table
function Store:work(name, how)
  -- A connection of its own, which waits for no disk: where the power fails, the last changes are told again.
  local connection = setmetatable({
    path = self.path, environment = self.environment, busy_timeout = self.busy_timeout, schema = WORK_SCHEMA,
    synchronous = "NORMAL",
  }, Store)
  return require("smmpanel.watch.sqlite").new(connection, name, how)
end

--- One statement, for the parts of this store in other files: each `:name` in it becomes that value.
---@param statement string
---@param values? table<string, string|number>
---@return any? result LuaSQL's: a cursor, or how many rows were changed
---@return table? failure
function Store:execute(statement, values)
  return execute(self, statement, values)
end

--- All rows of a statement.
---@param statement string
---@param values? table<string, string|number>
---@return table[]? rows
---@return table? failure
function Store:rows(statement, values)
  return rows(self, statement, values)
end

return store
