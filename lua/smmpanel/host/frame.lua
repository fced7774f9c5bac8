--- Hosts with frames, LÖVE first of all: whoever draws them calls `smmpanel.step()` in each. In a coroutine a
-- call suspends it; outside one it blocks.
-- @module smmpanel.host.frame

local core = require "smmpanel.core"
local turns = require "smmpanel.host.turns"

local frame = { name = "frame" }

local TURN_SECONDS = 0.0005 -- of one frame for coroutines; what is left over has the next one

local REQUESTS_A_TURN = 16 -- each takes some 25 microseconds to set out

local begun = 0 -- in this frame

local coroutines = turns.new(function() end)
local sleepers = {} -- gate -> when it opens

frame.active = turns.suspendable

function frame.gate()
  return coroutines:gate()
end

function frame.sleep(seconds)
  local gate = frame.gate()
  sleepers[gate] = core.now() + seconds
  gate:wait()
end

--- Many requests at once set out in several frames.
function frame.begin()
  while begun >= REQUESTS_A_TURN do frame.sleep(0) end
  begun = begun + 1
end

function frame.spawn(f, done)
  coroutines:spawn(f, done)
end

--- One frame's turn of the coroutines. What one of them threw, and nobody waits for, is thrown when all had
-- theirs.
function frame.turn()
  local now, thrown = core.now(), nil
  begun = 0
  for gate, at in pairs(sleepers) do
    if at <= now then
      sleepers[gate] = nil
      gate:open()
    end
  end
  coroutines:run(function(traceback) thrown = thrown or traceback end, function()
    return core.now() - now > TURN_SECONDS
  end)
  if thrown then error(thrown, 0) end
end

return frame
