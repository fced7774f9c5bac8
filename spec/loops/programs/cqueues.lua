local cqueues = require "cqueues"
local scenario = require "spec.loops.support.scenario"

local controller = cqueues.new()
local host = { sleep = cqueues.sleep, fork = true }

-- An error in a coroutine ends the controller's loop; it can be entered again.
function host.go(f) controller:wrap(f) end

local ended
controller:wrap(function()
  scenario.run(host)
  ended = true
end)
controller:wrap(function()
  while not ended do
    scenario.tick()
    cqueues.sleep(0.001)
  end
end)
repeat
  local ok = controller:loop()
until ok
print(controller:empty() and "nothing left" or "the loop has something left")
