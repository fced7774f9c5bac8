--- Programs with frames (LÖVE) or steps (Luanti), which call `smmpanel.step()` in each. In a coroutine a call suspends
-- it; outside of one it blocks.
-- @module smmpanel.loop.frame

local core = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"
local scheduler = require "smmpanel.loop.scheduler"

local frame = { name = "frame" }

-- The limits of a frame at 60 frames per second; they are larger in proportion for a longer frame.
local FRAME_SECONDS = 1 / 60
local LONGEST_FRAME = 10 -- the largest factor, after a program was suspended

local DECODE_SECONDS = 0.0005 -- for data that has arrived
local TURN_SECONDS = 0.0005 -- for coroutines; the others run in the next frame
local REQUESTS_A_FRAME = 16 -- each takes 25 microseconds to start, the first ones about 100
local REQUESTS_SECONDS = 0.0003 -- the limit if they take longer

-- Requests made outside of a frame's turn, where a program may make a hundred at once; a few may start immediately.
local REQUESTS_BESIDE = 2

local frames = 1 -- the duration of the last frame, in frames at 60 per second
local last_turn_at

local begun, begun_at = 0, nil -- in this frame; when its turn began, while that lasts
local queue, first, last = {}, 1, 0 -- signals of the requests that start in a later frame

local coroutines = scheduler.new(function() end)
local sleepers = {} -- signal -> the time at which it opens

function frame.signal()
  return coroutines:signal()
end

function frame.check_resumer() coroutines:check_resumer() end

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

--- Spreads the start of many requests over several frames.
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

local function wake_sleepers(now)
  for signal, at in pairs(sleepers) do
    if at <= now then
      sleepers[signal] = nil
      signal:open()
    end
  end
end

local function run_coroutines(now)
  local thrown
  begun, begun_at = 0, now
  let_some_begin()
  coroutines:run(function(traceback) thrown = thrown or traceback end, function()
    return core.now() - now > TURN_SECONDS * frames
  end)
  begun, begun_at = 0, nil
  if thrown then error(thrown, 0) end
end

--- Decodes the data that has arrived and resumes the coroutines, for one frame. An error in a coroutine that nothing
-- waits for is thrown after all have run.
---@param bytes? integer the most bytes to decode
function frame.turn(bytes)
  local now = core.now()
  frames = math.max(1, math.min(LONGEST_FRAME, (now - (last_turn_at or now)) / FRAME_SECONDS))
  last_turn_at = now
  if bytes then dispatch.step(bytes) else dispatch.step_for(DECODE_SECONDS * frames) end
  now = core.now()
  wake_sleepers(now)
  run_coroutines(now)
end

return frame
