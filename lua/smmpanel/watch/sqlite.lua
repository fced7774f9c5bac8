--- A set of watched orders in the ledger's SQLite file: see smmpanel.watch.queue. A set belongs to an account of the
-- ledger, as a ref does.
--
--     smmpanel_watches  a row for each set: its name and its account
--     smmpanel_watched  a row for each order. `due` is in seconds since boot, a clock that cannot be set, and NULL for
--                       a final state. A claim sets `due` to the end of its lease and writes its `token`; a worker may
--                       write an order only while it has this token. A row of an earlier boot is due immediately
-- @module smmpanel.watch.sqlite

local core = require "smmpanel.core"
local json = require "smmpanel.util.json"
local process = require "smmpanel.ledger.process"
local schemas = require "smmpanel.api.schemas"
local watched_by = require "smmpanel.watch.owner"

local sqlite_work = {}

local Work = {}
Work.__index = Work

local SCHEMA = {
  [[CREATE TABLE IF NOT EXISTS smmpanel_watches (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL, account INTEGER NOT NULL, UNIQUE (name, account))]],
  [[CREATE TABLE IF NOT EXISTS smmpanel_watched (
      watch INTEGER NOT NULL, id TEXT NOT NULL, due REAL, boot TEXT, token TEXT, seen TEXT,
      PRIMARY KEY (watch, id)) WITHOUT ROWID]],
  "CREATE INDEX IF NOT EXISTS smmpanel_watched_due ON smmpanel_watched (watch, due) WHERE due IS NOT NULL",
}

local FIND = [[SELECT w.id, w.account = me.id, a.grp = me.grp, a.named
  FROM smmpanel_watches w, smmpanel_accounts a, smmpanel_accounts me
  WHERE me.id = :account AND a.id = w.account AND a.panel = me.panel AND w.name = :name]]
local CREATE = "INSERT INTO smmpanel_watches (name, account) VALUES (:name, :account)"

-- Version 1 had no accounts: the first account that opens one of its sets gets it.
local HAS_OLD = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'smmpanel_work'"
local COPY_OLD = [[INSERT OR IGNORE INTO smmpanel_watched (watch, id, due, seen)
  SELECT :watch, id, 0, seen FROM smmpanel_work WHERE name = :name]]
local DELETE_OLD = "DELETE FROM smmpanel_work WHERE name = :name"

local REBOOTED = [[UPDATE smmpanel_watched SET due = 0, boot = :boot, token = NULL
  WHERE watch = :watch AND due IS NOT NULL AND (boot IS NOT :boot OR :boot = '-')]]

local ADD = "INSERT OR IGNORE INTO smmpanel_watched (watch, id, due, boot) VALUES (:watch, :id, :now, :boot)"

local DUE = "SELECT due FROM smmpanel_watched WHERE watch = :watch AND due IS NOT NULL ORDER BY due"
local READY = ([[SELECT (%s LIMIT 1), (%s DESC LIMIT 1), (%s LIMIT 1 OFFSET :rest)]]):format(DUE, DUE, DUE)

local CLAIM = [[UPDATE smmpanel_watched SET due = :till, token = :token WHERE watch = :watch AND id IN
  (SELECT id FROM smmpanel_watched WHERE watch = :watch AND due <= :now ORDER BY due LIMIT :limit)]]
local CLAIMED = "SELECT id, seen FROM smmpanel_watched WHERE watch = :watch AND due = :till AND token = :token"

local MINE = " WHERE watch = :watch AND id = :id AND token = :token"
local HOLDS = "SELECT COUNT(*) FROM smmpanel_watched" .. MINE
local CHANGED = "UPDATE smmpanel_watched SET seen = :seen, due = :due, token = NULL" .. MINE
local UNCHANGED = "UPDATE smmpanel_watched SET due = :due, token = NULL" .. MINE

--- Returns the set of this name.
---@param store table the ledger
---@param name string
---@param how { owner: smmpanel.LedgerOwner }
---@return table
function sqlite_work.new(store, name, how)
  -- A separate connection that does not wait for the disk: after a power failure the last changes are reported again.
  return setmetatable({
    store = store, connection = store.connection:relaxed(), name = name, owner = how.owner,
  }, Work)
end

-- Runs the steps in one transaction: a statement that fails rolls it back (see Connection:execute).
local function together(self, steps)
  local ok, failure = self.connection:execute "BEGIN IMMEDIATE"
  if not ok then return nil, failure end
  local result
  result, failure = steps()
  if result == nil then return nil, failure end
  ok, failure = self.connection:execute "COMMIT"
  if not ok then return nil, failure end
  return result
end

local function all(self, statements, values)
  for _, statement in ipairs(statements) do
    local ok, failure = self.connection:execute(statement, values)
    if not ok then return nil, failure end
  end
  return true
end

local function value(self, statement, values)
  local rows, failure = self.connection:rows(statement, values, { "value" })
  if not rows then return nil, failure end
  return rows[1] and rows[1].value
end

