--- Makes a panel. Its methods, and all that a request needs, are loaded when the first of them is used, before
-- anything is sent.
-- @module smmpanel.panel

local lazy = require "smmpanel.util.lazy"

local loops = require "smmpanel.loop"
local methods = lazy "smmpanel.client"
local options = require "smmpanel.options"
local state_of = require "smmpanel.call.state"

local Meta = { __index = methods, __name = "smmpanel.Panel" }

function Meta.__close(panel)
  panel:close()
end

function Meta:__tostring()
  local state = state_of.of(self, "tostring")
  return ("smmpanel.Panel (%s%s)"):format(state.site, state.closed and ", closed" or "")
end

local panel = {}

---@param given table the options of `smmpanel.new`
---@return smmpanel.Panel
function panel.new(given)
  local own = options.panel(given)
  loops.check("smmpanel.new", own.loop)
  local made = setmetatable({}, Meta)
  state_of.store(made, own)
  return made
end

return panel
