--- A budget of requests a second for one process: each gets its own moment, evenly spaced. Pure: the clock
-- comes from outside. It is what smmpanel.limiter asks of a limiter.
-- @module smmpanel.limiter.local

local limiter = {}

local Limiter = {}
Limiter.__index = Limiter

--- A budget.
---@param rate number requests a second
---@param clock fun(): number seconds
---@return smmpanel.Limiter
function limiter.new(rate, clock)
  return setmetatable({ spacing = 1 / rate, clock = clock, free = -math.huge, held = -math.huge }, Limiter)
end

function Limiter:reserve(longest, moment)
  if moment and self.held <= moment then return 0, moment end
  local now = self.clock()
  local at = math.max(now, self.free, self.held)
  if at - now >= longest then return nil end
  self.free = at + self.spacing
  return at - now, at
end

function Limiter:hold(seconds)
  self.held = math.max(self.held, self.clock() + seconds)
  return true
end

return limiter
