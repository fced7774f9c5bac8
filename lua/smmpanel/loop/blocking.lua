--- Plain Lua, without an event loop. The first caller that waits drives the loop: it resumes the spawned coroutines and
-- polls the engine's descriptor for all of them. A coroutine of the program is never suspended, because nothing would
-- resume it, so a call in one blocks.
-- @module smmpanel.loop.blocking

local core = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"
local suspendable = require "smmpanel.loop.suspendable"

local blocking = { name = "blocking" }

local LONGEST_WAIT = 60 -- seconds; a bound for poll()

-- Ctrl-C may throw between any two instructions of the main program. So an entry is removed only after it was handled,
-- and may be handled twice: a coroutine may be resumed without a reason, and `done` may be called again.
local tasks = {} -- spawned coroutine -> { done, ok, err }, until done was called
local ready, first, last = {}, 1, 0 -- spawned coroutines to resume, in order: ready[first] to ready[last], with gaps
local sleepers = {} -- signal -> the time at which it opens

local function resume(co)
  local task = tasks[co]
  if not task then return end
  if coroutine.status(co) == "suspended" then
    local ok, err = coroutine.resume(co)
    if not ok then task.err = err end
  end
  if coroutine.status(co) ~= "dead" then return end
  task.done(task.ok, task.err)
  tasks[co] = nil
end

-- Resumes the ready coroutines. Those that become ready meanwhile are resumed in the next round. If one of them blocks,
-- it runs further rounds inside this one.
local function run_ready()
  local until_here = last
  while first <= until_here do
    local here = first
    if ready[here] then resume(ready[here]) end
    ready[here] = nil
    first = math.max(first, here + 1)
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
  if not self.is_open and self.waiting then make_ready(self.waiting) end
  self.is_open = true
  sleepers[self] = nil
end

function Signal:wait()
  local co = coroutine.running() or false
  if tasks[co] and not self.is_open and suspendable.here() then
    self.waiting = co
    while not self.is_open do coroutine.yield() end
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
  local task = { done = done, ok = false, err = "interrupted!" }
  local co = coroutine.create(function()
    f()
    task.ok, task.err = true, nil
  end)
  tasks[co] = task
  make_ready(co)
end

return blocking
