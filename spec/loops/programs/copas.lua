local copas = require "copas"
local scenario = require "spec.loops.support.scenario"
local sleepers = require "spec.loops.support.sleepers"

-- Copas before 2.0 has no clock: the program's own loop is one.
local host, ended = { go = copas.addthread, fork = true }, false

local parking = { insert = function() end, push = function() end }

function host.sleep(seconds)
  if copas.sleep then return copas.sleep(seconds) end
  sleepers.sleep(seconds, {}, parking)
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
  sleepers.wake(copas.addthread)
end
print "nothing left"
