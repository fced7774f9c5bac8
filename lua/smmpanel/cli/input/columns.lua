--- The columns that a file may have: the fields of an order, and those of the reports that the commands write.
-- @module smmpanel.cli.input.columns

local columns = {}

local order_rules = require "smmpanel.api.order_fields"

--- What add reads.
columns.ORDER = { ref = true }

--- What any file of ours may have.
columns.KNOWN = { ref = true }

for name in pairs(order_rules.documented) do
  columns.ORDER[name], columns.KNOWN[name] = true, true
end

local REPORTS = { "result", "order", "refill", "error", "code", "status", "charge", "currency", "start_count",
  "remains", "runs", "orders", "cancel", "state", "since", "left", "attempt", "too_early", "verdict",
  "reason", "message" }

for _, name in ipairs(REPORTS) do columns.KNOWN[name] = true end

return columns
