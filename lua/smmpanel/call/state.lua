--- The private state of panels. It is stored outside of the panel object, so that a program that iterates over the
-- object, or dumps it, does not find the key.
-- @module smmpanel.call.state

local lazy = require "smmpanel.util.lazy"

local state = {}

local argerror = require "smmpanel.util.argerror"
local core = require "smmpanel.core"
local limiter = lazy "smmpanel.limiter.local"
local own_words = lazy "smmpanel.api.own_words"
local redact = require "smmpanel.util.redact"
local states = lazy "smmpanel.api.states"
local transport = lazy "smmpanel.call.transport"
local uninterrupted = require "smmpanel.loop.uninterrupted"
local wire_log = lazy "smmpanel.wire_log"

local state_of = setmetatable({}, { __mode = "k" })

-- The limiter of this process first, then the shared one.
local function budgets(own)
  local list = {}
  if own.rate then list[1] = limiter.new(own.rate, core.now) end
  list[#list + 1] = own.limiter
  return list
end

local function network_client(own)
  return core.client {
    url = own.url, key = own.key, max_body = own.max_body, connect_timeout = own.connect_timeout,
    headers = own.headers, proxy = own.proxy, ca_file = own.ca_file, crl_file = own.crl_file,
    user_agent = own.user_agent,
  }
end

local function built_in_class(status)
  return states.state(status)
end

local function new(own)
  own.user_agent = own.user_agent or "smmpanel/" .. core.version
  local fields = {
    client = network_client(own), transport = own.transport and transport.client(own),
    redact = redact(own.key), codes = own.error_codes and own_words.codes(own.error_codes),
    class_of = own.order_states and own_words.states(own.order_states) or built_in_class,
    site = own.url:match("^%a+://[^/?#]*"):gsub("//.*@", "//"),
    budgets = budgets(own), options = own, transfers = {}, reported = {}, calls = 0, closed = false,
  }
  if own.record then fields.record = wire_log.writer(own.record, fields.redact) end
  own.key = nil
  return fields
end

--- Creates the state of a new panel, and removes the key from its options: from now on only the clients have it.
---@param panel smmpanel.Panel
---@param own table the checked options
function state.store(panel, own)
  state_of[panel] = new(own)
end

--- Returns a panel's state, also of a closed panel. Throws if the value is not a panel.
---@param panel any
---@param where string the public function's name, for the message
---@return table
function state.of(panel, where)
  uninterrupted()
  return state_of[panel] or argerror.throw(where, "call it as a method of a panel, with a colon")
end

--- Returns an open panel's state. Throws if the panel is closed.
---@param panel any
---@param where string the public function's name, for the message
---@return table
function state.open(panel, where)
  local own = state.of(panel, where)
  if own.closed then argerror.throw(where, "the panel is closed") end
  return own
end

--- Returns a panel's ledger. Throws if it has none.
---@param own table the panel's state
---@param where string the public function's name, for the message
---@return smmpanel.Ledger
function state.ledger(own, where)
  return own.options.ledger or argerror.throw(where, "refs need a ledger: smmpanel.new { ledger = ... }")
end

return state
