-- Places 25 orders whose refs other processes use at the same time: `lua once_worker.lua URL KEY sqlite PATH`, or `...
-- redis PORT PREFIX`. Prints a line for each.
local redis_clients = require "spec.support.redis"
local smmpanel = require "smmpanel"

local url, key, kind = arg[1], arg[2], arg[3]
local ledger = kind == "sqlite" and smmpanel.ledger.sqlite(arg[4])
  or smmpanel.ledger.redis(redis_clients.at(tonumber(arg[4])), { prefix = arg[5] })
local panel = smmpanel.new { url = url, key = key, ledger = ledger }

for i = 1, 25 do
  local order = { service = 1, link = "https://example.com/two/" .. i, quantity = 100 }
  local made, err = panel:add(order, { ref = "r" .. i })
  print(made and "order " .. made.order or err.code)
end
