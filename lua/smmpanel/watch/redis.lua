--- A set of watched orders in the ledger's Redis, for any number of processes: see smmpanel.watch.queue. A set belongs
-- to an account of the ledger, as a ref does. Its keys (SCOPE is the number of its account):
--
--     PREFIX watches:NAME        a hash: the numbers of the accounts that have a set of this name
--     PREFIX watch:NAME\nSCOPE   a hash: `last` and `back`, see below
--     PREFIX work:NAME\nSCOPE    a sorted set: order ids by due time (microseconds)
--     PREFIX seen:NAME\nSCOPE    a hash: order id -> its last record, as JSON; `final` for a final state
--
-- A claim sets the due time of its orders to the end of its lease. That time identifies the claim: a worker may write
-- an order only while it still has this due time. If a worker dies, its orders are due again at the end of the lease.
--
-- Times are Redis' clock, corrected so that they never go back: `last` is the latest time seen, and `back` the total
-- by which the clock was set back.
-- @module smmpanel.watch.redis

local json = require "smmpanel.util.json"
local schemas = require "smmpanel.api.schemas"
local watched_by = require "smmpanel.watch.owner"

local redis_work = {}

local Work = {}
Work.__index = Work

-- KEYS of the scripts that start with HEAD: ledger, watch, work, seen. ARGV[1]: the ledger's id.
local HEAD = [[
  local function text(n) return string.format('%.0f', n) end
  if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return {'store_changed'} end
  local last, back = unpack(redis.call('HMGET', KEYS[2], 'last', 'back'))
  if not last then return {'store_changed'} end
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2] + tonumber(back)
  if now < tonumber(last) then
    redis.call('HSET', KEYS[2], 'back', text(tonumber(back) + tonumber(last) - now))
    now = tonumber(last)
  elseif now - tonumber(last) > 1000000 then
    redis.call('HSET', KEYS[2], 'last', text(now))
  end
]]

