--- A ledger in Redis. Each step is one script, so it happens as a whole; what it touches:
--
--     PREFIX ref:REF      a hash. Open: f fingerprint, t token, s since, u until (both in ms), o what was
--                         ordered. Settled: f, a (the answer).
--     PREFIX pending      a sorted set of the open refs, all of score 0: by name
--     PREFIX work:NAME    orders to be watched, and PREFIX seen:NAME: see smmpanel.ledger.redis_work
--
-- Open entries never expire; settled ones do after the option `expire`, if it is given: a ref used again
-- after that is ordered again. The default prefix has a hash tag, so that a cluster keeps all of it in one
-- slot. Redis must not lose what it said it has: `appendonly yes`, `appendfsync always`, `maxmemory-policy
-- noeviction`; and with replicas to fail over to, the option `replicas`.
-- @module smmpanel.ledger.redis

local checks = require "smmpanel.util.checks"
local redis = require "smmpanel.util.redis"

local store = {}

local Store = {}
Store.__index = Store

-- KEYS: the ref's, pending. In all of them ARGV[1] is the ref.

local NOW = [[
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
]]

-- ARGV: ref, token, fingerprint, wanted, milliseconds
local TAKE = NOW .. [[
  local f, t, a, u = unpack(redis.call('HMGET', KEYS[1], 'f', 't', 'a', 'u'))
  if not f and not a then
    if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return {'uncertain'} end
    redis.call('HSET', KEYS[1], 'f', ARGV[3], 't', ARGV[2], 'o', ARGV[4],
      's', string.format('%.0f', now), 'u', string.format('%.0f', now + ARGV[5]))
    redis.call('ZADD', KEYS[2], 0, ARGV[1])
    return {'taken'}
  end
  if t == ARGV[2] then return {'taken'} end
  if f and f ~= ARGV[3] then return {'mismatch'} end
  if a then return {'done', a} end
  local left = (tonumber(u) or 0) - now
  if left > 0 then return {'sending', string.format('%.0f', left)} end
  return {'uncertain'}
]]

-- Both of KEEP and RESOLVE: an entry becomes a settled one. -> expire in seconds, 0 for never
local SETTLE = [[
  local function settle(answer, expire)
    redis.call('HSET', KEYS[1], 'a', answer)
    redis.call('HDEL', KEYS[1], 't', 's', 'u', 'o')
    redis.call('ZREM', KEYS[2], ARGV[1])
    if tonumber(expire) > 0 then redis.call('EXPIRE', KEYS[1], expire) end
  end
]]

-- ARGV: ref, token, fingerprint, answer, expire
local KEEP = SETTLE .. [[
  local t, a = unpack(redis.call('HMGET', KEYS[1], 't', 'a'))
  if a and a ~= ARGV[4] then return {'settled', a} end
  if a then return {'kept'} end
  if t and t ~= ARGV[2] then return {'conflict'} end
  redis.call('HSET', KEYS[1], 'f', ARGV[3])
  settle(ARGV[4], ARGV[5])
  return {'kept'}
]]

-- ARGV: ref, token
local FREE = [[
  if redis.call('HGET', KEYS[1], 't') == ARGV[2] then
    redis.call('DEL', KEYS[1])
    redis.call('ZREM', KEYS[2], ARGV[1])
  end
  return {'freed'}
]]

-- ARGV: ref, token
local DOUBT = [[
  if redis.call('HGET', KEYS[1], 't') == ARGV[2] then redis.call('HSET', KEYS[1], 'u', '0') end
  return {'doubted'}
]]

-- ARGV: ref, answer ('' for none), expire
local RESOLVE = NOW .. SETTLE .. [[
  local f, a, u = unpack(redis.call('HMGET', KEYS[1], 'f', 'a', 'u'))
  if a then return {'settled', a} end
  if not f and not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return {'unknown'} end
  if ARGV[2] ~= '' then
    settle(ARGV[2], ARGV[3])
    return {'resolved'}
  end
  local left = (tonumber(u) or 0) - now
  if left > 0 then return {'sending', string.format('%.0f', left)} end
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return {'resolved'}
]]

