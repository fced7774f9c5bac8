-- What several coroutines do at once, counted. The program's own code may be suspended anywhere too, so each function
-- counts in a place of its own.
local haproxy = core
local scenario = require "spec.loops.support.scenario"
local smmpanel = require "smmpanel"

local COUNT = 100

local function times_run()
  local runs, functions = {}, {}
  for i = 1, COUNT do
    runs[i] = 0
    functions[i] = function() runs[i] = runs[i] + 1 end
  end
  smmpanel.all(functions)
  return table.concat(runs)
end

local function entries(panel)
  local ids, count = {}, 0
  for i = 1, COUNT do ids[i] = 800000 + i end
  for _ in pairs(panel:status(ids, { batch_size = 2 })) do count = count + 1 end
  return count
end

local function placed(panel)
  local orders, count = {}, 0
  for i = 1, COUNT do
    orders[i] = { ref = "ref " .. i, order = { service = 1, link = "https://example.com/" .. i, quantity = 100 } }
  end
  for _, result in pairs(assert(panel:add_all(orders, { concurrency = 20 }))) do
    if result.order then count = count + 1 end
  end
  return count
end

haproxy.register_task(function()
  haproxy.msleep(1)
  local panel = scenario.panel("latency:0.01&name=interrupted", {
    ledger = smmpanel.ledger.sqlite(os.getenv "SPEC_LEDGER"),
  })
  print("all", pcall(times_run))
  print("status", pcall(entries, panel))
  print("add_all", pcall(placed, panel))
  io.stdout:flush()
  os.exit(0)
end)
