--- The events of a call, for the option `on_event`. Nothing is made where nobody listens.
-- @module smmpanel.call.events

local events = {}

local guard = require "smmpanel.util.guard"

---@class smmpanel.Timings seconds from the start of the attempt
---@field dns number until the name was resolved
---@field connect number until the connection stood
---@field tls number until TLS was negotiated; 0 without TLS
---@field first_byte number until the first byte of the answer came
---@field total number until the end

---@class smmpanel.Event what `on_event` is given; the key is never in it
---@field type "start"|"attempt"|"wait"|"poll_failed"|"end"
---@field action string
---@field call integer the same for all events of one call, another for every other call of this panel
---@field ref? string of an `add` with a ref
---@field ids? integer how many ids the request is about
---@field attempt? integer from 1; of `wait`: the attempt that it is for
---@field attempts? integer of `end`: how many were made
---@field timeout? number of `start`: seconds until the deadline
---@field reason? "rate"|"back_off" of `wait`: for a free slot of the rate limit, or before the next attempt
---@field seconds? number of `wait`: how long it will be; of `attempt`: how long it took; of `end`: of the whole call
---@field http_status? integer of `attempt`; 0: no answer
---@field http_version? number of `attempt`; 0: no answer
---@field bytes? integer of `attempt`: of the body, decompressed
---@field timings? smmpanel.Timings of `attempt`; absent with a transport in the process
---@field reused? boolean of `attempt`: on a connection that was open before
---@field err? smmpanel.Error of `attempt`, `poll_failed` and `end`

--- Calls a function of the caller's that must not cost anyone an answer: what it throws goes to stderr,
-- once a panel and name.
---@param state table the panel's
---@param name string of the option
---@param callback function?
function events.notify(state, name, callback, ...)
  if not callback then return end
  local ok, thrown = guard.call(callback, ...)
  if ok or state.reported[name] then return end
  state.reported[name] = true
  io.stderr:write(state.redact(("smmpanel: %s threw: %s\n"):format(name, tostring(thrown))))
end

local function count_of(asked)
  return type(asked) == "table" and #asked or asked and 1 or nil
end

--- Whether anybody listens to this panel's events.
---@param state table the panel's
---@return boolean
function events.wanted(state)
  return state.options.on_event ~= nil
end

--- Tells the listener. The events of an order with a ref wait in `call.held` until its answer is in the ledger, so
-- that no code of the caller's stands between the two.
---@param state table the panel's
---@param call smmpanel.Call
---@param kind string the event's type
---@param event table its other fields
function events.tell(state, call, kind, event)
  if not call.number then
    state.calls = state.calls + 1
    call.number = state.calls
  end
  event.type, event.action, event.call = kind, call.action, call.number
  event.ref, event.ids = call.ref, count_of(call.asked)
  if call.held then
    call.held[#call.held + 1] = event
  else
    events.notify(state, "on_event", state.options.on_event, event)
  end
end

--- Tells the listener the events that were held back.
---@param state table the panel's
---@param call smmpanel.Call
function events.release(state, call)
  local held = call.held or {}
  call.held = nil
  for _, event in ipairs(held) do events.notify(state, "on_event", state.options.on_event, event) end
end

return events