-- KEYS: pending. ARGV: from which ref on, how many, the prefix of the refs' keys
local PENDING = NOW .. [[
  local found = {}
  for _, ref in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
    local s, u, o = unpack(redis.call('HMGET', ARGV[3] .. ref, 's', 'u', 'o'))
    for _, value in ipairs({ ref, s or '', string.format('%.0f', (tonumber(u) or 0) - now), o or '' }) do
      found[#found + 1] = value
    end
  end
  return found
]]

local PAGE = 500 -- pending refs in one answer

local OPTIONS = {
  prefix = checks.line,
  expire = checks.integer(1, 1e10),
  replicas = checks.integer(0, 100),
}

---@class smmpanel.RedisLedgerOptions
---@field prefix? string of all keys (`{smmpanel}:`)
---@field expire? integer seconds that a settled ref is remembered (always)
---@field replicas? integer how many of Redis' replicas must have a step before it counts (0)

--- A ledger in Redis.
---@param client table|fun(): table
---@param options? smmpanel.RedisLedgerOptions
---@return smmpanel.Ledger
function store.new(client, options)
  local where = "smmpanel.ledger.redis"
  options = checks.options(where, options or {}, OPTIONS)
  return setmetatable({
    run = redis.runner(where, client, options.replicas), prefix = options.prefix or "{smmpanel}:",
    expire = ("%.0f"):format(options.expire or 0),
  }, Store)
end

local function step(self, script, ref, ...)
  local keys = { self.prefix .. "ref:" .. ref, self.prefix .. "pending" }
  local reply, failure = self.run(script, keys, { ref, ... })
  if not reply then return nil, failure end
  return reply[1], reply[2]
end

-- "sending" comes with milliseconds.
local function in_seconds(state, more)
  if state == "sending" then more = tonumber(more) / 1000 end
  return state, more
end

function Store:take(entry)
  local milliseconds = ("%.0f"):format(math.ceil(entry.seconds * 1000))
  return in_seconds(step(self, TAKE, entry.ref, entry.token, entry.fingerprint, entry.wanted, milliseconds))
end

function Store:keep(entry, answer)
  return step(self, KEEP, entry.ref, entry.token, entry.fingerprint, answer, self.expire)
end

local function done(state, failure)
  if state then return true end
  return nil, failure
end

function Store:free(entry)
  return done(step(self, FREE, entry.ref, entry.token))
end

function Store:doubt(entry)
  return done(step(self, DOUBT, entry.ref, entry.token))
end

function Store:resolve(ref, answer)
  return in_seconds(step(self, RESOLVE, ref, answer or "", self.expire))
end

local function pending_entry(ref, since, left, wanted)
  left = tonumber(left) / 1000
  return {
    ref = ref, state = left > 0 and "sending" or "uncertain", left = math.max(0, left),
    since = since ~= "" and tonumber(since) / 1000 or nil, wanted = wanted ~= "" and wanted or nil,
  }
end

function Store:pending()
  local keys, list, from = { self.prefix .. "pending" }, {}, "-"
  while true do
    local page, failure = self.run(PENDING, keys, { from, PAGE, self.prefix .. "ref:" })
    if not page then return nil, failure end
    for i = 1, #page, 4 do
      list[#list + 1] = pending_entry(page[i], page[i + 1], page[i + 2], page[i + 3])
    end
    if #page < PAGE * 4 then return list end
    from = "(" .. list[#list].ref
  end
end

--- The orders to be watched under a name, shared by all who ask for it: see smmpanel.work.
---@param name string
---@param how? { decimals: "number"|"string"|nil }
---@return table
function Store:work(name, how)
  return require("smmpanel.watch.redis").new(self.run, self.prefix, name, how)
end

return store
