--- cqueues. In a coroutine of a controller a call suspends it; anywhere else it blocks.
-- @module smmpanel.loop.cqueues

local cqueues = require "cqueues"
local condition = require "cqueues.condition"

local host = { name = "cqueues" }

-- A coroutine within a controller's cannot wait there: its resumer would take our yield for its own.
function host.active()
  local controller, directly = cqueues.running()
  return controller ~= nil and directly
end

local Gate = {}
Gate.__index = Gate

function Gate:open()
  self.is_open = true
  self.condition:signal()
end

function Gate:wait()
  while not self.is_open do self.condition:wait() end
end

function host.gate()
  return setmetatable({ is_open = false, condition = condition.new() }, Gate)
end

host.sleep = cqueues.sleep

function host.spawn(f, done)
  cqueues.running():wrap(function() done(pcall(f)) end)
end

--- Each controller is a loop of its own, and has its own watcher.
function host.scope()
  return (cqueues.running())
end

local ends = {} -- controller -> the condition that ends its watcher

local function watch(descriptor, step, ended)
  local readable = { pollfd = descriptor, events = "r" }
  while not ended.is_open do
    cqueues.poll(readable, ended.condition)
    step()
  end
  cqueues.cancel(descriptor)
end

function host.watch(descriptor, step, controller)
  local ended = host.gate()
  ends[controller] = ended
  controller:wrap(watch, descriptor, step, ended)
end

function host.unwatch(controller)
  ends[controller]:open()
  ends[controller] = nil
end

return host
