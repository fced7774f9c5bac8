--- A ledger in one SQLite file, over LuaSQL. Each step is one statement, so it is atomic among processes; in
-- WAL mode with full synchronisation it is on the disk when it returns.
--
-- LuaSQL blocks: a step takes as long as the disk needs, and up to `busy_timeout` if other processes are writing. In an
-- event loop or in nginx everything else waits meanwhile, so use Redis there. The file must be on a local disk (WAL
-- needs shared memory). A relative path is resolved immediately; the file is opened at the first use. A process that
-- has opened it refuses another file in its place (`store_changed`).
-- @module smmpanel.ledger.sqlite

local checks = require "smmpanel.util.checks"
local core = require "smmpanel.core"
local connections = require "smmpanel.ledger.sqlite.connection"
local file = require "smmpanel.ledger.sqlite.file"
local guard = require "smmpanel.util.guard"
local text = require "smmpanel.util.text"
local watched = require("smmpanel.util.lazy") "smmpanel.watch.sqlite"
local argerror = require "smmpanel.util.argerror"

local store = {}

local Store = {}
Store.__index = Store

local ACCOUNT = "SELECT id FROM smmpanel_accounts WHERE panel = :panel AND account = :account AND named = :named"
local NEW_ACCOUNT = [[INSERT OR IGNORE INTO smmpanel_accounts (id, panel, account, named, grp)
  SELECT MAX(id) + 1, :panel, :account, :named, MAX(id) + 1 FROM smmpanel_accounts]]

-- The accounts that are the same as this one (`ours`), and those whose refs block its refs: see smmpanel.ledger,
-- "Accounts".
local OURS = "(a.grp = me.grp OR a.panel = '')"
local SCOPE = "(a.panel = '' OR a.panel = me.panel AND (a.grp = me.grp OR a.named = 0 OR me.named = 0))"
local FROM = " FROM smmpanel_orders o, smmpanel_accounts a, smmpanel_accounts me WHERE a.id = o.account"
  .. " AND me.id = :account AND " .. SCOPE
local SAME_REF = FROM .. " AND o.ref = :ref"

local COLUMNS = { "ref", "account", "attempt", "state", "token", "fingerprint", "since", "placer", "wanted",
  "answer", "floor", "evidence", "ours" }
local MADE_COLUMNS = { "ref", "account", "attempt", "state", "token", "fingerprint", "since", "placer", "wanted",
  "answer", "floor", "evidence", "ours", "made" }
local SELECT = [[SELECT o.ref, o.account, o.attempt, o.state, o.token, o.fingerprint, o.since, o.placer, o.wanted,
  o.answer, o.floor, o.evidence, ]] .. OURS

local FIND = SELECT .. SAME_REF .. " ORDER BY a.grp = me.grp DESC, o.attempt DESC LIMIT 1"
local ATTEMPTS = SELECT .. SAME_REF .. " AND " .. OURS .. " ORDER BY o.attempt"
local OPEN = FROM .. " AND o.token IS NOT NULL AND o.ref > :after"
local PENDING = SELECT .. OPEN .. " AND o.ref <= (SELECT MAX(ref) FROM (SELECT DISTINCT o.ref" .. OPEN
  .. " ORDER BY o.ref LIMIT :limit)) ORDER BY o.ref"

local FLOOR = [[SELECT made FROM smmpanel_orders WHERE account = :account AND made IS NOT NULL
  ORDER BY made DESC LIMIT 1]]

-- All columns in their order: names would make the statement slower.
local VALUES = ", :account, :attempt, 'open', :token, :fingerprint, :since, :placer, :wanted, NULL, NULL, :floor, NULL"

-- The usual case: the ref is new. If any account has used it, its first row exists, and SQLite ignores this one; the
-- next statement checks the accounts.
local FIRST = "INSERT OR IGNORE INTO smmpanel_orders VALUES (:ref, 1" .. VALUES .. ")"

local NTH = "1 + (SELECT COALESCE(MAX(nth), 0) FROM smmpanel_orders WHERE ref = :ref)"

-- Inserts the first attempt, or one after `attempt - 1` of this account, unless another process was faster. Rows of
-- other accounts block the first attempt only.
local NEXT = "INSERT INTO smmpanel_orders SELECT :ref, " .. NTH .. VALUES .. " WHERE NOT EXISTS (SELECT 1" .. SAME_REF
  .. " AND o.attempt >= :attempt AND (:attempt = 1 OR " .. OURS .. "))"

