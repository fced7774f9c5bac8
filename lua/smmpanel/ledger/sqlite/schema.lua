--- The tables of a SQLite ledger, and the migration of files of earlier versions. The version is SQLite's
-- `user_version`.
--
--     smmpanel_ledger    one row: the file's random id
--     smmpanel_accounts  a panel and an account; rows with the same `grp` are one account (adopted keys).
--                        Number 0 owns the orders of version 1, which did not store accounts: it matches all
--     smmpanel_orders    a row for each attempt at a ref; the last one counts. A row with a token is open. `nth`
--                        numbers the rows of a ref, of all accounts: to insert the first one is to take the ref
-- smmpanel.watch.sqlite creates the tables of watched orders.
-- @module smmpanel.ledger.sqlite.schema

local schema = {}

schema.VERSION = 3

local LEDGER = {
  "CREATE TABLE smmpanel_ledger (id TEXT NOT NULL)",
  [[CREATE TABLE smmpanel_accounts (
      id INTEGER PRIMARY KEY, panel TEXT NOT NULL, account TEXT NOT NULL, named INTEGER NOT NULL,
      grp INTEGER NOT NULL, UNIQUE (panel, named, account))]],
  "INSERT INTO smmpanel_accounts (id, panel, account, named, grp) VALUES (0, '', '', 0, 0)",
}

-- `made` is the order's number, `floor` the largest one known when the attempt began.
local ORDERS = {
  [[CREATE TABLE smmpanel_orders (
      ref TEXT NOT NULL, nth INTEGER NOT NULL, account INTEGER NOT NULL, attempt INTEGER NOT NULL,
      state TEXT NOT NULL, token TEXT, fingerprint TEXT NOT NULL, since INTEGER NOT NULL, placer TEXT, wanted TEXT,
      answer TEXT, made INTEGER, floor INTEGER, evidence TEXT, PRIMARY KEY (ref, nth)) WITHOUT ROWID]],
  "CREATE INDEX smmpanel_orders_open ON smmpanel_orders (ref) WHERE token IS NOT NULL",
  "CREATE INDEX smmpanel_orders_made ON smmpanel_orders (account, made) WHERE made IS NOT NULL",
}

local SET_ASIDE = {
  "ALTER TABLE smmpanel_orders RENAME TO smmpanel_orders_old",
  "DROP INDEX IF EXISTS smmpanel_orders_open",
  "DROP INDEX IF EXISTS smmpanel_orders_made",
}

-- From version 1. Keeps open tokens. Only the wall clock of their placers is known, in the form of
-- smmpanel.ledger.process.
local COPY_1 = [[INSERT INTO smmpanel_orders
    (ref, nth, account, attempt, state, token, fingerprint, since, placer, wanted, answer)
  SELECT ref, 1, 0, 1,
    CASE WHEN answer IS NOT NULL THEN 'made' WHEN sending_until = 0 THEN 'doubt' ELSE 'open' END,
    token, fingerprint, since,
    CASE WHEN answer IS NULL THEN '- - 0 - 0 ' || since || ' ' ||
      (CASE WHEN sending_until > since THEN sending_until - since ELSE 0 END + 30) END,
    wanted, answer FROM smmpanel_orders_old]]

-- From version 2, which had no `nth`.
local COPY_2 = [[INSERT INTO smmpanel_orders
  SELECT ref, (SELECT COUNT(*) FROM smmpanel_orders_old b WHERE b.ref = a.ref
      AND (b.account < a.account OR b.account = a.account AND b.attempt <= a.attempt)),
    account, attempt, state, token, fingerprint, since, placer, wanted, answer, made, floor, evidence
  FROM smmpanel_orders_old a]]

local function append(list, more)
  for _, statement in ipairs(more) do list[#list + 1] = statement end
end

--- Returns the statements that migrate a file to this version. Pure.
---@param version integer of the file; 0 for version 1 too, which did not write it
---@param id string the file's, if it gets one now
---@param has_orders boolean whether it has a table of orders
---@return string[]
function schema.upgrade(version, id, has_orders)
  local list = {}
  if has_orders then append(list, SET_ASIDE) end
  if version < 2 then
    append(list, LEDGER)
    list[#list + 1] = ("INSERT INTO smmpanel_ledger (id) VALUES ('%s')"):format(id)
  end
  append(list, ORDERS)
  if has_orders then append(list, { version < 2 and COPY_1 or COPY_2, "DROP TABLE smmpanel_orders_old" }) end
  list[#list + 1] = ("PRAGMA user_version = %d"):format(schema.VERSION)
  return list
end

return schema
