--- Places one order, in these steps: what the ledger knows of its ref, what it may cost, a free slot in the rate
-- limit, the ref, the request, the answer in the ledger, the events. A process that is killed while it waits for
-- its slot leaves nothing in doubt, and what `on_event` does costs no answer.
-- @module smmpanel.ledger.add

local add = {}

local account = require "smmpanel.ledger.account"
local admit = require "smmpanel.call.admit"
local checks = require "smmpanel.util.checks"
local core = require "smmpanel.core"
local events = require "smmpanel.call.events"
local fields = require "smmpanel.api.order_fields"
local place_once = require "smmpanel.ledger.place_once"
local request = require "smmpanel.call.request"
local state = require "smmpanel.call.state"

-- What it may cost, and the slot. -> the error where nothing may be sent
local function ready(own, call, wanted, budget)
  local cost, refused
  if budget then
    cost, refused = budget:reserve(wanted, call.loop.sleep)
    if refused then return refused end
  end
  refused = admit.run(own, call)
  if refused and budget then budget:give_back(cost) end
  call.admitted, call.cost = not refused, cost
  return refused
end

-- Some loops may kill the caller while the order is on its way: then it goes on without it.
local function unkillable(loop, f)
  if loop.detach then return loop.detach(f) end
  return f()
end

local function once(own, call, ref, run, ready_to_send, send)
  call.ref, call.held = checks.ref_text(ref), {}
  local ledger = state.ledger(own, "panel:add")
  local order = {
    ref = call.ref, site = own.authority, fields = call.fields, decimals = call.decimals,
    owner = function() return account.owner(ledger, own) end, admit = ready_to_send,
    may_wait = #own.budgets > 0 or run.budget ~= nil or call.loop.begin ~= nil,
    deadline = function() return call.deadline end, now = core.now, sleep = call.loop.sleep,
  }
  local made, err = unkillable(call.loop, function() return place_once.add(ledger, order, send) end)
  events.release(own, call)
  return made, err
end

---@class smmpanel.AddRun what the orders of one add_all have in common
---@field budget? table of smmpanel.ledger.max_cost
---@field patient? boolean
---@field is_stopped? fun(): boolean

--- Places it.
---@param own table what the panel keeps
---@param wanted smmpanel.Order
---@param ref? string|integer
---@param given smmpanel.CallOptions
---@param run smmpanel.AddRun
---@return smmpanel.Made?
---@return smmpanel.Error?
function add.run(own, wanted, ref, given, run)
  local call = request.new(own, "add", given)
  call.fields, call.patient, call.is_stopped = fields.fields(wanted), run.patient, run.is_stopped
  local function ready_to_send() return ready(own, call, wanted, run.budget) end
  local is_sent = false
  local function send()
    is_sent = true
    return request.run(own, call)
  end
  local made, err
  if ref ~= nil then
    made, err = once(own, call, ref, run, ready_to_send, send)
  else
    err = ready_to_send()
    if not err then made, err = send() end
  end
  if call.cost and (not is_sent or err and not err.uncertain) then run.budget:give_back(call.cost) end
  return made, err
end

return add
