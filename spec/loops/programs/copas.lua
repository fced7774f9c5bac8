local copas = require "copas"
local core = require "smmpanel.core"
local scenario = require "spec.loops.support.scenario"

-- Copas before 2.0 has no clock: the program's own loop is one.
local host, ended, sleepers = { go = copas.addthread, fork = true }, false, {}

local parking = { insert = function() end, push = function() end }

function host.sleep(seconds)
  if copas.sleep then return copas.sleep(seconds) end
  sleepers[coroutine.running()] = core.now() + seconds
  coroutine.yield({}, parking)
end

local function wake_sleepers()
  for co, at in pairs(sleepers) do
    if at <= core.now() then
      sleepers[co] = nil
      copas.addthread(co)
      return wake_sleepers()
    end
  end
end

copas.addthread(function()
  scenario.run(host)
  ended = true
end)
if copas.sleep then
  copas.addthread(function()
    while not ended do
      scenario.tick()
      copas.sleep(0.001)
    end
  end)
  copas.loop()
end
while not ended do
  copas.step(0.001)
  scenario.tick()
  wake_sleepers()
end
print "nothing left"
