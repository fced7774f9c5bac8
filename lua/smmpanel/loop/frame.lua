--- Programs with frames (LÖVE) or steps (Luanti): they call `smmpanel.step()` in each. In a coroutine a call
-- suspends it; outside one it blocks.
-- @module smmpanel.loop.frame

local core = require "smmpanel.core"
local scheduler = require "smmpanel.loop.scheduler"

local frame = { name = "frame" }

-- What one frame gives at 60 frames a second; a longer one gives in proportion.
local FRAME_SECONDS = 1 / 60
local LONGEST_FRAME = 10 -- times that; a program that stood still does not make up for it

local TURN_SECONDS = 0.0005 -- for coroutines; those left over have the next frame
local REQUESTS_A_FRAME = 16 -- each takes 25 microseconds to start, the first ones some 100
local REQUESTS_SECONDS = 0.0003 -- where they take longer

-- Made beside the turn, where a hundred may be made at once; a few need not wait for the next frame.
local REQUESTS_BESIDE = 2

local frames = 1 -- how long the last frame was, in frames at 60 a second
local last_turn_at

local begun, begun_at = 0, nil -- in this frame; when its turn began, while that lasts
local queue, first, last = {}, 1, 0 -- signals of those that are to set out in a later one

local coroutines = scheduler.new(function() end)
local sleepers = {} -- signal -> when it opens

function frame.signal()
  return coroutines:signal()
end

function frame.sleep(seconds)
  local signal = frame.signal()
  sleepers[signal] = core.now() + seconds
  signal:wait()
end

local function wait_for_turn()
  local signal = frame.signal()
  last = last + 1
  queue[last] = signal
  signal:wait()
end

local function is_full()
  if not begun_at then return begun >= REQUESTS_BESIDE + REQUESTS_A_FRAME * (frames - 1) end
  return begun >= REQUESTS_A_FRAME * frames or core.now() - begun_at > REQUESTS_SECONDS * frames
end

--- Many requests at once set out in several frames.
function frame.begin()
  if first <= last or is_full() then wait_for_turn() end
  begun = begun + 1
end

local function let_some_begin()
  for _ = 1, math.min(REQUESTS_A_FRAME * frames, last - first + 1) do
    queue[first]:open()
    queue[first] = nil
    first = first + 1
  end
end

function frame.spawn(f, done)
  coroutines:spawn(f, done)
end

--- One frame's turn of the coroutines. What one of them threw, and nobody waits for, is thrown when all had
-- theirs.
function frame.turn()
  local now, thrown = core.now(), nil
  frames = math.max(1, math.min(LONGEST_FRAME, (now - (last_turn_at or now)) / FRAME_SECONDS))
  begun, begun_at, last_turn_at = 0, now, now
  for signal, at in pairs(sleepers) do
    if at <= now then
      sleepers[signal] = nil
      signal:open()
    end
  end
  let_some_begin()
  coroutines:run(function(traceback) thrown = thrown or traceback end, function()
    return core.now() - now > TURN_SECONDS * frames
  end)
  begun, begun_at = 0, nil
  if thrown then error(thrown, 0) end
end

return frame
