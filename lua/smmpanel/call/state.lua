--- What a panel keeps for its calls. It stands beside the object and not in it: a program that walks through the
-- object, or prints it, finds nothing.
-- @module smmpanel.call.state

local state = {}

local argerror = require "smmpanel.util.argerror"

local state_of = setmetatable({}, { __mode = "k" })

--- Stores what belongs to a new panel.
---@param panel smmpanel.Panel
---@param fields table
function state.store(panel, fields)
  state_of[panel] = fields
end

--- What a panel keeps, closed or not. Throws where it is no panel.
---@param panel any
---@param where string the public function's name, for the message
---@return table
function state.of(panel, where)
  return state_of[panel] or argerror.throw(where, "call it as a method of a panel, with a colon")
end

--- What an open panel keeps. Throws where it is closed.
---@param panel any
---@param where string the public function's name, for the message
---@return table
function state.open(panel, where)
  local own = state.of(panel, where)
  if own.closed then argerror.throw(where, "the panel is closed") end
  return own
end

--- A panel's ledger. Throws where it has none.
---@param own table what the panel keeps
---@param where string the public function's name, for the message
---@return smmpanel.Ledger
function state.ledger(own, where)
  return own.options.ledger or argerror.throw(where, "refs need a ledger: smmpanel.new { ledger = ... }")
end

return state