-- KEYS: ledger, watches. ARGV: the ledger's id, the account, its panel, '1' if it has a name. -> for each account
-- with a set on this panel: its number, '1' if it is this account, '1' if it was joined with it by adoption, '1' if
-- it has a name
local SETS = [[
  if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return {'store_changed'} end
  local function group(account) return redis.call('HGET', KEYS[1], 'group:' .. account) end
  local found = {'ok'}
  local sets = redis.call('HGETALL', KEYS[2])
  for i = 1, #sets, 2 do
    local account, panel, named = sets[i], sets[i + 1]:match('^(%d+) (%d)$')
    if panel == ARGV[3] then
      found[#found + 1] = account
      found[#found + 1] = account == ARGV[2] and '1' or '0'
      found[#found + 1] = group(account) == group(ARGV[2]) and '1' or '0'
      found[#found + 1] = named
    end
  end
  return found
]]

-- KEYS: ledger, watches, watch, work, seen, and the two keys of a set of version 1. Version 1 had no accounts: the
-- first account that opens such a set gets it. ARGV as above.
local CREATE = [[
  if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return {'store_changed'} end
  local time = redis.call('TIME')
  if redis.call('HSETNX', KEYS[2], ARGV[2], ARGV[3] .. ' ' .. ARGV[4]) == 0 then return {'ok'} end
  redis.call('HSET', KEYS[3], 'last', string.format('%.0f', time[1] * 1000000 + time[2]), 'back', '0')
  if redis.call('EXISTS', KEYS[6]) == 1 then redis.call('RENAMENX', KEYS[6], KEYS[4]) end
  if redis.call('EXISTS', KEYS[7]) == 1 then redis.call('RENAMENX', KEYS[7], KEYS[5]) end
  return {'ok'}
]]

-- ARGV: id of the ledger, ids
local ADD = HEAD .. [[
  for i = 2, #ARGV - 1 do
    if redis.call('HGET', KEYS[4], ARGV[i]) ~= 'final' then
      redis.call('ZADD', KEYS[3], 'NX', text(now), ARGV[i])
    end
  end
  return {'ok'}
]]

-- ARGV: id of the ledger, limit, patience, lease (both in microseconds). -> the lease, then id and record
-- alternately; or the microseconds to wait; or nothing
local CLAIM = HEAD .. [[
  local limit = tonumber(ARGV[2])
  local function due_of(place) return tonumber(redis.call('ZRANGE', KEYS[3], place, place, 'WITHSCORES')[2]) end
  local first = due_of(0)
  if not first then return {'ok'} end
  local ready = math.min(first + ARGV[3], due_of(limit - 1) or due_of(-1))
  if ready > now then return {'ok', text(ready - now)} end
  local ids = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', text(now), 'LIMIT', 0, limit)
  local lease = text(now + ARGV[4])
  local found = {'ok', lease}
  for i, id in ipairs(ids) do
    redis.call('ZADD', KEYS[3], 'XX', lease, id)
    found[2 * i + 1], found[2 * i + 2] = id, redis.call('HGET', KEYS[4], id) or ''
  end
  return found
]]

-- ARGV: id of the ledger, lease, id
local HOLDS = HEAD .. [[
  return {'ok', tonumber(redis.call('ZSCORE', KEYS[3], ARGV[3])) == tonumber(ARGV[2]) and '1' or '0'}
]]

-- ARGV: id of the ledger, lease, id, record, microseconds until it is due ('': final)
local CHANGED = HEAD .. [[
  if tonumber(redis.call('ZSCORE', KEYS[3], ARGV[3])) ~= tonumber(ARGV[2]) then return {'ok'} end
  if ARGV[5] == '' then
    redis.call('ZREM', KEYS[3], ARGV[3])
    redis.call('HSET', KEYS[4], ARGV[3], 'final')
  else
    redis.call('ZADD', KEYS[3], 'XX', text(now + ARGV[5]), ARGV[3])
    redis.call('HSET', KEYS[4], ARGV[3], ARGV[4])
  end
  return {'ok'}
]]

-- ARGV: id of the ledger, lease, microseconds until they are due, ids
local UNCHANGED = HEAD .. [[
  local due = text(now + ARGV[3])
  for i = 4, #ARGV - 1 do
    if tonumber(redis.call('ZSCORE', KEYS[3], ARGV[i])) == tonumber(ARGV[2]) then
      redis.call('ZADD', KEYS[3], 'XX', due, ARGV[i])
    end
  end
  return {'ok'}
]]

local IDS_MAX = 1000 -- in one script

--- Returns the set of this name.
---@param store table the ledger
---@param name string
---@param how { owner: smmpanel.LedgerOwner }
---@return table
function redis_work.new(store, name, how)
  return setmetatable({ store = store, name = name, owner = how.owner }, Work)
end

local function keys_of(self, scope)
  local prefix, name = self.store.prefix, self.name .. "\n" .. scope
  return { prefix .. "ledger", prefix .. "watch:" .. name, prefix .. "work:" .. name, prefix .. "seen:" .. name }
end

local function find(self, arguments)
  local prefix = self.store.prefix
  local reply, failure = self.store:ask(SETS, { prefix .. "ledger", prefix .. "watches:" .. self.name }, arguments)
  if not reply then return nil, failure end
  local sets = {}
  for i = 2, #reply, 4 do
    sets[#sets + 1] = { scope = reply[i], exact = reply[i + 1] == "1", joined = reply[i + 2] == "1",
      named = reply[i + 3] == "1" }
  end
  return watched_by.choose(sets, self.owner, self.name)
end

local function create(self, scope, arguments)
  local prefix, keys = self.store.prefix, keys_of(self, scope)
  local reply, failure = self.store:ask(CREATE, {
    keys[1], prefix .. "watches:" .. self.name, keys[2], keys[3], keys[4], prefix .. "work:" .. self.name,
    prefix .. "seen:" .. self.name,
  }, arguments)
  if not reply then return nil, failure end
  return find(self, arguments) -- meanwhile another process may have created one for another key
end

local function open(self)
  if self.keys then return self.keys end
  local numbers, failure = self.store:numbers_of(self.owner)
  if not numbers then return nil, failure end
  local arguments = { self.owner.id, numbers.account, numbers.panel, self.owner.named and "1" or "0" }
  local scope
  scope, failure = find(self, arguments)
  if scope == false then scope, failure = create(self, numbers.account, arguments) end
  if not scope then return nil, failure end
  self.keys = keys_of(self, scope)
  return self.keys
end

local function run(self, script, arguments)
  local keys, failure = open(self)
  if not keys then return nil, failure end
  table.insert(arguments, 1, self.owner.id)
  return self.store:ask(script, keys, arguments)
end

local function microseconds(seconds)
  return ("%.0f"):format(seconds * 1e6)
end

local function done(reply, failure)
  if reply then return true end
  return nil, failure
end

function Work:add(ids)
  local from = 1
  repeat -- runs once without ids too, to report a set that cannot be opened
    local some = {}
    for i = from, math.min(from + IDS_MAX - 1, #ids) do some[#some + 1] = tostring(ids[i]) end
    local reply, failure = run(self, ADD, some)
    if not reply then return nil, failure end
    from = from + IDS_MAX
  until from > #ids
  return true
end

function Work:claim(limit, patience, lease)
  limit = math.min(limit, IDS_MAX)
  local reply, failure = run(self, CLAIM, { limit, microseconds(patience), microseconds(lease) })
  if not reply then return nil, failure end
  if #reply < 3 then return nil, nil, reply[2] and tonumber(reply[2]) / 1e6 end
  local claim = { lease = reply[2], ids = {}, seen = {} }
  for i = 3, #reply, 2 do
    local id, seen = reply[i], reply[i + 1]
    claim.ids[#claim.ids + 1] = id
    if seen ~= "" then claim.seen[id] = json.decode_record(seen, schemas.status, "string") end
  end
  return claim
end

function Work:holds(claim, id)
  local reply, failure = run(self, HOLDS, { claim.lease, id })
  if not reply then return nil, failure end
  return reply[2] == "1"
end

function Work:changed(claim, id, seen, seconds)
  return done(run(self, CHANGED, { claim.lease, id, json.encode(seen), seconds and microseconds(seconds) or "" }))
end

function Work:unchanged(claim, ids, seconds)
  local arguments = { claim.lease, microseconds(seconds) }
  for _, id in ipairs(ids) do arguments[#arguments + 1] = id end
  return done(run(self, UNCHANGED, arguments))
end

return redis_work
