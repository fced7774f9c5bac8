local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local shared = require "smmpanel.cli.options"

local SHAPE = { fields = { "balance", "currency" } }

local function run(context, args)
  local record, err = context:panel():balance()
  if not record then fail.client(err) end
  if args.json or args.csv or args.lua then
    formats.one(args, SHAPE, io.stdout, record)
  else
    local currency = record.currency and " " .. formats.text(record.currency) or ""
    context:print("%s%s", formats.text(record.balance), currency)
  end
end

return {
  name = "balance", run = run,
  about = "Show the account's balance.",
  options = shared.with_formats {}, exclusive = shared.FORMATS_EXCLUDE,
  examples = { { "smmpanel balance", "100.84292 USD" } },
}
