local formats = require "smmpanel.cli.views.formats"
local records = require "smmpanel.cli.views.records"

return require("smmpanel.cli.on_ids").command {
  name = "refill", action = "refill", verb = "requested",
  shape = records.two_columns("order", "refill", formats.text),
  about = "Request refills of orders.",
  details = "On a terminal the command shows the orders and asks for confirmation. Elsewhere, pass --yes.",
  question = "Request a refill of %s?",
  examples = { { "smmpanel refill 23501", "shows the refill's id, for refill-status" } },
}
