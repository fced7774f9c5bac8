--- A rate limit for one process: evenly spaced slots. Pure: the clock is an argument. smmpanel.limiter describes the
-- methods.
-- @module smmpanel.limiter.local

local limiter = {}

local Limiter = {}
Limiter.__index = Limiter

-- Seconds for which a slot stays valid after its time. Sleeps end some milliseconds late, and each would otherwise lose
-- its slot. It also bounds the burst after a stall: in a window of T seconds at most rate * (T + LATE) + 1 requests
-- start.
local LATE = 0.025

--- Makes a rate limit.
---@param rate number requests per second
---@param clock fun(): number seconds; must be monotonic
---@return smmpanel.Limiter
function limiter.new(rate, clock)
  return setmetatable({ spacing = 1 / rate, clock = clock, free = -math.huge, held = -math.huge }, Limiter)
end

--- See smmpanel.limiter.
---@param longest number seconds
---@param slot? number from an earlier call
---@return number? seconds
---@return number? slot
function Limiter:reserve(longest, slot)
  local now = self.clock()
  if slot and self.held <= slot and now - slot <= LATE then return math.max(0, slot - now), slot end
  local at = math.max(self.free >= now - LATE and self.free or now, self.held)
  if at - now >= longest then return nil end
  self.free = at + self.spacing
  return math.max(0, at - now), at
end

--- See smmpanel.limiter.
---@param seconds number
---@return true
function Limiter:hold(seconds)
  self.held = math.max(self.held, self.clock() + seconds)
  return true
end

return limiter
