local checks = require "smmpanel.util.checks"
local explain = require "smmpanel.cli.explain"
local fail = require "smmpanel.cli.fail"
local fields = require "smmpanel.cli.input.fields"
local formats = require "smmpanel.cli.views.formats"
local json = require "smmpanel.util.json"
local from_file = require "smmpanel.cli.input.from"
local interrupt = require "smmpanel.cli.interrupt"
local known = require "smmpanel.cli.known"
local lua_literal = require "smmpanel.cli.views.lua_literal"
local money = require "smmpanel.cli.views.money"
local money_input = require "smmpanel.cli.input.money"
local order_form = require "smmpanel.cli.input.order_form"
local shared = require "smmpanel.cli.options"
local terminal = require "smmpanel.cli.views.terminal"

local SEARCH_AGE, PRICE_AGE = 900, 60 -- seconds

local function show(context, services, service, order)
  local balance, err = context:panel():balance()
  if not balance then fail.client(err) end
  local price, why = services:price(order)
  context:say("  service   %s  %s", formats.text(service.service), formats.text(service.name))
  for _, field in ipairs(order_form.shown(order)) do context:say("  %-9s %s", field[1], field[2]) end
  context:say("  price     %s", price and money.text(price, balance.currency) or "not known: " .. why)
  context:say("  balance   %s%s", money.text(formats.text(balance.balance), balance.currency),
    money.afterwards(balance.balance, price, balance.currency))
end

local SHAPE = { fields = { "ref", "order" } }

local function said_of(made)
  local id = formats.text(made.order)
  return id ~= "" and "placed: order " .. id or "accepted, without an order id yet"
end

local function write(context, args, made)
  local id = formats.text(made.order)
  if args.json then
    context:write(json.encode(made))
  elseif args.lua then
    context:write("return " .. lua_literal(made))
  elseif args.csv then
    formats.one(args, SHAPE, io.stdout, { ref = args.ref, order = made.order })
  elseif terminal.is_tty(io.stdout) then
    context:print("%s", said_of(made))
  elseif id ~= "" then
    context:print("%s", id)
  end
  terminal.flush(io.stdout)
end

-- An id that cannot be written where it was wanted is not lost.
local function report(context, args, made)
  local ok, thrown = pcall(write, context, args, made)
  if ok then return end
  context:say("%s", said_of(made))
  error(thrown, 0)
end

local function place(context, args, order)
  local panel, work = context:panel(), interrupt.new()
  local made, err
  context.on_interrupt = function()
    work:wait(context)
    if made then return said_of(made) end
    if err then return explain.text(err) end
    return "the answer had not come: the order may have been placed; look at the panel before trying again"
  end
  local finished, thrown = pcall(work.run, work, function()
    made, err = panel:add(order, { ref = args.ref, max_cost = args.max_cost })
  end)
  if not finished then fail.thrown(thrown) end
  context.on_interrupt = nil
  if not made then fail.client(err) end
  report(context, args, made)
end

local function add_one(context, args)
  local order = fields.read(args.field)
  local wrong_ref = args.ref and checks.ref(args.ref)
  if wrong_ref then fail.usage("the ref must be %s", wrong_ref) end
  if args.ref then context:panel { ledger = context:ledger() } end
  local unknown = not args.any_field and order_form.unknown(order)
  if unknown then fail.usage("%s", unknown) end
  if not order.service and context:can_ask() then
    order.service = order_form.ask_service(context, context:catalog(SEARCH_AGE))
  end
  if not order.service then fail.usage "which service? Give service=ID" end
  local service, services = order_form.service(context, order, PRICE_AGE)
  order_form.complete(context, services, service, order)
  local before = args.ref and known.of(context:panel(), args.ref).state == "made"
  if before then
    context:remark("'%s' was placed before: nothing is sent", args.ref)
  elseif context:can_ask() or args.dry_run then
    show(context, services, service, order)
  end
  if args.dry_run then return end
  if not args.yes and not before then
    if not context:can_ask() then fail.usage "not a terminal: pass --yes to place the order" end
    if not context:confirm "Place this order?" then
      fail.with(fail.SOME, "nothing was sent; the same again: %s", order_form.command(order, args.ref))
    end
  end
  place(context, args, order)
end

local function run(context, args)
  if not args.from then return add_one(context, args) end
  if args.field[1] or args.ref then
    fail.usage "--from goes without fields and --ref: they are in the file"
  end
  return require("smmpanel.cli.add_many").run(context, args)
end

local from = from_file.options "Place the orders in this CSV file (-: the standard input)."

return {
  name = "add", run = run,
  about = "Place an order, or many from a file.",
  details = "Fields are given as name=value. The lists (comments, usernames, keywords, hashtags, groups) "
    .. "are given several times, or as name=@file. What the service's type requires is asked for on a "
    .. "terminal, and is an error elsewhere. Before anything is sent the price and the balance are "
    .. "shown, and you are asked.\n\nWith --from each row of the file is an order; the first row names "
    .. "the columns: ref, and the fields. A ref is your own name for the order: it is placed once, "
    .. "however often the command is run, also after it was killed in the middle. See pending and "
    .. "resolve for orders whose end is not known.",
  lists = require "smmpanel.cli.views.order_help",
  arguments = { { name = "field", args = "*", about = "The order's fields, as name=value." } },
  options = shared.with_panel {
    { flags = "-y --yes", about = "Do not ask." },
    { flags = "--dry-run", about = "Check and show what it would cost; send nothing." },
    money_input.MAX_COST,
    { flags = "--ref", arg = "REF", about = "Your own name for the order: it is placed at most once." },
    from[1], from[2],
    { flags = "--any-field", about = "Send also fields that are not documented: panels have some of their own." },
    { flags = "--ledger", arg = "FILE", about = "Keep there which refs were placed." },
    { flags = "--json", about = "Write JSON: an object; with --from an array, with one record on each line." },
    { flags = "--csv", about = "Write comma-separated values, with the names in the first line." },
    { flags = "--raw-csv", about = "With --csv: do not put ' before texts that a spreadsheet takes for formulas." },
    { flags = "--lua", about = "Write a Lua table." },
  },
  exclusive = shared.FORMATS_EXCLUDE,
  examples = {
    { "smmpanel add service=1 link=https://example.com/p/1 quantity=1000", "asks before it sends" },
    { "smmpanel add service=2 link=https://example.com/p/2 comments=@comments.txt --yes", "does not" },
    { "smmpanel add --from orders.csv --yes --csv >report.csv", "places many; run it again to go on" },
  },
}
