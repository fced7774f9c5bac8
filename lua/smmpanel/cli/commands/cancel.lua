local records = require "smmpanel.cli.views.records"

return require("smmpanel.cli.on_ids").command {
  name = "cancel", action = "cancel", verb = "requested",
  shape = records.two_columns("order", "cancel", records.requested),
  about = "Request the cancellation of orders.",
  details = "On a terminal the command shows the orders and asks for confirmation. Elsewhere, pass --yes. "
    .. "An accepted cancellation is a request, not yet a refund: check the result with `smmpanel status`.",
  question = "Cancel %s?",
  examples = {
    { "smmpanel cancel 23501 23502", "shows both and asks for confirmation" },
    { "smmpanel cancel --from report.csv --yes", "the orders in the column 'order'" },
  },
}
