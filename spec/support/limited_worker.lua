-- Requests the balance again and again under a shared rate limit: `lua limited_worker.lua URL REDIS_PORT RATE
-- SECONDS SIDE_BY_SIDE`. Prints the number of answers. Retries if Redis is away.
local blocking = require "smmpanel.loop.blocking"
local redis_clients = require "spec.support.redis"
local smmpanel = require "smmpanel"
local core = require "smmpanel.core"

local url, port, rate, seconds, side_by_side = arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4]),
  tonumber(arg[5])
local panel = smmpanel.new {
  url = url, key = "test-key", retries = 0,
  limiter = smmpanel.limiter.redis(redis_clients.at(port), { name = "test", rate = rate }),
}
local stop, answered, tasks = core.now() + seconds, 0, {}
for i = 1, side_by_side do
  tasks[i] = function()
    while core.now() < stop do
      local balance, err = panel:balance { timeout = 30 }
      if balance then
        answered = answered + 1
      elseif err.code == "limiter" then
        blocking.sleep(0.1)
      elseif err.code ~= "rate_limited" then
        error(err)
      end
    end
  end
end
smmpanel.all(tasks)
print(answered)
