--- HAProxy. Its Lua can neither wait for a descriptor nor wake another task, so each waiting call polls. It polls less
-- often the longer it waits and the more calls there are. The first poll in a millisecond steps for all calls.
-- @module smmpanel.loop.haproxy

local engine = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"
local uninterrupted = require "smmpanel.loop.uninterrupted"

local haproxy = rawget(_G, "core")
local loop = { name = "haproxy" }

local STEP_SECONDS = 0.001 -- between two steps
local DECODE_SECONDS = 0.0005 -- of each
local SHORTEST, LONGEST = 1, 10 -- milliseconds between two polls
local SHARE = 1 / 20 -- the poll interval as a share of the time waited so far
local LOOKS = 16 -- polls per millisecond, of all calls together

-- HAProxy resumes the task with its hook again.
local function sleep(milliseconds)
  haproxy.msleep(milliseconds)
  uninterrupted()
end

local Signal = {}
Signal.__index = Signal

local stepped_at = 0

local function step()
  local now = engine.now()
  if now - stepped_at < STEP_SECONDS then return end
  stepped_at = now
  dispatch.step_for(DECODE_SECONDS)
end

function Signal:open() self.is_open = true end

local function pause_after(seconds)
  local pause = math.max(SHORTEST, seconds * 1000 * SHARE, engine.in_flight() / LOOKS)
  return math.floor(math.min(LONGEST, pause))
end

function Signal:wait()
  local begun = engine.now()
  while not self.is_open do
    sleep(pause_after(engine.now() - begun))
    if not self.is_open then step() end
  end
end

function loop.signal() return setmetatable({ is_open = false }, Signal) end

-- Fetches and converters must not wait: HAProxy aborts them here, before anything is sent. (It allows core.yield.)
function loop.begin() sleep(0) end

function loop.sleep(seconds) sleep(math.max(1, math.ceil(seconds * 1000))) end

function loop.spawn(f, done)
  haproxy.register_task(function()
    uninterrupted()
    done(pcall(f))
  end)
end

return loop
