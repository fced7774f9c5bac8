--- The tables of a SQLite ledger, and the migration of files of earlier versions. The version is SQLite's
-- `user_version`.
--
--     smmpanel_ledger    one row: the file's random id
--     smmpanel_accounts  a panel and an account; rows with the same `grp` are one account (adopted keys).
--                        Number 0 owns the orders of version 1, which did not store accounts: it matches all
--     smmpanel_orders    a row for each attempt at a ref; the last one counts. A row with a token is open
-- smmpanel.watch.sqlite creates the tables of watched orders.
-- @module smmpanel.ledger.sqlite.schema

local schema = {}

schema.VERSION = 2

-- `made` is the order's number, `floor` the largest one known when the attempt began.
local TABLES = {
  "CREATE TABLE smmpanel_ledger (id TEXT NOT NULL)",
  [[CREATE TABLE smmpanel_accounts (
      id INTEGER PRIMARY KEY, panel TEXT NOT NULL, account TEXT NOT NULL, named INTEGER NOT NULL,
      grp INTEGER NOT NULL, UNIQUE (panel, named, account))]],
  "INSERT INTO smmpanel_accounts (id, panel, account, named, grp) VALUES (0, '', '', 0, 0)",
  [[CREATE TABLE smmpanel_orders (
      ref TEXT NOT NULL, account INTEGER NOT NULL, attempt INTEGER NOT NULL, state TEXT NOT NULL, token TEXT,
      fingerprint TEXT NOT NULL, since INTEGER NOT NULL, placer TEXT, wanted TEXT, answer TEXT, made INTEGER,
      floor INTEGER, evidence TEXT, PRIMARY KEY (ref, account, attempt)) WITHOUT ROWID]],
  "CREATE INDEX smmpanel_orders_open ON smmpanel_orders (ref) WHERE token IS NOT NULL",
  "CREATE INDEX smmpanel_orders_made ON smmpanel_orders (account, made) WHERE made IS NOT NULL",
}

local SET_ASIDE = {
  "ALTER TABLE smmpanel_orders RENAME TO smmpanel_orders_1",
  "DROP INDEX IF EXISTS smmpanel_orders_open",
}

-- Keeps open tokens. Only the wall clock of their placers is known, in the form of smmpanel.ledger.process.
local TAKE_OVER = {
  [[INSERT INTO smmpanel_orders
      (ref, account, attempt, state, token, fingerprint, since, placer, wanted, answer)
    SELECT ref, 0, 1,
      CASE WHEN answer IS NOT NULL THEN 'made' WHEN sending_until = 0 THEN 'doubt' ELSE 'open' END,
      token, fingerprint, since,
      CASE WHEN answer IS NULL THEN '- - 0 - 0 ' || since || ' ' ||
        (CASE WHEN sending_until > since THEN sending_until - since ELSE 0 END + 30) END,
      wanted, answer FROM smmpanel_orders_1]],
  "DROP TABLE smmpanel_orders_1",
}

local function append(list, more)
  for _, statement in ipairs(more) do list[#list + 1] = statement end
end

--- Returns the statements that migrate a file to this version. Pure.
---@param id string the file's, if it gets one now
---@param has_orders boolean whether it has the orders of version 1
---@return string[]
function schema.upgrade(id, has_orders)
  local list = {}
  if has_orders then append(list, SET_ASIDE) end
  append(list, TABLES)
  list[#list + 1] = ("INSERT INTO smmpanel_ledger (id) VALUES ('%s')"):format(id)
  if has_orders then append(list, TAKE_OVER) end
  list[#list + 1] = ("PRAGMA user_version = %d"):format(schema.VERSION)
  return list
end

return schema
