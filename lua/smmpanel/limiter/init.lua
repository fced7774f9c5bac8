--- Limiters: a budget of requests a second that several share. The option `rate` is one for a process; a
-- limiter in Redis is one for any number of processes and machines.
--
--     smmpanel.new { …, limiter = smmpanel.limiter.redis(connect, { name = "panel.example", rate = 50 }) }
--
-- It is a queue of moments, evenly spaced: who asks is given the next free one and sleeps until then, so
-- nobody asks again and again, and who asks first goes first. Where that moment lies beyond the caller's
-- deadline, none is taken.
--
-- **A limiter of your own** is a table with two methods:
--
--     limiter:reserve(longest, moment)
--         The next moment, at most `longest` seconds away. Returns the seconds until then and the moment: the
--         caller brings it back when it has come, and 0 then says that it still holds; where a hold came in
--         between, it is given another. Returns nil where the next moment is too far away, and
--         nil, { code, message } where it cannot be asked.
--     limiter:hold(seconds)
--         Nobody has a moment before that: the panel said 429 with Retry-After. Returns true, or
--         nil, { code, message }.
-- @module smmpanel.limiter

local limiter = {}

--- A budget kept in Redis.
---@param client table|fun(): table a redis-lua or lua-resty-redis client, or a function that connects
---@param options smmpanel.RedisLimiterOptions
---@return smmpanel.Limiter
function limiter.redis(client, options)
  return require("smmpanel.limiter.redis").new(client, options)
end

---@class smmpanel.Limiter
---@field reserve fun(self, longest: number, moment: any?): number?, any
---@field hold fun(self, seconds: number): true?, table?

return limiter
