local decimal = require "smmpanel.util.decimal"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local money = require "smmpanel.cli.input.money"
local shared = require "smmpanel.cli.options"

local SHAPE = { fields = { "balance", "currency" } }

local function is_below(record, limit)
  local has = decimal.parse(record.balance)
  if has then return has < decimal.parse(limit) end
  local text = formats.text(record.balance)
  if text:find "^%-[0-9.]+$" then return true end -- in debt
  fail.with(fail.REFUSED, "the balance is not an amount: %s", text)
end

local function run(context, args)
  local record, err = context:panel():balance()
  if not record then fail.client(err) end
  if args.json or args.csv or args.lua then
    formats.one(args, SHAPE, io.stdout, record)
  else
    local currency = record.currency and " " .. formats.text(record.currency) or ""
    context:print("%s%s", formats.text(record.balance), currency)
  end
  if args.below and is_below(record, args.below) then return fail.SOME end
end

return {
  name = "balance", run = run,
  about = "Show the account's balance.",
  options = shared.with_formats {
    { flags = "--below", arg = "AMOUNT", convert = money.amount,
      about = "Exit with 1 if the balance is below this amount." },
  },
  exclusive = shared.FORMATS_EXCLUDE,
  examples = {
    { "smmpanel balance", "100.84292 USD" },
    { "smmpanel balance --below 10 || mail -s 'add funds' me@example.com </dev/null", "from cron" },
  },
}
