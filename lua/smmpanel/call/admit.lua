--- The checks before a request is sent: the deadline, the rate limits, whether the panel is still open.
-- @module smmpanel.call.admit

local lazy = require "smmpanel.util.lazy"

local admit = {}

local core = require "smmpanel.core"
local errors = require "smmpanel.errors"
local events = require "smmpanel.call.events"
local groups = require "smmpanel.loop.groups"
local turn = lazy "smmpanel.limiter.turn"

local function not_sent(call, kind, code, message)
  return errors.new { kind = kind, code = code, action = call.action, attempts = 0, message = message }
end

local function too_late(call)
  if core.now() < call.deadline then return nil end
  return not_sent(call, "timeout", "timeout", "the deadline passed before the request was sent")
end

local function closed(call)
  return not_sent(call, "cancelled", "closed", "the panel was closed")
end

local function refusal(state, call, outcome, failure)
  if outcome == "go" then return nil end
  if outcome == "failed" then
    return not_sent(call, "network", "limiter", "the rate limiter failed, nothing was sent: " .. failure.message)
  elseif outcome == "late" then
    return not_sent(call, "timeout", "rate", "no free slot in the rate limit before the deadline")
  end
  return state.closed and closed(call) or not_sent(call, "cancelled", "stopped", "the run was stopped")
end

local function sleeper(state, call)
  if not events.wanted(state) then return call.loop.sleep end
  return function(seconds)
    events.wait(state, call, "rate", seconds)
    call.loop.sleep(seconds)
  end
end

local function wait_for_slots(state, call)
  if not state.budgets[1] then return nil end
  local waiting = {
    deadline = call.patient and math.huge or call.deadline, bulk = call.bulk or call.write,
    sleep = sleeper(state, call),
    given_up = function()
      return state.closed or groups.is_left() or call.is_stopped and call.is_stopped() or false
    end,
  }
  for _, limiter in ipairs(state.budgets) do
    local refused = refusal(state, call, turn.wait(limiter, waiting))
    if refused then return refused end
  end
end

--- Checks whether a request of the call may still be sent: the panel is open, the caller was not interrupted, and the
-- deadline has not passed.
---@param state table the panel's
---@param call smmpanel.Call
---@return smmpanel.Error? refused nothing may be sent
function admit.check(state, call)
  if state.closed then return closed(call) end
  if groups.is_left() then return not_sent(call, "cancelled", "stopped", "the run was interrupted") end
  return too_late(call)
end

--- Waits until a request of the call may be sent. A patient call waits for its slot without a limit; its deadline
-- is counted from the slot on.
---@param state table the panel's
---@param call smmpanel.Call
---@return smmpanel.Error? refused nothing may be sent
function admit.run(state, call)
  local refused = not call.patient and too_late(call) or wait_for_slots(state, call)
  if refused then return refused end
  if call.loop.begin then call.loop.begin() end
  if call.patient then call.deadline, call.patient = core.now() + call.timeout, nil end
  -- Check again: the wait may have taken longer than requested (a suspended process, a blocked loop).
  return admit.check(state, call)
end

return admit
