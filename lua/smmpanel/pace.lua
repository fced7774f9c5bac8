--- A budget of requests a second: each gets its own moment, evenly spaced. Pure: the clock comes from
-- outside.
-- @module smmpanel.pace

local pace = {}

--- A pacer: given the time and the longest bearable wait, it reserves the next moment and returns the seconds
-- until then; or nil, and reserves nothing, where that would be too long.
---@param rate number requests a second
---@return fun(now: number, longest: number): number?
function pace.new(rate)
  local free = -math.huge
  return function(now, longest)
    local at = math.max(now, free)
    if at - now >= longest then return nil end
    free = at + 1 / rate
    return at - now
  end
end

return pace
