--- A rate limit in Redis, by Redis' clock, so that the machines' clocks need not agree. Its one key is
-- `PREFIX limiter:NAME`, a hash of times in microseconds since 1970: `next`, the first free slot; `hold`, the time
-- before which no request starts; `last`, the last run of a script. If `last` is in the future, Redis' clock was set
-- back, and the other two are moved back by the same amount. The key expires when it has no effect any more.
-- @module smmpanel.limiter.redis

local checks = require "smmpanel.util.checks"
local redis = require "smmpanel.util.redis"
local argerror = require "smmpanel.util.argerror"

local limiter = {}

local Limiter = {}
Limiter.__index = Limiter

-- Microseconds for which a slot stays valid after its time: see smmpanel.limiter.local.
local LATE = 25000

local STATE = [[
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local free, hold, last = unpack(redis.call('HMGET', KEYS[1], 'next', 'hold', 'last'))
  local back = math.max(0, (tonumber(last) or 0) - now)
  free, hold = (tonumber(free) or 0) - back, (tonumber(hold) or 0) - back
  local function text(n) return string.format('%.0f', n) end
  local function save()
    redis.call('HSET', KEYS[1], 'next', text(free), 'hold', text(hold), 'last', text(now))
    redis.call('PEXPIRE', KEYS[1], text((math.max(free, hold, now) - now) / 1000 + 10000))
  end
]]

-- ARGV, in microseconds: the spacing, the longest wait, the caller's slot ('' for none), LATE. A slot beyond the last
-- reserved one is from before the clock was set back.
local RESERVE = STATE .. [[
  local slot, late = tonumber(ARGV[3]), tonumber(ARGV[4])
  local given = slot and slot < free and slot
  if given and hold <= given and now - given <= late then
    return {text(math.max(0, given - now)), ARGV[3]}
  end
  local at = math.max(free >= now - late and free or now, hold)
  if at - now >= tonumber(ARGV[2]) then return {} end
  free = at + ARGV[1]
  save()
  return {text(math.max(0, at - now)), text(at)}
]]

-- ARGV: microseconds
local HOLD = STATE .. [[
  hold = math.max(hold, now + ARGV[1])
  save()
  return {}
]]

local OPTIONS = { name = checks.line, rate = checks.rate, prefix = checks.line }

---@class smmpanel.RedisLimiterOptions
---@field name string name of the limit; use one for each API key of a panel
---@field rate number requests per second, for all processes together
---@field prefix? string prefix of the Redis key (`{smmpanel}:`)

--- Makes a rate limit in Redis.
---@param client table|fun(): table
---@param options smmpanel.RedisLimiterOptions
---@return smmpanel.Limiter
function limiter.new(client, options)
  local where = "smmpanel.limiter.redis"
  options = checks.options(where, options or {}, OPTIONS)
  for _, name in ipairs { "name", "rate" } do
    if options[name] == nil then argerror.throw(where, "the option '%s' is missing", name) end
  end
  return setmetatable({
    run = redis.runner(where, client), key = (options.prefix or "{smmpanel}:") .. "limiter:" .. options.name,
    spacing = 1 / options.rate,
  }, Limiter)
end

local function microseconds(seconds)
  return ("%.0f"):format(math.min(seconds, 1e9) * 1e6)
end

--- See smmpanel.limiter.
---@param longest number seconds
---@param slot? string from an earlier call
---@return number? seconds
---@return any slot, or the failure
function Limiter:reserve(longest, slot)
  local arguments = { microseconds(self.spacing), microseconds(longest), slot or "", LATE }
  local reply, failure = self.run(RESERVE, { self.key }, arguments)
  if not reply then return nil, failure end
  if not reply[1] then return nil end
  return tonumber(reply[1]) / 1e6, reply[2]
end

--- See smmpanel.limiter.
---@param seconds number
---@return true?
---@return { code: string, message: string }? failure
function Limiter:hold(seconds)
  local reply, failure = self.run(HOLD, { self.key }, { microseconds(seconds) })
  if not reply then return nil, failure end
  return true
end

return limiter
