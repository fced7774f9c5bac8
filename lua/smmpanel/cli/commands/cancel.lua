return require("smmpanel.cli.on_ids").command {
  name = "cancel", action = "cancel", verb = "requested",
  about = "Ask for the cancellation of orders.",
  details = "On a terminal the orders are shown first, and you are asked; elsewhere it needs --yes. "
    .. "A cancellation that is taken is requested, not yet refunded: status tells when it is.",
  question = "Cancel %s?",
  examples = {
    { "smmpanel cancel 23501 23502", "shows both, and asks" },
    { "smmpanel cancel --from report.csv --yes", "the orders in its column 'order'" },
  },
}
