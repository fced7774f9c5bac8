local records = require "smmpanel.cli.views.records"

return require("smmpanel.cli.on_ids").command {
  name = "status", action = "status", verb = "found",
  shape = records.status,
  about = "Show the status of orders.",
  details = "Accepts any number of orders. Each request asks for up to 100, and several requests run at once.",
  examples = {
    { "smmpanel status 23501 23502", "two orders" },
    { "smmpanel status --ref shop-1042", "the order that was placed with this ref" },
    { "smmpanel status --from ids.txt --csv >status.csv", "the orders in a file, for a spreadsheet" },
  },
}
