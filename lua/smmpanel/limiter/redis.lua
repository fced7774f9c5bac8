--- A budget of requests a second in Redis, by Redis' own clock, so that the machines' clocks need not agree.
-- One key, `PREFIX limiter:NAME`: `next`, the first free moment, and `hold`, before which nobody sends (both
-- microseconds since 1970). It expires when it says nothing any more.
-- @module smmpanel.limiter.redis

local checks = require "smmpanel.util.checks"
local redis = require "smmpanel.util.redis"
local argerror = require "smmpanel.util.argerror"

local limiter = {}

local Limiter = {}
Limiter.__index = Limiter

local STATE = [[
  local time = redis.call('TIME')
  local now = time[1] * 1000000 + time[2]
  local free, hold = unpack(redis.call('HMGET', KEYS[1], 'next', 'hold'))
  free, hold = tonumber(free) or 0, tonumber(hold) or 0
  local function keep(name, at)
    redis.call('HSET', KEYS[1], name, string.format('%.0f', at))
    local last = math.max(free, hold, at) - now
    redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last / 1000 + 10000))
  end
]]

-- ARGV, in microseconds: the spacing, the longest wait, the moment the caller has ('' for none)
local RESERVE = STATE .. [[
  if ARGV[3] ~= '' and hold <= tonumber(ARGV[3]) then return {'0', ARGV[3]} end
  local at = math.max(now, free, hold)
  if at - now >= tonumber(ARGV[2]) then return {} end
  keep('next', at + ARGV[1])
  return {string.format('%.0f', at - now), string.format('%.0f', at)}
]]

-- ARGV: microseconds
local HOLD = STATE .. [[
  if now + ARGV[1] > hold then keep('hold', now + ARGV[1]) end
  return {}
]]

local OPTIONS = { name = checks.line, rate = checks.rate, prefix = checks.line }

---@class smmpanel.RedisLimiterOptions
---@field name string the budget's: one for each key of a panel
---@field rate number requests a second, all together
---@field prefix? string of the key (`{smmpanel}:`)

--- A budget kept in Redis.
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
    spacing = ("%.0f"):format(1e6 / options.rate),
  }, Limiter)
end

local function microseconds(seconds)
  return ("%.0f"):format(math.min(seconds, 1e9) * 1e6)
end

function Limiter:reserve(longest, moment)
  local arguments = { self.spacing, microseconds(longest), moment or "" }
  local reply, failure = self.run(RESERVE, { self.key }, arguments)
  if not reply then return nil, failure end
  if not reply[1] then return nil end
  return tonumber(reply[1]) / 1e6, reply[2]
end

function Limiter:hold(seconds)
  local reply, failure = self.run(HOLD, { self.key }, { microseconds(seconds) })
  if not reply then return nil, failure end
  return true
end

return limiter
