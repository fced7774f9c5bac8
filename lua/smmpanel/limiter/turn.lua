--- Waits for a slot of a rate limit, in this process's queue.
-- @module smmpanel.limiter.turn

local core = require "smmpanel.core"
local line = require "smmpanel.limiter.line"

local turn = {}

local lines = {} -- limiter (for Redis: its key) -> queue, while callers wait

local ASKING = 30 -- seconds that a limiter may take to answer before the next caller may reserve
local LONGEST_SLEEP = 1 -- seconds between two checks whether the caller should give up
local SHORTEST_SLEEP = 0.001

local function line_of(limiter)
  local key = limiter.key or limiter
  lines[key] = lines[key] or line.new(core.now, limiter.spacing or 0)
  return lines[key], key
end

-- -> the seconds until the slot (0: now) and the slot; or nil, and the failure if the limiter failed
local function ask(queue, ticket, limiter, slot)
  queue:promise(ticket, ASKING)
  local wait, more = limiter:reserve(ticket.deadline - core.now(), slot)
  if wait then queue:expect(ticket, wait) end
  return wait, more
end

local function wait_in(queue, ticket, limiter, call)
  local slot
  while not call.given_up() do
    local wait, least = queue:ask(ticket)
    if wait == 0 then
      wait, slot = ask(queue, ticket, limiter, slot)
      if wait == 0 then return "go" end
      if not wait then return slot and "failed" or "late", slot end
      least = wait
    end
    if core.now() + least >= ticket.deadline then return "late" end
    wait = math.min(wait, LONGEST_SLEEP, ticket.deadline - core.now())
    call.sleep(math.max(wait, SHORTEST_SLEEP))
  end
  return "given_up"
end

--- Waits for a slot.
---@param limiter smmpanel.Limiter
---@param call { deadline: number, bulk: boolean, sleep: fun(seconds: number), given_up: fun(): boolean }
---@return "go"|"late"|"failed"|"given_up"
---@return { code: string, message: string }? failure
function turn.wait(limiter, call)
  local queue, key = line_of(limiter)
  local ticket = queue:join(call.deadline, call.bulk)
  local outcome, failure = wait_in(queue, ticket, limiter, call)
  queue:leave(ticket)
  if queue:is_empty() then lines[key] = nil end
  return outcome, failure
end

return turn
