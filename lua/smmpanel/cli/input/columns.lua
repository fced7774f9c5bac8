--- The columns that a file may have: the fields of an order, and the columns of the commands' own reports.
-- @module smmpanel.cli.input.columns

local columns = {}

local catalog = require "smmpanel.catalog"

--- The fields of an order by name.
columns.FIELDS = { type = true }

--- The columns that `add --from` reads.
columns.ORDER = { ref = true }

--- All known columns.
columns.KNOWN = { ref = true }

for _, name in ipairs(catalog.FIELDS) do columns.FIELDS[name] = true end

for name in pairs(columns.FIELDS) do
  columns.ORDER[name], columns.KNOWN[name] = true, true
end

local REPORTS = { "result", "order", "refill", "error", "code", "status", "charge", "currency", "start_count",
  "remains", "runs", "orders", "cancel", "state", "since", "left", "attempt", "too_early", "verdict", "candidates",
  "reason", "message" }

for _, name in ipairs(REPORTS) do columns.KNOWN[name] = true end

return columns
