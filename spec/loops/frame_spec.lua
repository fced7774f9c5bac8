-- The loop of games: the work of one frame, counted.
local core = require "smmpanel.core"
local sandbox_support = require "spec.support.sandbox"
local smmpanel = require "smmpanel"
local socket = require "socket"

describe("in a program with frames", function()
  local sandbox

  lazy_setup(function() sandbox = sandbox_support.start { tls = false, services = 10000 } end)
  lazy_teardown(function() if sandbox then sandbox.stop() end end)

  -- Counts the frames that find data: the server needs a while for its answer.
  local function frames_for(call, seconds)
    local answer, frames = nil, 0
    coroutine.wrap(function() answer = assert(call()) end)()
    while not answer and frames < 1000 do
      socket.sleep(seconds)
      if core.wait(0) then frames = frames + 1 end
      smmpanel.step()
    end
    return answer, frames
  end

  -- One slice of 16 kB per frame took 190 frames: 3 s in a game, 17 s at a server's step of 90 ms.
  it("a catalogue of 10,000 takes as many frames as its decoding needs, not one for each 16 kB", function()
    local panel = sandbox.panel("", { loop = "frame" })
    local services, frames = frames_for(function() return panel:services() end, 1 / 60)
    assert.equal(10000, #services)
    assert.is_true(frames < 120, frames)
  end)
end)
