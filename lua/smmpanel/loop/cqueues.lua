--- cqueues. In a coroutine of a controller a call suspends it; elsewhere it blocks.
-- @module smmpanel.loop.cqueues

local cqueues = require "cqueues"
local condition = require "cqueues.condition"

local loop = { name = "cqueues" }

-- A coroutine that was created inside a controller's coroutine cannot wait: its resumer would misinterpret our yield.
function loop.active(suspendable)
  local controller, directly = cqueues.running()
  return suspendable and controller ~= nil and directly
end

local Signal = {}
Signal.__index = Signal

function Signal:open()
  self.is_open = true
  self.condition:signal()
end

function Signal:wait()
  while not self.is_open do self.condition:wait() end
end

function loop.signal()
  return setmetatable({ is_open = false, condition = condition.new() }, Signal)
end

loop.sleep = cqueues.sleep

function loop.spawn(f, done)
  cqueues.running():wrap(function() done(pcall(f)) end)
end

--- Each controller is a separate loop with its own watcher.
function loop.scope()
  return (cqueues.running())
end

local ends = {} -- controller -> the condition variable that ends its watcher

local function watch(descriptor, step, ended)
  local readable = { pollfd = descriptor, events = "r" }
  while not ended.is_open do
    cqueues.poll(readable, ended.condition)
    step()
  end
  cqueues.cancel(descriptor)
end

function loop.watch(descriptor, step, controller)
  local ended = loop.signal()
  ends[controller] = ended
  controller:wrap(watch, descriptor, step, ended)
end

function loop.unwatch(controller)
  ends[controller]:open()
  ends[controller] = nil
end

return loop
