--- The types of the fields of each action's answers, for the decoder: `actions.types` in the core's format.
-- @module smmpanel.api.schemas

local actions = require "smmpanel.api.actions"
local core = require "smmpanel.core"

-- By action. An unknown action has no schema: its fields keep their JSON types.
---@type table<string, userdata>
local schemas = {}

for name, row in pairs(actions) do schemas[name] = core.schema(row.types) end

return schemas
