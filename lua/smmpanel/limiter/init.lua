--- Limiters: a rate limit that several share. The option `rate` is one for a process; a limiter in Redis is one
-- for any number of processes and machines.
--
--     smmpanel.new { …, limiter = smmpanel.limiter.redis(connect, { name = "panel.example", rate = 50 }) }
--
-- A limiter gives evenly spaced slots. The callers of one process wait in one line, and only the first of them
-- asks the limiter: processes that wait get their slots in the order in which they asked.
--
-- **A limiter of your own** is a table with two methods:
--
--     limiter:reserve(longest, slot)
--         Reserves the next slot, at most `longest` seconds away (which may be math.huge). Returns the seconds until
--         then and the slot, any value: the caller sleeps, passes it back and gets 0 if it still holds. If it does
--         not (a hold came in between, or the caller was stopped and is late), it gets another slot. Returns nil
--         where the next slot is too far away, and nil, { code, message } where the limiter fails.
--     limiter:hold(seconds)
--         No slot comes before that: the panel answered 429 with Retry-After. Returns true, or
--         nil, { code, message }.
--
-- and optionally the field `spacing`, the seconds between two slots: a call that cannot get one before its deadline
-- then fails at once.
-- @module smmpanel.limiter

local limiter = {}

--- A rate limit in Redis.
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
