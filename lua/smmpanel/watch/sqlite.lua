--- Orders to be watched, in a SQLite file: see smmpanel.work. A row's `due` (seconds since 1970) is also its
-- claim: a claim moves its orders to the end of its lease, and whoever still finds that time there may write.
-- @module smmpanel.watch.sqlite

local json = require "smmpanel.util.json"
local schemas = require "smmpanel.api.schemas"

local sqlite_work = {}

local Work = {}
Work.__index = Work

-- By SQLite, whose clock has more than whole seconds.
local NOW = "((julianday('now') - 2440587.5) * 86400.0)"

local ADD = "INSERT OR IGNORE INTO smmpanel_work (name, id, due) VALUES (:name, :id, " .. NOW .. ")"

local READY = [[
  SELECT ]] .. NOW .. [[ AS now,
    (SELECT MIN(due) FROM smmpanel_work WHERE name = :name) AS "first",
    (SELECT MAX(due) FROM smmpanel_work WHERE name = :name) AS "last",
    (SELECT due FROM smmpanel_work WHERE name = :name ORDER BY due LIMIT 1 OFFSET :rest) AS full]]

local DUE = "SELECT id, seen, printf('%!.17g', " .. NOW .. " + :lease) AS lease FROM smmpanel_work"
  .. " WHERE name = :name AND due <= " .. NOW .. " ORDER BY due LIMIT :limit"

-- Not UPDATE ... RETURNING: LuaSQL runs a statement that returns rows twice.
local CLAIM = "UPDATE smmpanel_work SET due = CAST(:lease AS REAL) WHERE name = :name AND id = :id"

local MINE = " WHERE name = :name AND due = CAST(:lease AS REAL)"
local CHANGED = "UPDATE smmpanel_work SET seen = :seen, due = " .. NOW .. " + :seconds" .. MINE .. " AND id = :id"
local FINAL = "DELETE FROM smmpanel_work" .. MINE .. " AND id = :id"
local UNCHANGED = "UPDATE smmpanel_work SET due = " .. NOW .. " + :seconds" .. MINE .. " AND id = :id"

--- The set of this name.
---@param store table the ledger
---@param name string
---@param how? { decimals: "number"|"string"|nil }
---@return table
function sqlite_work.new(store, name, how)
  return setmetatable({ store = store, name = name, decimals = how and how.decimals }, Work)
end

-- What happens here is as one: a step that fails undoes those before it, for the store drops its connection.
local function together(self, steps)
  local ok, failure = self.store:execute "BEGIN IMMEDIATE"
  if not ok then return nil, failure end
  local result
  result, failure = steps()
  if not result then return nil, failure end
  ok, failure = self.store:execute "COMMIT"
  if not ok then return nil, failure end
  return result
end

local function for_each(self, ids, statement, values)
  for _, id in ipairs(ids) do
    values.name, values.id = self.name, tostring(id)
    local ok, failure = self.store:execute(statement, values)
    if not ok then return nil, failure end
  end
  return true
end

local function each_together(self, ids, statement, values)
  return together(self, function() return for_each(self, ids, statement, values) end)
end

function Work:add(ids)
  return each_together(self, ids, ADD, {})
end

-- The seconds until a batch can be had, nil where there is nothing; or nil, failure.
local function wait_for(self, limit, patience)
  local rows, failure = self.store:rows(READY, { name = self.name, rest = limit - 1 })
  if not rows then return nil, failure end
  local now, first = tonumber(rows[1].now), tonumber(rows[1].first)
  if not first then return nil end
  return math.min(first + patience, tonumber(rows[1].full) or tonumber(rows[1].last)) - now
end

local function claim_due(self, limit, lease)
  local rows, failure = self.store:rows(DUE, { name = self.name, limit = limit, lease = lease })
  if not rows then return nil, failure end
  local claim = { lease = rows[1] and rows[1].lease, ids = {}, seen = {} }
  for i, row in ipairs(rows) do
    claim.ids[i] = row.id
    claim.seen[row.id] = row.seen and json.decode_record(row.seen, schemas.status, self.decimals) or nil
  end
  local ok
  ok, failure = for_each(self, claim.ids, CLAIM, { lease = claim.lease })
  if not ok then return nil, failure end
  return claim
end

function Work:claim(limit, patience, lease)
  local wait, failure = wait_for(self, limit, patience)
  if not wait then return nil, failure end
  if wait > 0 then return nil, nil, wait end
  local claim
  claim, failure = together(self, function() return claim_due(self, limit, lease) end)
  if not claim then return nil, failure end
  if #claim.ids == 0 then return nil, nil, 0 end -- others were faster
  return claim
end

function Work:holds(claim, id)
  local rows, failure = self.store:rows("SELECT COUNT(*) AS held FROM smmpanel_work" .. MINE .. " AND id = :id",
    { name = self.name, id = id, lease = claim.lease })
  if not rows then return nil, failure end
  return tonumber(rows[1].held) == 1
end

local function done(result, failure)
  if result then return true end
  return nil, failure
end

function Work:changed(claim, id, seen, seconds)
  local values = { name = self.name, id = id, lease = claim.lease, seconds = seconds }
  if not seconds then return done(self.store:execute(FINAL, values)) end
  values.seen = json.encode(seen)
  return done(self.store:execute(CHANGED, values))
end

function Work:unchanged(claim, ids, seconds)
  return each_together(self, ids, UNCHANGED, { lease = claim.lease, seconds = seconds })
end

return sqlite_work
