--- Orders to be watched, in Redis, for any number of workers: see smmpanel.work. Two keys,
--
--     PREFIX work:NAME    a sorted set: order id, and when it is due (microseconds since 1970, by Redis' clock)
--     PREFIX seen:NAME    a hash: order id, and what was last seen of it, as JSON
--
-- A claim moves its orders to the end of its lease, so that this time is the claim: whoever still finds it
-- there may write. A worker that dies leaves them there, and they are due again when it has come.
-- @module smmpanel.watch.redis

local json = require "smmpanel.util.json"
local schemas = require "smmpanel.api.schemas"

local redis_work = {}

local Work = {}
Work.__index = Work

local NOW = [[
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local function text(n) return string.format('%.0f', n) end
]]

-- KEYS: work. ARGV: ids
local ADD = NOW .. [[
  for i = 1, #ARGV - 1 do redis.call('ZADD', KEYS[1], 'NX', text(now), ARGV[i]) end
  return {}
]]

-- KEYS: work, seen. ARGV: how many, patience, lease (in microseconds). -> the lease, then id and what was
-- seen in turn; or the microseconds to wait; or nothing
local CLAIM = NOW .. [[
  local limit = tonumber(ARGV[1])
  local function due_of(place) return tonumber(redis.call('ZRANGE', KEYS[1], place, place, 'WITHSCORES')[2]) end
  local first = due_of(0)
  if not first then return {} end
  local ready = math.min(first + ARGV[2], due_of(limit - 1) or due_of(-1))
  if ready > now then return {text(ready - now)} end
  local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, limit)
  local lease = text(now + ARGV[3])
  local found = {lease}
  for i, id in ipairs(ids) do
    redis.call('ZADD', KEYS[1], 'XX', lease, id)
    found[2 * i], found[2 * i + 1] = id, redis.call('HGET', KEYS[2], id) or ''
  end
  return found
]]

-- KEYS: work. ARGV: lease, id
local HOLDS = [[
  return {tonumber(redis.call('ZSCORE', KEYS[1], ARGV[2])) == tonumber(ARGV[1]) and '1' or '0'}
]]

-- KEYS: work, seen. ARGV: lease, id, what was seen, in how many microseconds it is due ('' for never again)
local CHANGED = NOW .. [[
  if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[2])) ~= tonumber(ARGV[1]) then return {} end
  if ARGV[4] == '' then
    redis.call('ZREM', KEYS[1], ARGV[2])
    redis.call('HDEL', KEYS[2], ARGV[2])
  else
    redis.call('ZADD', KEYS[1], 'XX', text(now + ARGV[4]), ARGV[2])
    redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  end
  return {}
]]

-- KEYS: work. ARGV: lease, in how many microseconds they are due, ids
local UNCHANGED = NOW .. [[
  local due = text(now + ARGV[2])
  for i = 3, #ARGV - 1 do
    if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i])) == tonumber(ARGV[1]) then
      redis.call('ZADD', KEYS[1], 'XX', due, ARGV[i])
    end
  end
  return {}
]]

local IDS_MAX = 1000 -- in one script

--- The set of this name.
---@param run fun(script: string, keys: string[], arguments: any[]): string[]?, table?
---@param prefix string
---@param name string
---@param how? { decimals: "number"|"string"|nil }
---@return table
function redis_work.new(run, prefix, name, how)
  return setmetatable({
    run = run, keys = { prefix .. "work:" .. name, prefix .. "seen:" .. name }, decimals = how and how.decimals,
  }, Work)
end

local function microseconds(seconds)
  return ("%.0f"):format(seconds * 1e6)
end

function Work:add(ids)
  for from = 1, #ids, IDS_MAX do
    local some = {}
    for i = from, math.min(from + IDS_MAX - 1, #ids) do some[#some + 1] = tostring(ids[i]) end
    local reply, failure = self.run(ADD, { self.keys[1] }, some)
    if not reply then return nil, failure end
  end
  return true
end

function Work:claim(limit, patience, lease)
  limit = math.min(limit, IDS_MAX)
  local reply, failure = self.run(CLAIM, self.keys, { limit, microseconds(patience), microseconds(lease) })
  if not reply then return nil, failure end
  if #reply < 2 then return nil, nil, reply[1] and tonumber(reply[1]) / 1e6 end
  local claim = { lease = reply[1], ids = {}, seen = {} }
  for i = 2, #reply, 2 do
    local id, seen = reply[i], reply[i + 1]
    claim.ids[#claim.ids + 1] = id
    if seen ~= "" then claim.seen[id] = json.decode_record(seen, schemas.status, self.decimals) end
  end
  return claim
end

function Work:holds(claim, id)
  local reply, failure = self.run(HOLDS, { self.keys[1] }, { claim.lease, id })
  if not reply then return nil, failure end
  return reply[1] == "1"
end

local function done(reply, failure)
  if reply then return true end
  return nil, failure
end

function Work:changed(claim, id, seen, seconds)
  return done(self.run(CHANGED, self.keys,
    { claim.lease, id, json.encode(seen), seconds and microseconds(seconds) or "" }))
end

function Work:unchanged(claim, ids, seconds)
  local arguments = { claim.lease, microseconds(seconds) }
  for _, id in ipairs(ids) do arguments[#arguments + 1] = id end
  return done(self.run(UNCHANGED, { self.keys[1] }, arguments))
end

return redis_work
