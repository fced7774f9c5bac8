local fail = require "smmpanel.cli.fail"
local shared = require "smmpanel.cli.options"

local function run(context, args)
  if (args.order ~= nil) == (args.not_placed ~= nil) then
    fail.usage "was it placed? Give the order's id, or --not-placed"
  end
  local panel = context:panel { ledger = context:ledger() }
  local ok, done, err = pcall(panel.resolve, panel, args.ref, args.order or false)
  if not ok then fail.thrown(done) end
  if not done then fail.client(err) end
  context:remark("%s", args.order and ("'%s' is order %s"):format(args.ref, args.order)
    or ("'%s' was not placed, and may be sent again"):format(args.ref))
end

return {
  name = "resolve", run = run,
  about = "Settle an order whose end is not known.",
  details = "Look for the order at the panel first: where it was placed and you say that it was not, it "
    .. "can be placed again.",
  arguments = {
    { name = "ref", about = "Your name for the order." },
    { name = "order", args = "?", about = "The id that the panel gave it." },
  },
  options = shared.with_panel {
    { flags = "--not-placed", about = "The panel has no such order." },
    { flags = "--ledger", arg = "FILE", about = "The ledger, where it is not in its usual place." },
  },
  examples = {
    { "smmpanel resolve shop-1042 23501", "it is there, as order 23501" },
    { "smmpanel resolve shop-1042 --not-placed", "it is not: add may send it again" },
  },
}
