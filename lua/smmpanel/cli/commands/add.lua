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
local width = require "smmpanel.cli.views.width"

local SEARCH_AGE, PRICE_AGE = 900, 60 -- seconds

local LABEL = 12 -- cells before a text

-- A name with many spaces could otherwise write a price of its own into the next line of the terminal.
local function in_a_line(text)
  return width.cut(width.clean(text), terminal.size() - LABEL, "...")
end

local function show(context, services, service, order)
  local balance, err = context:panel():balance()
  if not balance then fail.client(err) end
  local price, why = services:price(order)
  context:say("  service   %s", in_a_line(formats.text(service.service) .. "  " .. formats.text(service.name)))
  for _, field in ipairs(order_form.shown(order)) do context:say("  %-9s %s", field[1], field[2]) end
  context:say("  price     %s", price and money.text(price, balance.currency) or "not known: " .. in_a_line(why))
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
    context:write("return " .. lua_literal.encode(made))
  elseif args.csv then
    formats.one(args, SHAPE, io.stdout, { ref = args.ref, order = made.order })
  elseif terminal.is_tty(io.stdout) then
    context:print("%s", said_of(made))
  elseif id ~= "" then
    context:print("%s", id)
  end
  terminal.flush(io.stdout)
end

-- If stdout fails, the id goes to stderr: it must not be lost.
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
    if not work:has_begun() then return "nothing was sent" end
    if made then return said_of(made) end
    if err then return explain.text(err) end
    return "no answer yet: the order may have been placed; check the panel before you try again"
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
  if args.ref then context:panel { ledger = context:ledger(true) } end
  local unknown = not args.any_field and order_form.unknown(order)
  if unknown then fail.usage("%s", unknown) end
  if not order.service and context:can_ask() then
    order.service = order_form.ask_service(context, context:catalog(SEARCH_AGE))
  end
  if not order.service then fail.usage "no service given: add service=ID" end
  local service, services = order_form.service(context, order, PRICE_AGE)
  order_form.complete(context, services, service, order)
  local before = args.ref and known.of(context:panel(), args.ref).state == "made"
  if before then
    context:remark("'%s' was already placed; nothing is sent", args.ref)
  elseif context:can_ask() or args.dry_run then
    show(context, services, service, order)
  end
  if args.dry_run then return end
  if not before then
    context:agree("place the order", "Place this order?", nil,
      "nothing was sent; to repeat: " .. order_form.command(order, args.ref))
  end
  place(context, args, order)
end

local function run(context, args)
  if not args.from then return add_one(context, args) end
  if args.field[1] or args.ref then
    fail.usage "--from takes no fields and no --ref: put them in the file"
  end
  return require("smmpanel.cli.add_many").run(context, args)
end

local from = from_file.options "Place the orders in this CSV file (-: standard input)."

return {
  name = "add", run = run,
  about = "Place an order, or many from a file.",
  details = "Write fields as name=value. For a list (comments, usernames, keywords, hashtags, groups), repeat the "
    .. "field or write name=@file. On a terminal the command asks for the missing fields that the service's type "
    .. "requires; elsewhere a missing field is an error. Before it sends the order, the command shows the price and "
    .. "the balance and asks for confirmation.\n\nWith --from, each row of the file is an order. The first row names "
    .. "the columns: ref, and the fields. A ref is your own name for the order (an idempotency key): the order is "
    .. "placed once, no matter how often you run the command, even if it was killed half-way. For orders with an "
    .. "unknown outcome, see pending and resolve.",
  lists = require "smmpanel.cli.views.order_help",
  arguments = { { name = "field", args = "*", about = "The order's fields, as name=value." } },
  options = shared.with_panel {
    shared.YES,
    { flags = "--dry-run", about = "Check the order and show its price; send nothing." },
    money_input.MAX_COST,
    { flags = "--ref", arg = "REF", about = "Your own name for the order, which is then placed at most once." },
    from[1], from[2],
    { flags = "--any-field", about = "Also send undocumented fields, which some panels have." },
    { flags = "--ledger", arg = "FILE", about = "Use this ledger file, not the default one." },
    { flags = "--json", about = "Write JSON: an object, or with --from an array with one record per line." },
    { flags = "--csv", about = "Write CSV with a header line." },
    { flags = "--raw-csv", about = "With --csv: do not put ' before texts that a spreadsheet reads as formulas." },
    { flags = "--lua", about = "Write a Lua table." },
  },
  exclusive = shared.FORMATS_EXCLUDE,
  examples = {
    { "smmpanel add service=1 link=https://example.com/p/1 quantity=1000", "asks for confirmation" },
    { "smmpanel add service=2 link=https://example.com/p/2 comments=@comments.txt --yes", "does not ask" },
    { "smmpanel add --from orders.csv --yes --csv >report.csv", "places many; run it again to continue" },
  },
}
