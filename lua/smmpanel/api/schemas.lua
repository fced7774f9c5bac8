--- How the decoder types the fields of each action's answers: `actions.types` in the core's form.
-- @module smmpanel.api.schemas

local actions = require "smmpanel.api.actions"
local core = require "smmpanel.core"

-- By action. An action that is not in the table has none: its fields stay as JSON has them.
---@type table<string, userdata>
local schemas = {}

for name, row in pairs(actions) do schemas[name] = core.schema(row.types) end

return schemas
