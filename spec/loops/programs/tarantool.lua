local fiber = require "fiber"
local scenario = require "spec.loops.support.scenario"

local host, ended = { sleep = fiber.sleep }, false

function host.go(f)
  fiber.create(function()
    local ok, err = pcall(f)
    if not ok and not tostring(err):find "on purpose" then print(err) end
  end)
end

host.cancellable = fiber.create

function host.cancel(one) one:cancel() end

fiber.create(function()
  while not ended do
    scenario.tick()
    fiber.sleep(0.001)
  end
end)
scenario.run(host)
ended = true
local left = require "smmpanel.core".in_flight()
print(left == 0 and "nothing left" or "something is left")
os.exit(0)
