-- Plain Lua without an event loop: several calls and a batch nevertheless run concurrently.
--
--   SMMPANEL_URL=… SMMPANEL_KEY=… lua5.4 examples/plain/main.lua
local smmpanel = require "smmpanel"

local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY" }

local results, errs = smmpanel.all {
  balance = function() return panel:balance() end,
  services = function() return panel:services() end,
  orders = function() return panel:status { 1, 2, 100 } end,
}
print("balance", results.balance and results.balance.balance or errs.balance)
print("services", results.services and #results.services or errs.services)
for id, record in pairs(results.orders) do print("order " .. id, record.status or record.error) end