-- -> the number of this account's set; false if there is none yet; or nil, failure
local function find(self, account)
  local rows, failure = self.connection:rows(FIND, { name = self.name, account = account },
    { "id", "exact", "joined", "named" })
  if not rows then return nil, failure end
  for i, row in ipairs(rows) do
    rows[i] = { scope = tonumber(row.id), exact = tonumber(row.exact) == 1, joined = tonumber(row.joined) == 1,
      named = tonumber(row.named) == 1 }
  end
  return watched_by.choose(rows, self.owner, self.name)
end

local function create(self, account)
  local values = { name = self.name, account = account }
  local ok, failure = self.connection:execute(CREATE, values)
  if not ok then return nil, failure end
  local watch
  watch, failure = find(self, account)
  if not watch then return nil, failure end
  local has_old
  has_old, failure = value(self, HAS_OLD, {})
  if not has_old then return nil, failure end
  values.watch = watch
  if tonumber(has_old) == 1 then
    ok, failure = all(self, { COPY_OLD, DELETE_OLD }, values)
    if not ok then return nil, failure end
  end
  return watch
end

-- -> { watch = number }; { failure = … } if the set belongs to another account; or nil, failure
local function set_up(self, account, boot)
  local ok, failure = all(self, SCHEMA, {})
  if not ok then return nil, failure end
  local watch
  watch, failure = find(self, account)
  if watch == false then watch, failure = create(self, account) end
  if failure and failure.code == "other_account" then return { failure = failure } end
  if not watch then return nil, failure end
  ok, failure = self.connection:execute(REBOOTED, { watch = watch, boot = boot })
  if not ok then return nil, failure end
  return { watch = watch }
end

local function open(self)
  if self.watch then return self.watch end
  local account, failure = self.store:number_of(self.owner)
  if not account then return nil, failure end
  self.boot = process.here().boot
  local set
  set, failure = together(self, function() return set_up(self, account, self.boot) end)
  if not set then return nil, failure end
  self.watch = set.watch
  return set.watch, set.failure
end

local function for_each(self, ids, statement, values)
  for _, id in ipairs(ids) do
    values.id = tostring(id)
    local ok, failure = self.connection:execute(statement, values)
    if not ok then return nil, failure end
  end
  return true
end

local function each_together(self, ids, statement, values)
  local watch, failure = open(self)
  if not watch then return nil, failure end
  values.watch, values.boot = watch, self.boot
  return together(self, function() return for_each(self, ids, statement, values) end)
end

local SLICE = 1000 -- ids in one transaction; other processes may write in between

function Work:add(ids)
  local from = 1
  repeat -- runs once without ids too, to report a set that cannot be opened
    local slice = {}
    for i = from, math.min(from + SLICE - 1, #ids) do slice[#slice + 1] = ids[i] end
    local ok, failure = each_together(self, slice, ADD, { now = core.now() })
    if not ok then return nil, failure end
    from = from + SLICE
  until from > #ids
  return true
end

-- -> the seconds until a batch can be claimed; nil if there are no orders; or nil, failure
local function wait_for(self, limit, patience)
  local rows, failure = self.connection:rows(READY, { watch = self.watch, rest = limit - 1 },
    { "first", "last", "full" })
  if not rows then return nil, failure end
  local first = rows[1] and tonumber(rows[1].first) -- some versions of LuaSQL return no row for NULLs
  if not first then return nil end
  return math.min(first + patience, tonumber(rows[1].full) or tonumber(rows[1].last)) - core.now()
end

local function claim_due(self, limit, lease)
  local now = core.now()
  local claim = { token = ("%.17g"):format(core.random()), ids = {}, seen = {} }
  local values = { watch = self.watch, now = now, till = now + lease, token = claim.token, limit = limit }
  local ok, failure = self.connection:execute(CLAIM, values)
  if not ok then return nil, failure end
  local rows
  rows, failure = self.connection:rows(CLAIMED, values, { "id", "seen" })
  if not rows then return nil, failure end
  for i, row in ipairs(rows) do
    claim.ids[i] = row.id
    claim.seen[row.id] = row.seen and json.decode_record(row.seen, schemas.status, "string") or nil
  end
  return claim
end

function Work:claim(limit, patience, lease)
  local watch, failure = open(self)
  if not watch then return nil, failure end
  local wait
  wait, failure = wait_for(self, limit, patience)
  if not wait then return nil, failure end
  if wait > 0 then return nil, nil, wait end
  local claim
  claim, failure = together(self, function() return claim_due(self, limit, lease) end)
  if not claim then return nil, failure end
  if #claim.ids == 0 then return nil, nil, 0 end -- other processes claimed them first
  return claim
end

function Work:holds(claim, id)
  local held, failure = value(self, HOLDS, { watch = self.watch, id = id, token = claim.token })
  if not held then return nil, failure end
  return tonumber(held) == 1
end

function Work:changed(claim, id, seen, seconds)
  local ok, failure = self.connection:execute(CHANGED, { watch = self.watch, id = id, token = claim.token,
    seen = json.encode(seen), due = seconds and core.now() + seconds })
  if not ok then return nil, failure end
  return true
end

function Work:unchanged(claim, ids, seconds)
  return each_together(self, ids, UNCHANGED, { token = claim.token, due = core.now() + seconds })
end

return sqlite_work
