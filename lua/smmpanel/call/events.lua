--- The events of a call, for the option `on_event`. Without that option no event tables are created.
-- @module smmpanel.call.events

local events = {}

local guard = require "smmpanel.util.guard"

---@class smmpanel.Timings seconds from the start of the attempt
---@field dns number until the name was resolved
---@field connect number until the connection was established
---@field tls number until TLS was negotiated; 0 without TLS
---@field first_byte number until the first byte of the response arrived
---@field total number until the end

---@class smmpanel.Event the argument of `on_event`; it never contains the key
---@field type "start"|"attempt"|"wait"|"poll_failed"|"end"
---@field action string
---@field call integer number of the call: equal for all events of one call, unique in this panel
---@field ref? string `add` with a ref: the ref
---@field ids? integer the number of ids in the request
---@field attempt? integer from 1; `wait`: the attempt that follows
---@field attempts? integer `end`: the number of attempts made
---@field timeout? number `start`: seconds until the deadline
---@field reason? "rate"|"back_off" `wait`: for a free slot of the rate limit, or before the next attempt
---@field seconds? number `wait`: the wait to come; `attempt`: its duration; `end`: the duration of the call
---@field http_status? integer `attempt`; 0: no response
---@field http_version? number `attempt`; 0: no response
---@field bytes? integer `attempt`: size of the body, decompressed
---@field timings? smmpanel.Timings `attempt`; absent with the option `transport`
---@field reused? boolean `attempt`: sent on a connection that was already open
---@field err? smmpanel.Error `attempt`, `poll_failed` and `end`

local function report(state, name, thrown)
  if guard.is_interrupt(thrown) then error(thrown, 0) end -- Ctrl-C
  if state.reported[name] then return end
  state.reported[name] = true
  io.stderr:write(state.redact(("smmpanel: %s threw: %s\n"):format(name, tostring(thrown))))
end

--- Calls one of the user's callbacks. An error in it must not lose a response, so it is written to stderr, once for
-- each panel and option.
---@param state table the panel's state
---@param name string the option's name
---@param callback function?
function events.notify(state, name, callback, ...)
  if not callback then return end
  local ok, thrown = pcall(callback, ...)
  if not ok then report(state, name, thrown) end
end

local function count_of(asked)
  return type(asked) == "table" and #asked or asked and 1 or nil
end

--- Returns whether this panel has the option `on_event`.
---@param state table the panel's state
---@return boolean
function events.wanted(state)
  return state.options.on_event ~= nil
end

local function number_of(state, call)
  if not call.number then
    state.calls = state.calls + 1
    call.number = state.calls
  end
  return call.number
end

-- The events of an order with a ref are queued in `call.held` until its answer is in the ledger, so that no user code
-- runs between the answer and the ledger.
local function emit(state, call, event)
  if call.held then
    call.held[#call.held + 1] = event
  else
    events.notify(state, "on_event", state.options.on_event, event)
  end
end

-- Below, each event is written out in one constructor: a field added later makes Lua build the table's hash part again,
-- which takes longer than the rest of the event.

--- Emits `start`.
---@param state table the panel's state
---@param call smmpanel.Call
---@param timeout number seconds until the deadline
function events.start(state, call, timeout)
  if not events.wanted(state) then return end
  emit(state, call, { type = "start", action = call.action, call = number_of(state, call), ref = call.ref,
    ids = count_of(call.asked), timeout = timeout })
end

--- Emits `wait`.
---@param state table the panel's state
---@param call smmpanel.Call
---@param reason "rate"|"back_off"
---@param seconds number the wait to come
---@param attempt? integer the attempt that follows
function events.wait(state, call, reason, seconds, attempt)
  if not events.wanted(state) then return end
  emit(state, call, { type = "wait", action = call.action, call = number_of(state, call), ref = call.ref,
    ids = count_of(call.asked), reason = reason, seconds = seconds, attempt = attempt })
end

--- Emits `attempt`.
---@param state table the panel's state
---@param call smmpanel.Call
---@param number integer which attempt
---@param outcome table the engine's
---@param err? smmpanel.Error
function events.attempt(state, call, number, outcome, err)
  if not events.wanted(state) then return end
  emit(state, call, { type = "attempt", action = call.action, call = number_of(state, call), ref = call.ref,
    ids = count_of(call.asked), attempt = number, seconds = outcome.seconds, http_status = outcome.http_status,
    http_version = outcome.http_version, bytes = outcome.bytes, timings = outcome.timings, reused = outcome.reused,
    err = err })
end

--- Emits `end`.
---@param state table the panel's state
---@param call smmpanel.Call
---@param attempts integer how many were made
---@param seconds number the duration of the call
---@param err? smmpanel.Error
function events.finish(state, call, attempts, seconds, err)
  if not events.wanted(state) then return end
  emit(state, call, { type = "end", action = call.action, call = number_of(state, call), ref = call.ref,
    ids = count_of(call.asked), attempts = attempts, seconds = seconds, err = err })
end

--- Emits `poll_failed`, of `watch`.
---@param state table the panel's state
---@param asked string[] the ids
---@param err smmpanel.Error
function events.poll_failed(state, asked, err)
  if not events.wanted(state) then return end
  local call = {} -- of its own
  emit(state, call, { type = "poll_failed", action = "status", call = number_of(state, call), ids = count_of(asked),
    err = err })
end

--- Emits the events that were queued in `call.held`.
---@param state table the panel's state
---@param call smmpanel.Call
function events.release(state, call)
  local held = call.held or {}
  call.held = nil
  for _, event in ipairs(held) do events.notify(state, "on_event", state.options.on_event, event) end
end

return events
