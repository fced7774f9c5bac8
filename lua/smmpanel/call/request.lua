--- One logical call: attempts, pauses and the one deadline that they share.
-- @module smmpanel.call.request

local actions = require "smmpanel.api.actions"
local admit = require "smmpanel.call.admit"
local core = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"
local loops = require "smmpanel.loop"
local retry = require "smmpanel.call.retry"
local response = require "smmpanel.api.response"

local request = {}

---@class smmpanel.Call
---@field action string
---@field fields table flat list of names and values
---@field separator string between the items of a list
---@field asked? string|string[] the id or ids that the answer is about
---@field write boolean
---@field raw? boolean the answer is given as it is
---@field loop table
---@field deadline number by core.now()
---@field timeout number seconds
---@field patient? boolean waits for a free slot of the rate limit without a deadline
---@field bulk? boolean one of many: it leaves every second slot to single reads
---@field is_stopped? fun(): boolean whether the run that it belongs to was stopped
---@field admitted? boolean the first attempt has its slot: see smmpanel.call.admit
---@field retries integer
---@field decimals string

---@class smmpanel.Event what `on_event` is given after each attempt; the key is never in it
---@field action string
---@field attempt integer from 1
---@field seconds number
---@field http_status integer 0: no answer
---@field bytes integer of the body, decompressed
---@field err? smmpanel.Error

--- What all calls have in common, with this call's options before the panel's. An action that is not in the table
-- counts as a write.
---@param state table the panel's
---@param action string
---@param given smmpanel.CallOptions
---@return smmpanel.Call
function request.new(state, action, given)
  local own, row = state.options, actions[action]
  local timeout = given.timeout or own.timeout
  return {
    action = action, write = not (row and row.reads), separator = "\n", loop = loops.pick(own.loop),
    timeout = timeout, deadline = core.now() + timeout, retries = given.retries or own.retries,
    decimals = given.decimals or own.decimals,
  }
end

--- Calls a function of the caller's that must not cost anyone an answer: what it throws goes to stderr,
-- once a panel and name.
---@param state table the panel's
---@param name string of the option
---@param callback function?
function request.notify(state, name, callback, ...)
  if not callback then return end
  local ok, thrown = pcall(callback, ...)
  if ok or state.reported[name] then return end
  state.reported[name] = true
  io.stderr:write(state.redact(("smmpanel: %s threw: %s\n"):format(name, tostring(thrown))))
end

-- The panel asked for a pause, which holds for all. A limiter that fails now fails the next call too.
local function slow_down(state, seconds)
  for _, budget in ipairs(state.budgets) do budget:hold(seconds) end
end

local function attempt(state, call, number)
  local outcome = dispatch.run(call.loop, state.client, {
    action = call.action, fields = call.fields, separator = call.separator, write = call.write,
    decimals = call.decimals, timeout = math.max(0.001, call.deadline - core.now()),
  }, state.transfers)
  local record, err = response.of(call, outcome, state.redact)
  if err then err.attempts = number end
  if outcome.http_status == 429 and outcome.retry_after then slow_down(state, outcome.retry_after) end
  request.notify(state, "on_event", state.options.on_event, {
    action = call.action, attempt = number, seconds = outcome.seconds, http_status = outcome.http_status,
    bytes = outcome.bytes, err = err,
  })
  return record, err, outcome
end

--- Makes the call.
---@param state table the panel's
---@param call smmpanel.Call
---@return any? record
---@return smmpanel.Error?
function request.run(state, call)
  local attempts, last = 0, nil
  while true do
    local refused = not call.admitted and admit.run(state, call)
    call.admitted = nil
    if refused then
      refused.attempts = attempts
      return nil, last or refused
    end
    attempts = attempts + 1
    local record, err, outcome = attempt(state, call, attempts)
    if not err then return record end
    local pause = retry.pause(attempts, err, outcome, call, call.deadline - core.now(), core.random)
    if not pause then return nil, err end
    last = err
    call.loop.sleep(pause)
  end
end

return request
