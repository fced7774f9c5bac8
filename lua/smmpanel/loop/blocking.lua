--- Plain Lua, without an event loop. The first caller that waits drives the loop: it resumes the spawned coroutines and
-- polls the engine's descriptor for all of them. A coroutine of the program is never suspended, because nothing would
-- resume it, so a call in one blocks.
-- @module smmpanel.loop.blocking

local core = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"
local suspendable = require "smmpanel.loop.suspendable"

local blocking = { name = "blocking" }

local LONGEST_WAIT = 60 -- seconds; a bound for poll()

local done_of = {} -- spawned coroutine -> done, until it ends
local ready, first, last = {}, 1, 0 -- spawned coroutines to resume, in order: ready[first] to ready[last]
local sleepers = {} -- signal -> the time at which it opens

local function resume(co)
  local ok, err = coroutine.resume(co)
  if coroutine.status(co) ~= "dead" then return end
  local done = done_of[co]
  done_of[co] = nil
  done(ok, err)
end

-- Resumes the ready coroutines. Those that become ready meanwhile are resumed in the next round. Each is removed right
-- before it is resumed, so that Ctrl-C, which may throw in between, does not lose the others.
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

-- Opens the due signals. -> the seconds until the next is due; 0 if one was opened, because a coroutine may be ready
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
