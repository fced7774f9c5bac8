package.path = love.filesystem.getWorkingDirectory() .. "/?.lua;" .. package.path

local core = require "smmpanel.core"
local scenario = require "spec.hosts.support.scenario"
local smmpanel = require "smmpanel"

local host, ended, sleepers = {}, false, {}

function host.go(f) assert(coroutine.resume(coroutine.create(f))) end

function host.sleep(seconds)
  sleepers[coroutine.running()] = core.now() + seconds
  coroutine.yield()
end

function host.cancellable(f)
  local co = coroutine.create(f)
  assert(coroutine.resume(co))
  return co
end

local function wake_sleepers()
  for co, at in pairs(sleepers) do
    if at <= core.now() then
      sleepers[co] = nil
      assert(coroutine.resume(co))
      return wake_sleepers()
    end
  end
end

function love.load()
  assert(scenario.panel():balance().currency == "USD", "outside a coroutine")
  host.go(function()
    scenario.run(host)
    ended = true
  end)
end

local frames, frame_cost, step_cost = 0, 0, 0

function love.update()
  local begun = core.now()
  local ok, err = pcall(smmpanel.step)
  local cost = core.now() - begun
  frames, step_cost = frames + 1, step_cost + cost
  frame_cost = math.max(frame_cost, cost)
  if not ok and not err:find "on purpose" then error(err, 0) end
  scenario.tick()
  wake_sleepers()
  if not ended then return end
  print(("a frame's step: %.3f ms at most, %.4f ms on average"):format(frame_cost * 1000,
    step_cost * 1000 / frames))
  print "nothing left"
  love.event.quit(0)
end
