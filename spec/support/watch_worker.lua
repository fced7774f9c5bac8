-- Watches orders that are stored in a ledger: `lua watch_worker.lua URL LEDGER INTERVAL RATE`, with a Redis port or a
-- SQLite file for the ledger. A line for each change: the id and what remains; then, when all are final, the most
-- memory that the process had, in kB.
local redis_clients = require "spec.support.redis"
local smmpanel = require "smmpanel"

local url, where, interval, rate = arg[1], arg[2], tonumber(arg[3]), tonumber(arg[4])
local port = tonumber(where)
local panel = smmpanel.new {
  url = url, key = "test-key", timeout = 5, rate = not port and rate or nil,
  ledger = port and smmpanel.ledger.redis(redis_clients.at(port), { unsafe = true }) or smmpanel.ledger.sqlite(where),
  limiter = port and smmpanel.limiter.redis(redis_clients.at(port), { name = "watched", rate = rate }) or nil,
}

io.stdout:setvbuf "line"
local _, err = panel:watch(nil, { name = "all", interval = interval,
  on_change = function(id, record) print(id, record.remains) end })
if err then error(tostring(err)) end

for line in io.lines "/proc/self/status" do
  local most = line:match "^VmHWM:%s+(%d+)"
  if most then print("memory", most) end
end
