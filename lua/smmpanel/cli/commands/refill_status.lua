return require("smmpanel.cli.on_ids").command {
  name = "refill-status", action = "refill_status", verb = "found",
  about = "Show how far refills are.",
  examples = { { "smmpanel refill-status 1 2", "by the refills' ids, not the orders'" } },
}
