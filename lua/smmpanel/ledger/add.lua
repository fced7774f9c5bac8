--- Places one order, in these steps: look the ref up in the ledger, check the cost, wait for a slot of the rate limit,
-- take the ref, send the request, store the answer in the ledger, emit the events. So a process that is killed while it
-- waits for its slot leaves no uncertain order, and an error in `on_event` loses no answer.
-- @module smmpanel.ledger.add

local add = {}

local argerror = require "smmpanel.util.argerror"
local account = require "smmpanel.ledger.account"
local admit = require "smmpanel.call.admit"
local checks = require "smmpanel.util.checks"
local core = require "smmpanel.core"
local events = require "smmpanel.call.events"
local fields = require "smmpanel.api.order_fields"
local json = require "smmpanel.util.json"
local place_once = require "smmpanel.ledger.place_once"
local request = require "smmpanel.call.request"
local schemas = require "smmpanel.api.schemas"
local state = require "smmpanel.call.state"

-- Checks the cost and waits for the slot. -> an error if nothing may be sent
local function ready(own, call, wanted, budget)
  local cost, refused
  if budget then
    cost, refused = budget:reserve(wanted, call.loop.sleep)
    if refused then return refused end
  end
  refused = admit.run(own, call)
  call.admitted, call.cost = not refused, cost -- `run` releases the cost if nothing was sent
  return refused
end

---@class smmpanel.AddRun shared by the orders of one add_all
---@field budget? table of smmpanel.ledger.max_cost
---@field patient? boolean
---@field is_stopped? fun(): boolean

-- Adds the ref in the panel's idempotency field to the form. It is not part of the order's fingerprint.
local function with_ref(own, fields_of_order, ref)
  local name = own.options.idempotency_field
  if not name then return fields_of_order end
  local form = {}
  for i, value in ipairs(fields_of_order) do form[i] = value end
  for i = 1, #form, 2 do
    if form[i] == name then
      argerror.throw("panel:add", "the field '%s' is the idempotency_field: the client sends the ref in it", name)
    end
  end
  form[#form + 1], form[#form + 2] = name, ref
  return form
end

-- Makes the ledger's call for an order with a ref.
local function ledger_order(own, call, run, ledger, ready_to_send)
  local order_fields = call.fields
  call.fields, call.repeatable = with_ref(own, order_fields, call.ref), own.options.idempotency_field ~= nil
  return {
    ref = call.ref, site = account.site(own), fields = order_fields, decimals = call.decimals,
    repeatable = own.options.idempotency_field,
    owner = function() return account.owner(ledger, own) end, admit = ready_to_send,
    may_wait = #own.budgets > 0 or run.budget ~= nil or call.loop.begin ~= nil,
    deadline = function() return call.deadline end, now = core.now, sleep = call.loop.sleep,
  }
end

-- Makes the job that places the order. It must not use variables of the coroutine that waits for it: nginx may kill
-- that coroutine, which destroys the variables that closures share with it. This function has returned by then.
local function job_of(own, wanted, ref, given, run)
  local call = request.new(own, "add", given)
  call.fields, call.patient, call.is_stopped = fields.fields(wanted), run.patient, run.is_stopped
  local job = { call = call, is_sent = false }
  local function ready_to_send() return ready(own, call, wanted, run.budget) end
  local function send(hold)
    job.is_sent, call.hold = true, hold
    local made, err = request.run(own, call)
    job.is_sent = not call.is_released -- otherwise the answer is that of the ledger
    return made, err
  end
  if ref == nil then
    function job.place()
      local refused = ready_to_send()
      if refused then return nil, refused end
      return send()
    end
    return job
  end
  call.ref, call.held = checks.ref_text(ref), {}
  local ledger = state.ledger(own, "panel:add")
  local order = ledger_order(own, call, run, ledger, ready_to_send)
  -- The ledger stores money as text, because a later call may need the text.
  job.decimals, call.decimals = call.decimals, "string"
  function job.place() return place_once.add(ledger, order, send) end
  return job
end

-- Some loops may kill the caller during the request: an order with a ref continues without it.
local function result_of(job)
  local detach = job.call.ref and job.call.loop.detach
  if detach then return detach(job.place) end
  return job.place()
end

--- Places the order.
---@param own table the panel's state
---@param wanted smmpanel.Order
---@param ref? string|integer
---@param given smmpanel.CallOptions
---@param run smmpanel.AddRun
---@return smmpanel.Made?
---@return smmpanel.Error?
function add.run(own, wanted, ref, given, run)
  local job = job_of(own, wanted, ref, given, run)
  local call = job.call
  local made, err = result_of(job)
  events.release(own, call)
  if made and job.decimals == "number" and job.is_sent then
    made = json.decode_record(json.encode(made), schemas.add, "number")
  end
  if call.cost and (not job.is_sent or err and not err.uncertain) then run.budget:give_back(call.cost) end
  return made, err
end

return add
