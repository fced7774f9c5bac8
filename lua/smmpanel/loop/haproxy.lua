--- HAProxy. Its Lua cannot wait for a descriptor, nor wake another task: each waiting call looks by the clock, more
-- seldom the longer it waits and the more calls there are. The first to look in a millisecond steps for all.
-- @module smmpanel.loop.haproxy

local engine = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"

local haproxy = rawget(_G, "core")
local loop = { name = "haproxy" }

local STEP_SECONDS = 0.001
local SHORTEST, LONGEST = 1, 10 -- milliseconds between two looks
local SHARE = 1 / 20 -- of the time waited so far: how much later than it came an answer may be seen
local LOOKS = 16 -- a millisecond, of all calls together

local Signal = {}
Signal.__index = Signal

local stepped_at = 0

local function step()
  local now = engine.now()
  if now - stepped_at < STEP_SECONDS then return end
  stepped_at = now
  dispatch.step()
end

function Signal:open() self.is_open = true end

local function pause_after(seconds)
  local pause = math.max(SHORTEST, seconds * 1000 * SHARE, engine.in_flight() / LOOKS)
  return math.floor(math.min(LONGEST, pause))
end

function Signal:wait()
  local begun = engine.now()
  while not self.is_open do
    haproxy.msleep(pause_after(engine.now() - begun))
    if not self.is_open then step() end
  end
end

function loop.signal() return setmetatable({ is_open = false }, Signal) end

-- In a fetch or a converter nothing may wait; HAProxy ends it here, before anything is sent. (It lets core.yield pass.)
function loop.begin() haproxy.msleep(0) end

function loop.sleep(seconds) haproxy.msleep(math.max(1, math.ceil(seconds * 1000))) end

function loop.spawn(f, done)
  haproxy.register_task(function() done(pcall(f)) end)
end

return loop
