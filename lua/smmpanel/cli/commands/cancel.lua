return require("smmpanel.cli.on_ids").command {
  name = "cancel", action = "cancel", verb = "requested",
  about = "Ask for the cancellation of orders.",
  details = "A cancellation that is taken is requested, not yet refunded: status tells when it is.",
  examples = { { "smmpanel cancel 23501 23502", "two orders" } },
}
