--- Whether an attempt may still be on its way to the panel. Pure: the clocks and the processes come in as
-- `here` (smmpanel.ledger.process).
--
-- Time is measured by the clock since boot where both ends have the same boot, for nobody can set that. Else
-- two clocks have to agree, the machines' and the store's (`row.age`): the shorter time counts, so a step of
-- one of them ends no lease early.
-- @module smmpanel.ledger.lease

local lease = {}

local process = require "smmpanel.ledger.process"

--- Seconds that a placer's process needs after the call's deadline at most: to store the answer, and for the
-- panel to end what it has begun.
lease.MARGIN = 30

local function same_boot(a, b) return a == b and a ~= "-" end

--- The seconds since the attempt began, at least.
---@param row table
---@param placer table
---@param here table
---@return number
function lease.elapsed(row, placer, here)
  if same_boot(placer.boot, here.boot) then return here.uptime - placer.at end
  local elapsed = here.wall - placer.wall
  if row.age then elapsed = math.min(elapsed, row.age) end
  return math.max(0, elapsed)
end

--- The seconds between the beginnings of two attempts, at least; for each other's order only.
---@param first table a row
---@param second table a row
---@return number
function lease.between(first, second)
  local a, b = process.parse(first.placer), process.parse(second.placer)
  if not a or not b then return 0 end
  if same_boot(a.boot, b.boot) then return b.at - a.at end
  local seconds = b.wall - a.wall
  if first.age and second.age then seconds = math.min(seconds, first.age - second.age) end
  return seconds
end

local function life_of(row, placer, here)
  local known = here.life(placer)
  if known then return known end
  -- A store of one machine outlived that boot; its processes did not.
  local gone = row.one_machine and placer.boot ~= "-" and here.boot ~= "-" and placer.boot ~= here.boot
  return gone and "dead" or nil
end

--- The state of an attempt without an answer.
---@param row { state: string, placer: string, age: number?, one_machine: boolean? }
---@param here table
---@return "sending"|"uncertain" state
---@return number left seconds for which it may be sending; 0 where it is not
function lease.state(row, here)
  local placer = process.parse(row.placer)
  if row.state ~= "open" or not placer then return "uncertain", 0 end
  local life = life_of(row, placer, here)
  if life == "dead" then return "uncertain", 0 end
  local left = placer.seconds - lease.elapsed(row, placer, here)
  -- A stopped process goes on where it was, whatever time it is then.
  if life == "stopped" then left = math.max(left, 1) end
  if left <= 0 then return "uncertain", 0 end
  return "sending", left
end

--- The seconds until the panel cannot be working on it any more; nil where that is so now.
---@param row table
---@param here table
---@return number? seconds
---@return string? pid of the process that is stopped in the middle of it
function lease.too_early(row, here)
  local placer = process.parse(row.placer)
  if not placer then return nil end
  local left = placer.seconds - lease.elapsed(row, placer, here)
  if row.state == "open" and here.life(placer) == "stopped" then return math.max(left, 1), placer.pid end
  return left > 0 and left or nil
end

return lease
