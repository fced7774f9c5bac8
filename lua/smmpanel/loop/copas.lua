--- Copas, all versions. In a coroutine a call suspends it; outside of one it blocks.
-- @module smmpanel.loop.copas

local copas = require "copas"
local core = require "smmpanel.core"
local resumer = require "smmpanel.loop.resumer"

local loop = { name = "copas" }

-- PUC Lua 5.1 cannot yield through its own pcall; Copas has one that can.
local has_own, own = pcall(require, "coxpcall")
local protected = has_own and own.pcall or pcall
local running = has_own and own.running or coroutine.running

function loop.active(suspendable)
  return suspendable and copas.running ~= false
end

-- Copas 2 can pause and wake a coroutine. Older versions insert a coroutine that yields into the queue that it yields:
-- our queue stores the coroutine, and addthread resumes it.
local has_sleep = copas.sleep ~= nil and copas.wakeup ~= nil
local sleep_until_wakeup = copas.pauseforever or function() copas.sleep(-1) end

-- ---- whether Copas resumes the coroutine ----------------------------------------------------------------

local known = setmetatable({}, { __mode = "k" }) -- coroutines that Copas resumes

-- Only Copas pushes the coroutine into the queue.
local function is_pushed()
  local pushed = false
  local queue = { insert = function() end }
  function queue.push(_, _, co)
    pushed = true
    copas.addthread(co)
  end
  coroutine.yield(resumer.waits, queue)
  return pushed
end

-- The consumer of a generator gets the number -1 and resumes the coroutine before the thread wakes it.
local function is_woken()
  local co, woken = running(), false
  copas.addthread(function()
    copas.sleep(0)
    woken = true
    copas.wakeup(co) -- no effect unless Copas has suspended it
  end)
  sleep_until_wakeup()
  return woken
end

function loop.check_resumer()
  local co = running()
  if known[co] then return end
  local ours = has_sleep and is_woken or is_pushed
  if not ours() then resumer.refuse() end
  known[co] = true
end

-- ---- waiting --------------------------------------------------------------------------------------------

local Signal = {}
Signal.__index = Signal

local function park(signal)
  local parking = { insert = function() end, push = function(_, _, co) signal.waiting = co end }
  coroutine.yield(resumer.waits, parking)
  if not signal.is_open then resumer.refuse() end
end

local function sleep_until_woken(signal)
  while not signal.is_open do
    signal.waiting = running()
    sleep_until_wakeup()
  end
end

function Signal:wait()
  if self.is_open then return end
  if has_sleep then sleep_until_woken(self) else park(self) end
end

function Signal:open()
  self.is_open = true
  local co = self.waiting
  self.waiting = nil
  if not co or coroutine.status(co) ~= "suspended" then return end
  if has_sleep then copas.wakeup(co) else copas.addthread(co) end
end

function loop.signal()
  return setmetatable({ is_open = false }, Signal)
end

function loop.spawn(f, done)
  copas.addthread(function() done(protected(f)) end)
end

-- ---- one coroutine that watches the descriptor and, if Copas has no timers, the sleepers ----------------

local watching -- the descriptor, while requests are in flight
local step_engine
local sleepers = {} -- signal -> the time at which it opens
local attendant -- true while that coroutine runs

-- Collects the due signals before it opens them, because opening one resumes a coroutine, which may sleep again.
local function open_due()
  local now, due = core.now(), {}
  for signal, at in pairs(sleepers) do
    if at <= now then due[#due + 1] = signal end
  end
  for _, signal in ipairs(due) do
    sleepers[signal] = nil
    signal:open()
  end
end

-- A stand-in for a socket: select() calls it for its descriptor, copas.receive for a line.
local socket = {}

function socket.getfd() return watching or core.descriptor() end

-- An old Copas waits only for sockets. So while coroutines sleep, the stand-in waits a moment and then reports that it
-- is readable.
function socket.dirty()
  if next(sleepers) == nil then return false end
  core.wait(0.001)
  return true
end

function socket.settimeout() end

function socket.close() end

function socket.receive()
  if step_engine then step_engine() end
  open_due()
  if watching or next(sleepers) ~= nil then return nil, "timeout" end
  return ""
end

local function attend()
  if attendant then return end
  attendant = true
  copas.addthread(function()
    copas.receive(socket, 1)
    attendant = false
  end)
end

function loop.sleep(seconds)
  if has_sleep then return copas.sleep(seconds) end
  local signal = loop.signal()
  sleepers[signal] = core.now() + seconds
  attend()
  signal:wait()
end

function loop.watch(descriptor, step)
  watching, step_engine = descriptor, step
  attend()
end

function loop.unwatch()
  watching = nil
end

return loop
