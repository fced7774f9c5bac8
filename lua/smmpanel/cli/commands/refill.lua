return require("smmpanel.cli.on_ids").command {
  name = "refill", action = "refill", verb = "requested",
  about = "Ask for refills of orders.",
  examples = { { "smmpanel refill 23501", "the answer has the refill's id, for refill-status" } },
}
