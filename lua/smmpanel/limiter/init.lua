--- Limiters: shared rate limits. The option `rate` limits one process; a limiter in Redis limits any number of
-- processes and machines together.
--
--     smmpanel.new { …, limiter = smmpanel.limiter.redis(connect, { name = "panel.example", rate = 50 }) }
--
-- A limiter gives evenly spaced slots. The callers of one process wait in one line, and only the first of them
-- asks the limiter: processes that wait get their slots in the order in which they asked.
--
-- **A custom limiter** is a table with two methods:
--
--     limiter:reserve(longest, slot)
--         Reserves the next slot, at most `longest` seconds away (which may be math.huge). Returns the seconds until
--         the slot, and the slot, a value of any type. The caller sleeps and passes the slot back: the result is 0
--         if the slot is still valid. Otherwise (a hold came in between, or the caller was suspended and is late) the
--         result is another slot. Returns nil if the next slot is too far away, and nil, { code, message } if the
--         limiter fails.
--     limiter:hold(seconds)
--         Blocks all slots for that time: the panel answered 429 with Retry-After. Returns true, or
--         nil, { code, message }.
--
-- and optionally the field `spacing`, the seconds between two slots. With it, a call that cannot get a slot before its
-- deadline fails immediately.
-- @module smmpanel.limiter

local limiter = {}

--- Makes a rate limit in Redis.
---@param client table|fun(): table a redis-lua or lua-resty-redis client, or a function that connects
---@param options smmpanel.RedisLimiterOptions
---@return smmpanel.Limiter
function limiter.redis(client, options)
  return require("smmpanel.limiter.redis").new(client, options)
end

---@class smmpanel.Limiter
---@field reserve fun(self, longest: number, slot: any?): number?, any
---@field hold fun(self, seconds: number): true?, table?
---@field spacing? number seconds between two slots

return limiter
