local records = require "smmpanel.cli.views.records"

return require("smmpanel.cli.on_ids").command {
  name = "refill-status", action = "refill_status", verb = "found",
  shape = records.two_columns("refill", "status", records.state),
  about = "Show the status of refills.",
  examples = { { "smmpanel refill-status 1 2", "refill ids, not order ids" } },
}
