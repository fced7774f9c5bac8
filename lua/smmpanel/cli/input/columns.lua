--- The columns that a file may have: the fields of an order, and those of the reports that the commands write.
-- @module smmpanel.cli.input.columns

local columns = {}

local catalog = require "smmpanel.catalog"

--- The fields of an order by name.
columns.FIELDS = { type = true }

--- What add reads.
columns.ORDER = { ref = true }

--- What any file of ours may have.
columns.KNOWN = { ref = true }

for _, name in ipairs(catalog.FIELDS) do columns.FIELDS[name] = true end

for name in pairs(columns.FIELDS) do
  columns.ORDER[name], columns.KNOWN[name] = true, true
end

local REPORTS = { "result", "order", "refill", "error", "code", "status", "charge", "currency", "start_count",
  "remains", "runs", "orders", "cancel", "state", "since", "left", "attempt", "too_early", "verdict",
  "reason", "message" }

for _, name in ipairs(REPORTS) do columns.KNOWN[name] = true end

return columns
