--- Plain Lua, without any loop. Whoever waits first from outside turns the crank: it runs what was spawned
-- and waits on the engine's descriptor for all of them. A foreign coroutine cannot be suspended here
-- (nobody would resume it), so a call in one blocks.
-- @module smmpanel.loop.blocking

local core = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"
local suspendable = require "smmpanel.loop.suspendable"

local blocking = { name = "blocking" }

local LONGEST_WAIT = 60 -- seconds; only a bound for poll()

local done_of = {} -- our coroutines, until they end -> done
local ready, first, last = {}, 1, 0 -- our coroutines to be resumed, in order: ready[first] to ready[last]
local sleepers = {} -- signal -> when it opens by itself

local function resume(co)
  local ok, err = coroutine.resume(co)
  if coroutine.status(co) ~= "dead" then return end
  local done = done_of[co]
  done_of[co] = nil
  done(ok, err)
end

-- Those that become ready meanwhile have their turn in the next round. Each is taken out when its turn comes:
-- Ctrl-C, which throws in the middle of this, loses none of the others.
local function run_ready()
  local until_here = last
  while first <= until_here do
    local co = ready[first]
    ready[first], first = nil, first + 1
    resume(co)
  end
end

local function make_ready(co)
  last = last + 1
  ready[last] = co
end

-- Opens what is due; -> the seconds until the next one is, 0 where one was opened: someone may go on then.
local function wake_sleepers()
  local now, pause = core.now(), LONGEST_WAIT
  for signal, at in pairs(sleepers) do
    pause = math.max(0, math.min(pause, at - now))
    if at <= now then signal:open() end
  end
  return pause
end

local function turn()
  local pause = wake_sleepers()
  -- In nginx the dispatcher may have the descriptor: then it is by the clock.
  if not dispatch.is_idle() and core.descriptor() < 0 then pause = math.min(pause, 0.002) end
  if first > last and pause > 0 then core.wait(pause) end
  dispatch.step()
  run_ready()
end

function blocking.active() return true end

local Signal = {}
Signal.__index = Signal

function Signal:open()
  if self.is_open then return end
  self.is_open = true
  sleepers[self] = nil
  if self.waiting then make_ready(self.waiting) end
end

function Signal:wait()
  local co = coroutine.running() or false
  if done_of[co] and not self.is_open and suspendable.here() then
    self.waiting = co
    coroutine.yield()
  end
  while not self.is_open do turn() end
end

function blocking.signal()
  return setmetatable({ is_open = false }, Signal)
end

function blocking.sleep(seconds)
  local signal = blocking.signal()
  sleepers[signal] = core.now() + seconds
  signal:wait()
end

function blocking.spawn(f, done)
  local co = coroutine.create(f)
  done_of[co] = done
  make_ready(co)
end

return blocking
