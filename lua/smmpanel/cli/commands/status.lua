return require("smmpanel.cli.on_ids").command {
  name = "status", action = "status", verb = "found",
  about = "Show how far orders are.",
  details = "Any number of orders: they are asked for a hundred at a time, several requests side by side.",
  examples = {
    { "smmpanel status 23501 23502", "two orders" },
    { "smmpanel status --ref shop-1042", "the order that was placed under this ref" },
    { "smmpanel status --from ids.txt --csv >status.csv", "those in a file, for a spreadsheet" },
  },
}