local AT = " WHERE ref = :ref AND account = :account AND attempt = :attempt"

-- Starts the next attempt after one that placed no order, or that may be repeated.
local REPLACE = [[UPDATE smmpanel_orders SET attempt = attempt + 1, state = 'open', token = :token,
    fingerprint = :fingerprint, since = :since, placer = :placer, wanted = :wanted, evidence = NULL,
    floor = :floor]]
local AGAIN = REPLACE .. AT .. " AND state = 'free'"
local OVER = REPLACE .. AT .. " AND token = :over"

local MINE = " WHERE ref = :ref AND token = :token"
local MAKE = "UPDATE smmpanel_orders SET state = 'made', answer = :answer, made = :made, token = NULL"
local KEEP_MINE = MAKE .. MINE
local KEEP = MAKE .. AT .. " AND answer IS NULL"
local KEEP_LOST = [[INSERT INTO smmpanel_orders
    (ref, nth, account, attempt, state, fingerprint, since, placer, answer, made)
  SELECT :ref, ]] .. NTH .. [[, :account, :attempt, 'made', :fingerprint, :since, :placer, :answer, :made
  WHERE NOT EXISTS (SELECT 1 FROM smmpanel_orders]] .. AT .. ")"

local FREE = "UPDATE smmpanel_orders SET state = 'free', token = NULL, wanted = NULL" .. MINE
local DOUBT = "UPDATE smmpanel_orders SET state = 'doubt'" .. MINE

local RESOLVE_MADE = KEEP .. " AND token IS NOT NULL"
local RESOLVE_NOT = "UPDATE smmpanel_orders SET state = 'not_made', token = NULL" .. AT .. " AND token IS NOT NULL"
local EVIDENCE = "UPDATE smmpanel_orders SET evidence = :evidence" .. AT

local MADE = SELECT .. [[, o.made FROM smmpanel_orders o, smmpanel_accounts a, smmpanel_accounts me
  WHERE me.id = :account AND a.panel = me.panel AND o.account = a.id AND o.made > :above AND o.made <= :upto
  ORDER BY o.made]]

-- This account, and the keys that have no other name.
local UNCLAIMED = [[panel = :panel AND (id = :account OR named = 0 AND grp NOT IN
  (SELECT grp FROM smmpanel_accounts WHERE panel = :panel AND named = 1 AND id <> :account))]]
local GROUPS = "SELECT COUNT(DISTINCT grp) FROM smmpanel_accounts WHERE " .. UNCLAIMED
local JOIN = "UPDATE smmpanel_accounts SET grp = (SELECT MIN(grp) FROM smmpanel_accounts WHERE " .. UNCLAIMED
  .. ") WHERE grp IN (SELECT grp FROM smmpanel_accounts WHERE " .. UNCLAIMED .. ")"

local OPTIONS = {
  busy_timeout = checks.seconds,
  create = function(value) return type(value) ~= "boolean" and "true or false" or nil end,
}

local identities = {} -- path -> the file and the ledger id that this process has seen

local function driver(where)
  local ok, found = guard.call(require, "luasql.sqlite3")
  if ok then return found end
  argerror.throw(where, "needs LuaSQL's SQLite driver (Debian: lua-sql-sqlite3, LuaRocks: luasql-sqlite3): %s",
    text.one_line(tostring(found), 120))
end

--- Makes a ledger in a SQLite file. Throws if LuaSQL's driver is not installed, or the path cannot name a file.
---@param path string made absolute at once
---@param options? { busy_timeout: number?, create: boolean? } seconds (5); false: the file must exist (true)
---@return smmpanel.Ledger
function store.new(path, options)
  local where = "smmpanel.ledger.sqlite"
  local wrong = checks.line(path)
  if wrong then argerror.throw(where, "the path must be %s, got %s", wrong, argerror.describe(path)) end
  local why = file.forgets(path)
  if why then argerror.throw(where, "the path must be that of a file, got %s: %s", argerror.describe(path), why) end
  options = checks.options(where, options or {}, OPTIONS)
  local full = file.absolute(path)
  identities[full] = identities[full] or {}
  -- In WAL mode EXTRA equals FULL; without WAL (some file systems) it is equally safe.
  local connection = connections.new({
    environment = assert(driver(where).sqlite3()), path = full, busy_timeout = options.busy_timeout or 5,
    create = options.create ~= false, identity = identities[full],
  }, "EXTRA")
  return setmetatable({
    connection = connection, path = full, accounts = setmetatable({}, { __mode = "k" }), floors = {},
  }, Store)
end

function Store:identity()
  return self.connection:identify()
end

-- The number of the owner's account, which never changes.
local function number_of(self, owner)
  if self.accounts[owner] then return self.accounts[owner] end
  local rows, why = self.connection:rows(ACCOUNT, owner, { "id" })
  if rows and not rows[1] then
    local made
    made, why = self.connection:execute(NEW_ACCOUNT, owner)
    if not made then return nil, why end
    rows, why = self.connection:rows(ACCOUNT, owner, { "id" })
  end
  if not rows then return nil, why end
  self.accounts[owner] = tonumber(rows[1].id)
  return self.accounts[owner]
end
Store.number_of = number_of

-- LuaSQL returns numbers as numbers or as texts, depending on its version.
local function row_of(raw)
  raw.account, raw.attempt, raw.since = tonumber(raw.account), tonumber(raw.attempt), tonumber(raw.since)
  raw.floor, raw.made, raw.ours, raw.one_machine =
    tonumber(raw.floor), tonumber(raw.made), tonumber(raw.ours) == 1, true
  return raw
end

local function rows(self, statement, values, names)
  local list, why = self.connection:rows(statement, values, names or COLUMNS)
  if not list then return nil, why end
  for _, raw in ipairs(list) do row_of(raw) end
  return list
end

local function find(self, account, ref)
  local list, why = rows(self, FIND, { account = account, ref = ref })
  if not list then return nil, why end
  return list[1] or false
end

local FLOOR_SECONDS = 0.1

-- The largest order number of this account that is known now. Other processes' orders of the last moment may be
-- missing, as if they were stored a moment later.
-- -> floor, or nil if there is none; nil, failure
local function floor_of(self, account)
  local known = self.floors[account]
  if known and core.now() - known.at < FLOOR_SECONDS then return known.number end
  local list, why = self.connection:rows(FLOOR, { account = account }, { "made" })
  if not list then return nil, why end
  known = { at = core.now(), number = list[1] and tonumber(list[1].made) }
  self.floors[account] = known
  return known.number
end

local function raise_floor(self, account, number)
  local known = self.floors[account]
  if known and number and number > (known.number or -1) then known.number = number end
end

-- The values of a statement about an entry's attempt.
local function values_of(entry, account, attempt, floor)
  return {
    ref = entry.ref, account = account, attempt = attempt, token = entry.token, over = entry.over,
    fingerprint = entry.fingerprint, placer = entry.placer, wanted = entry.wanted, since = os.time(), floor = floor,
  }
end

-- Tries to begin the attempt after this row, or the first attempt if there is no row. -> attempt; 0 if another process
-- was faster; false if the row blocks it; nil, failure
local function begin_after(self, entry, account, row, floor)
  local changed, why
  if row and not row.ours then return false end
  if not row then
    changed, why = self.connection:execute(NEXT, values_of(entry, account, 1, floor))
  elseif row.state == "free" then
    changed, why = self.connection:execute(AGAIN, values_of(entry, row.account, row.attempt, floor))
  elseif row.state == "not_made" then
    changed, why = self.connection:execute(NEXT, values_of(entry, account, row.attempt + 1, floor))
  elseif entry.over and row.token == entry.over then
    changed, why = self.connection:execute(OVER, values_of(entry, row.account, row.attempt, floor))
  else
    return false
  end
  if not changed then return nil, why end
  if changed == 0 then return 0 end
  return row and row.attempt + 1 or 1
end

function Store:take(entry)
  local account, why = number_of(self, entry.owner)
  if not account then return nil, why end
  local floor, taken
  floor, why = floor_of(self, account)
  if why then return nil, why end
  taken, why = self.connection:execute(FIRST, values_of(entry, account, 1, floor))
  if not taken then return nil, why end
  if taken == 1 then return "taken", 1 end
  while true do
    local row
    row, why = find(self, account, entry.ref)
    if row == nil then return nil, why end
    if row and row.token == entry.token then return "taken", row.attempt end
    local attempt
    attempt, why = begin_after(self, entry, account, row, floor)
    if attempt == nil then return nil, why end
    if not attempt then return "held", row end
    if attempt > 0 then return "taken", attempt end
    -- Another process has changed the row meanwhile: read it again.
  end
end

function Store:find(entry)
  local account, why = number_of(self, entry.owner)
  if not account then return nil, why end
  return find(self, account, entry.ref)
end

-- The row of an entry's attempt, under any account.
local function own_row(self, account, entry)
  local list, why = rows(self, ATTEMPTS, { account = account, ref = entry.ref })
  if not list then return nil, why end
  local own, last = false, nil
  for _, row in ipairs(list) do
    if row.attempt == entry.attempt then own = row end
    last = row
  end
  return own, last
end

local function keep_lost(self, account, entry, values)
  values.account, values.fingerprint, values.placer, values.since =
    account, entry.fingerprint, entry.placer, os.time()
  local kept, why = self.connection:execute(KEEP_LOST, values)
  if not kept then return nil, why end
  return kept == 1 and "kept" or "conflict"
end

function Store:keep(entry, answer, order)
  local account, why = number_of(self, entry.owner)
  if not account then return nil, why end
  local values = { ref = entry.ref, account = account, attempt = entry.attempt, answer = answer, made = order,
    token = entry.token }
  local kept
  kept, why = self.connection:execute(KEEP_MINE, values)
  if not kept then return nil, why end
  if kept == 1 then
    raise_floor(self, account, order)
    return "kept"
  end
  local row, last = own_row(self, account, entry)
  if row == nil then return nil, last end
  if not row then
    if last then return "conflict" end
    return keep_lost(self, account, entry, values)
  end
  if row.answer and row.answer ~= answer then return "settled", row.answer end
  if row.answer then return last.attempt > row.attempt and "conflict" or "kept" end
  values.account = row.account
  kept, why = self.connection:execute(KEEP .. " AND (token IS NULL OR token = :token)", values)
  if not kept then return nil, why end
  if kept == 0 then return "conflict" end
  return self:keep(entry, answer, order) -- another attempt may have begun meanwhile
end

local function done(result, why)
  if result then return true end
  return nil, why
end

function Store:free(entry)
  return done(self.connection:execute(FREE, entry))
end

function Store:doubt(entry)
  return done(self.connection:execute(DOUBT, entry))
end

function Store:resolve(entry, answer, order)
  local row, why = self:find(entry)
  if row == nil then return nil, why end
  if not row then return "unknown" end
  if not row.ours then return "other_account" end
  if row.answer then return "settled", row.answer end
  if not row.token then return "unknown" end
  if row.attempt ~= entry.attempt then return "other_attempt", row.attempt end
  local values = { ref = entry.ref, account = row.account, attempt = row.attempt, answer = answer, made = order }
  local changed
  changed, why = self.connection:execute(answer and RESOLVE_MADE or RESOLVE_NOT, values)
  if not changed then return nil, why end
  if changed == 1 then return "resolved" end
  return self:resolve(entry, answer, order) -- another process has changed it meanwhile
end

function Store:pending(owner, after, limit)
  local account, why = number_of(self, owner)
  if not account then return nil, why end
  return rows(self, PENDING, { account = account, after = after or "", limit = limit })
end

function Store:attempts(entry)
  local account, why = number_of(self, entry.owner)
  if not account then return nil, why end
  return rows(self, ATTEMPTS, { account = account, ref = entry.ref })
end

function Store:note(entry, evidence)
  local row, why = self:find(entry)
  if row == nil then return nil, why end
  return done(not row or self.connection:execute(EVIDENCE,
    { ref = entry.ref, account = row.account, attempt = entry.attempt, evidence = evidence }))
end

function Store:made(owner, above, upto, limit)
  local account, why = number_of(self, owner)
  if not account then return nil, why end
  local order = limit < 0 and " DESC LIMIT :limit" or " LIMIT :limit"
  local values = { account = account, above = above, upto = upto, limit = math.abs(limit) }
  local list
  list, why = rows(self, MADE .. order, values, MADE_COLUMNS)
  if not list then return nil, why end
  if limit > 0 then return list end
  local ascending = {}
  for i = #list, 1, -1 do ascending[#ascending + 1] = list[i] end
  return ascending
end

function Store:adopt(owner)
  local account, why = number_of(self, owner)
  if not account then return nil, why end
  local values = { panel = owner.panel, account = account }
  local list, joined
  list, why = self.connection:rows(GROUPS, values, { "count" })
  if not list then return nil, why end
  joined, why = self.connection:execute(JOIN, values)
  if not joined then return nil, why end
  return tonumber(list[1].count) - 1
end

--- Returns a named set of watched orders of an account, shared by all processes that use the name: see
-- smmpanel.watch.queue.
---@param name string
---@param how { owner: smmpanel.LedgerOwner }
---@return table
function Store:work(name, how)
  return watched.new(self, name, how)
end

return store
