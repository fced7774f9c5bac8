--- One call: its attempts and pauses, with one deadline for all of them.
-- @module smmpanel.call.request

local lazy = require "smmpanel.util.lazy"

local actions = require "smmpanel.api.actions"
local admit = require "smmpanel.call.admit"
local core = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"
local events = require "smmpanel.call.events"
local loops = require "smmpanel.loop"
local options = require "smmpanel.options"
local response = require "smmpanel.api.response"
local retry = require "smmpanel.call.retry"
local schemas = require "smmpanel.api.schemas"
local text = require "smmpanel.util.text"
local transport = lazy "smmpanel.call.transport"
local wire_log = lazy "smmpanel.wire_log"

local request = {}

---@class smmpanel.Call the engine and the option `transport` read the first fields, up to `keep_body`
---@field action string
---@field fields table flat list of names and values
---@field separator string between the items of a list
---@field write boolean
---@field deadline number by core.now()
---@field schema? userdata
---@field decimals string
---@field headers? string[] "Name: value" lines instead of the panel's own
---@field timings boolean
---@field keep_body? integer bytes, for the wire log
---@field asked? string|string[] the requested id or ids
---@field raw? boolean return the answer unchanged
---@field loop table
---@field timeout number seconds
---@field patient? boolean waits for a free slot of the rate limit without a deadline
---@field bulk? boolean one of many requests: leaves every second slot to single reads
---@field is_stopped? fun(): boolean whether the run that the call belongs to was stopped
---@field admitted? boolean the first attempt has its slot already: see smmpanel.call.admit
---@field retries integer
---@field codes? fun(said: string): string? the user's own codes for panels' texts
---@field ref? string
---@field hold? smmpanel.Hold the ref of an order
---@field is_released? boolean the ref is free until the next attempt
---@field held? smmpanel.Event[] events that are emitted after the answer is in the ledger

-- Loads what the answer to a write may need.
local function prepare(state)
  response.prepare()
  if state.record then lazy.load(transport, wire_log) end
end

--- Makes a call. The call's options take precedence over the panel's. An action that is not in the table counts as a
-- write.
---@param state table the panel's
---@param action string
---@param given smmpanel.CallOptions
---@return smmpanel.Call
function request.new(state, action, given)
  local own, row = state.options, actions[action]
  local timeout, write = given.timeout or own.timeout, not (row and row.reads)
  if write then prepare(state) end
  return {
    action = action, write = write, separator = "\n", loop = loops.pick(own.loop),
    timeout = timeout, deadline = core.now() + timeout, retries = given.retries or own.retries,
    decimals = given.decimals or own.decimals, codes = state.codes,
    headers = options.merged_headers(own.headers, given.headers),
    schema = schemas[action], timings = events.wanted(state),
    keep_body = state.record and wire_log.BODY_MAX + 1 or nil,
  }
end

-- The panel asked for a pause, which applies to all calls. A limiter that fails here also fails for the next call,
-- which reports it.
local function slow_down(state, seconds)
  for _, budget in ipairs(state.budgets) do budget:hold(math.min(seconds, retry.HOLD_MAX)) end
end

local TEXT_MAX = 500 -- bytes of libcurl's text, which may quote the panel, its certificate or the proxy's URL

-- Some panels encode the document as a JSON string.
local function open_string(call, outcome)
  local inner = outcome.value
  if type(inner) ~= "string" or not inner:find("^[ \t\r\n]*[%[{]") then return end
  local decoder = core.decoder(call.schema, call.decimals)
  if not decoder:feed(inner) then return end
  local ok, value = decoder:finish()
  if ok and value ~= nil then outcome.value = value end
end

local function exchange(state, call)
  local outcome
  if state.transport then
    outcome = transport.run(call.loop, state.transport, call, state.transfers)
  else
    outcome = dispatch.run(call.loop, state.client, call, state.transfers)
  end
  open_string(call, outcome)
  if outcome.code ~= "" then outcome.text = text.without_user(text.one_line(outcome.text, TEXT_MAX)) end
  return outcome
end

-- A wire log that cannot be written must not lose a response: the error goes to stderr, once per panel.
local function record(state, call, number, outcome)
  events.notify(state, "record", state.record, {
    action = call.action, attempt = number, outcome = outcome, body = outcome.body or "",
    form = transport.form(call, "K"),
  })
end

local function attempt(state, call, number)
  local outcome = exchange(state, call)
  local made, err = response.of(call, outcome, state.redact)
  if err then err.attempts = number end
  if outcome.http_status == 429 and err and err.retry_after then slow_down(state, err.retry_after) end
  if state.record then record(state, call, number, outcome) end
  events.attempt(state, call, number, outcome, err)
  return made, err, outcome
end

local function back_off(state, call, seconds, next_attempt)
  events.wait(state, call, "back_off", seconds, next_attempt)
  call.loop.sleep(seconds)
end

-- A write that was sent again: an earlier attempt may have been carried out, whatever the result of a later one is.
local function keep_doubt(err, earlier)
  if err.uncertain or not (earlier and earlier.uncertain) then return end
  err.uncertain = true
  err.message = err.message .. "; an earlier attempt had no answer, so the outcome is unknown"
end

-- Whether the next attempt may be sent. An admitted call has its slot, but has waited for the ledger since.
local function refusal(state, call)
  local check = call.admitted and admit.check or admit.run
  call.admitted = nil
  return check(state, call)
end

-- An order's ref is free while the call waits to send again what was not sent. It is taken after the wait for a slot.
-- -> an error if nothing may be sent; nil, true, record, err if the ref's order is known meanwhile
local function ready(state, call)
  local refused = refusal(state, call)
  if refused or not call.is_released then return refused end
  local ended, made, err = call.hold.take_again()
  if ended then return nil, true, made, err end
  call.is_released = nil
  return admit.check(state, call)
end

-- -> whether a further attempt may follow
local function release(call, err)
  if not call.hold or err.uncertain then return true end
  local may_go_on
  may_go_on, call.is_released = call.hold.release(err)
  return may_go_on
end

-- Makes attempts until one returns the record or no further one is allowed. -> record, err, attempts
local function run_attempts(state, call)
  local attempts, last = 0, nil
  while true do
    local refused, ended, known, failure = ready(state, call)
    if ended then return known, failure, attempts end
    if refused then
      refused.attempts = attempts
      return nil, last or refused, attempts
    end
    attempts = attempts + 1
    local made, err, outcome = attempt(state, call, attempts)
    if not err then return made, nil, attempts end
    local pause = retry.pause(attempts, err, outcome, call, call.deadline - core.now(), core.random)
    keep_doubt(err, last)
    if not pause or not release(call, err) then return nil, err, attempts end
    last = err
    back_off(state, call, pause, attempts + 1)
  end
end

--- Runs the call.
---@param state table the panel's
---@param call smmpanel.Call
---@return any? record
---@return smmpanel.Error?
function request.run(state, call)
  local begun = core.now()
  events.start(state, call, call.deadline - begun)
  local made, err, attempts = run_attempts(state, call)
  events.finish(state, call, attempts, core.now() - begun, err)
  return made, err
end

return request
