--- Tarantool. A call suspends only its fiber, also inside C functions, as a fiber has its own stack. It blocks only
-- in a finalizer or a debug hook.
-- @module smmpanel.loop.tarantool

local fiber = require "fiber"
local socket = require "socket"
local argerror = require "smmpanel.util.argerror"
local suspendable = require "smmpanel.loop.suspendable"

local box = rawget(_G, "box")
local loop = { name = "tarantool" }

local DAY_SECONDS = 24 * 60 * 60

local function is_in_transaction()
  local is_in_txn = rawget(box, "is_in_txn")
  return is_in_txn ~= nil and is_in_txn()
end

function loop.active()
  if is_in_transaction() then
    argerror.throw("smmpanel", "a call waits for its answer, which would abort the transaction: make it before " ..
      "box.begin() or after box.commit()")
  end
  return not suspendable.is_in_hook_or_finalizer()
end

local Signal = {}
Signal.__index = Signal

function Signal:open()
  self.is_open = true
  self.condition:broadcast()
end

-- Throws if the fiber is cancelled.
function Signal:wait()
  while not self.is_open do self.condition:wait() end
end

function loop.signal()
  return setmetatable({ is_open = false, condition = fiber.cond() }, Signal)
end

loop.sleep = fiber.sleep

function loop.spawn(f, done)
  fiber.create(function() done(pcall(f)) end)
end

local watcher -- { fiber, is_over }, while requests are in flight

local function watch(self, descriptor, step)
  while not self.is_over do
    socket.iowait(descriptor, "R", DAY_SECONDS)
    local ok, thrown = pcall(step)
    if not ok then require "log".error("smmpanel: %s", tostring(thrown)) end
  end
end

function loop.unwatch()
  watcher.is_over = true
  if watcher.fiber ~= fiber.self() then watcher.fiber:wakeup() end
  watcher = nil
end

function loop.watch(descriptor, step)
  if watcher then loop.unwatch() end -- the watcher of an old descriptor, after a fork
  watcher = { is_over = false }
  watcher.fiber = fiber.new(watch, watcher, descriptor, step)
  watcher.fiber:name("smmpanel")
end

return loop
