return require("smmpanel.cli.on_ids").command {
  name = "refill", action = "refill", verb = "requested",
  about = "Ask for refills of orders.",
  details = "On a terminal the orders are shown first, and you are asked; elsewhere it needs --yes.",
  question = "Ask for a refill of %s?",
  examples = { { "smmpanel refill 23501", "the answer has the refill's id, for refill-status" } },
}
