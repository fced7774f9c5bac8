-- Every call, in a generator inside a coroutine of luv. Prints a line for each: its name and the consumer's result.
local uv = require "luv"
local scenario = require "spec.loops.support.scenario"
local smmpanel = require "smmpanel"

local ORDER = { service = 1, link = "https://example.com/x", quantity = 100 }
local EIGHT = { 1, 2, 3, 4, 5, 6, 7, 8 }

local function ignore() end

local calls = {
  add = function(panel) return panel:add(ORDER) end,
  add_with_a_ref = function(panel) return panel:add(ORDER, { ref = "a ref" }) end,
  add_all = function(panel) return panel:add_all({ { ref = "1", order = ORDER }, { ref = "2", order = ORDER } }) end,
  refill = function(panel) return panel:refill(23501) end,
  cancel = function(panel) return panel:cancel { 23501, 23502 } end,
  status_in_batches = function(panel) return panel:status(EIGHT, { batch_size = 2 }) end,
  call = function(panel) return panel:call("add", ORDER) end,
  watch = function(panel) return panel:watch(EIGHT, { on_change = ignore }) end,
  all = function(panel)
    return smmpanel.all { function() return panel:balance() end, function() return panel:add(ORDER) end }
  end,
}

local function panel_for(name)
  return scenario.panel("latency:0.01&name=" .. name, { ledger = smmpanel.ledger.sqlite(os.getenv "SPEC_LEDGER") })
end

-- One consumer ignores the row, one uses it, one starts the coroutine and continues.
local consumers = {}

function consumers.skips(generator) for _ in generator do ignore() end end

function consumers.uses(generator)
  for row in generator do ignore(row.order) end
end

function consumers.starts(generator) generator() end

local function sleep(seconds)
  local co, timer = coroutine.running(), uv.new_timer()
  timer:start(seconds * 1000, 0, function()
    timer:close()
    assert(coroutine.resume(co))
  end)
  coroutine.yield()
end

local function run(how, name)
  local panel = panel_for(how .. "_" .. name)
  local ok, err = pcall(consumers[how], coroutine.wrap(function() coroutine.yield(calls[name](panel)) end))
  print(how, name, ok and "ok" or err)
end

coroutine.wrap(function()
  for name in pairs(calls) do
    for _, how in ipairs { "skips", "uses" } do run(how, name) end
  end
  run("starts", "add")
  sleep(0.1) -- the scheduler has its turns
  print("pending", #panel_for("pending"):pending())
  print("after", panel_for("after"):add(ORDER, { ref = "a ref" }))
end)()
uv.run()
