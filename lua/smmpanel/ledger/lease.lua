--- Determines whether an attempt may still be in flight. Pure: the argument `here` has the clocks and the processes
-- (smmpanel.ledger.process).
--
-- Time within one boot is measured by the clock since boot, which cannot be set. The time of a suspend does not count,
-- because the system may deliver the request when the machine continues. Otherwise two clocks are used, the machines'
-- and the store's (`row.age`). The shorter time counts, so setting one of them ends no lease early.
-- @module smmpanel.ledger.lease

local lease = {}

local process = require "smmpanel.ledger.process"

--- The most seconds after the call's deadline until the process has stored the answer and the panel has finished the
-- request.
lease.MARGIN = 30

local function same_boot(a, b) return a == b and a ~= "-" end

--- Returns the least seconds since the attempt began.
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

--- Returns the least seconds between the starts of two attempts; used only to order them.
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
  -- The store is on one machine that has rebooted since, so the process is gone.
  local gone = row.one_machine and placer.boot ~= "-" and here.boot ~= "-" and placer.boot ~= here.boot
  return gone and "dead" or nil
end

--- Returns the state of an attempt without an answer.
---@param row { state: string, placer: string, age: number?, one_machine: boolean? }
---@param here table
---@return "sending"|"uncertain" state
---@return number left seconds for which it may still be sending; 0 if it is not
function lease.state(row, here)
  local placer = process.parse(row.placer)
  if row.state ~= "open" or not placer then return "uncertain", 0 end
  local life = life_of(row, placer, here)
  if life == "dead" then return "uncertain", 0 end
  local left = placer.seconds - lease.elapsed(row, placer, here)
  -- A suspended process continues where it was, however late that is.
  if life == "stopped" then left = math.max(left, 1) end
  if left <= 0 then return "uncertain", 0 end
  return "sending", left
end

--- Returns the seconds until the panel cannot be processing the attempt any more; nil if that time has passed.
---@param row table
---@param here table
---@return number? seconds
---@return string? pid of the process, if it is suspended during the attempt
function lease.too_early(row, here)
  local placer = process.parse(row.placer)
  if not placer then return nil end
  local left = placer.seconds - lease.elapsed(row, placer, here)
  if row.state == "open" and here.life(placer) == "stopped" then return math.max(left, 1), placer.pid end
  return left > 0 and left or nil
end

return lease
