--- `add --from`: places many orders, each once, no matter how often the command runs.
-- @module smmpanel.cli.add_many

local add_many = {}

local decimal = require "smmpanel.util.decimal"
local explain = require "smmpanel.cli.explain"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local interrupt = require "smmpanel.cli.interrupt"
local known = require "smmpanel.cli.known"
local money = require "smmpanel.cli.views.money"
local order_file = require "smmpanel.cli.input.order_file"
local progress = require "smmpanel.cli.views.progress"

-- ---- beforehand -----------------------------------------------------------------------------

-- Returns the total price of the orders whose price is known, and the number of the others.
local function total_of(items, services)
  local total, unknown = decimal.zero, 0
  for _, item in ipairs(items) do
    local price = services:price(item.order)
    if price then total = total + decimal.parse(price) else unknown = unknown + 1 end
  end
  return decimal.text(total), unknown
end

local function price_text(total, unknown, count, currency)
  if unknown == count then return "not known" end
  local text = money.text(total, currency)
  if unknown == 0 then return text end
  return ("%s, and %s with an unknown price"):format(text, progress.number(unknown))
end

local function show(context, state, services)
  local counts, items = state.known, state.known.items
  context:say("  orders    %s", known.text(counts, #state.items))
  if #items == 0 then return end
  local balance, err = context:panel():balance()
  if not balance then fail.client(err) end
  local total, unknown = total_of(items, services)
  context:say("  price     %s", price_text(total, unknown, #items, balance.currency))
  context:say("  balance   %s%s", money.text(formats.text(balance.balance), balance.currency),
    unknown == 0 and money.afterwards(balance.balance, total, balance.currency) or "")
end

-- ---- afterwards -----------------------------------------------------------------------------

local STYLES = { placed = "good", refused = "bad", uncertain = "bad", failed = "bad", ["not sent"] = "open" }

local SHAPE = {
  columns = { { title = "REF", shrinks = 2 }, { title = "RESULT" }, { title = "ORDER" },
    { title = "", shrinks = 1 } },
  fields = { "ref", "result", "order", "error", "code" },
  cells = function(row)
    return { row.ref, { text = row.result, style = STYLES[row.result] }, formats.text(row.order),
      { text = row.error or "", explains = true } }
  end,
}

local function result_of(made, err)
  if made then return "placed" end
  if err.uncertain then return "uncertain" end
  if err.code == "unsent" or err.code == "max_cost" then return "not sent" end
  return fail.code(err) == fail.REFUSED and "refused" or "failed"
end

local NOT_SENT = { result = "not sent" }
local IN_DOUBT = { result = "uncertain", err = { message = "stopped before the answer arrived", code = "uncertain" } }

-- Returns a row with the result of each order, in the order of the file.
local function rows_of(state)
  local rows = {}
  for i, item in ipairs(state.items) do
    local answer = state.answers[item.ref] or (i <= state.taken and IN_DOUBT or NOT_SENT)
    rows[i] = { ref = item.ref, result = answer.result, order = answer.made and answer.made.order,
      error = answer.err and explain.short(answer.err), code = answer.err and answer.err.code }
  end
  return rows
end

local RESULTS = { "placed", "refused", "uncertain", "failed", "not sent" }

local function counts_of(state)
  local counts = {}
  for _, name in ipairs(RESULTS) do counts[name] = 0 end
  for _, row in ipairs(rows_of(state)) do counts[row.result] = counts[row.result] + 1 end
  return counts
end

local function summary(state)
  local counts, parts = counts_of(state), {}
  for _, name in ipairs(RESULTS) do
    if counts[name] > 0 or name == "placed" then
      parts[#parts + 1] = progress.number(counts[name]) .. " " .. name
    end
  end
  local before = math.min(state.known.made, counts.placed)
  if before > 0 then parts[1] = parts[1] .. (" (%s of them before)"):format(progress.number(before)) end
  return table.concat(parts, ", ")
end

-- A table lists only the orders that need attention; the others are counted.
local function report(args, state)
  local all, shown = args.json or args.csv or args.lua, {}
  for _, row in ipairs(rows_of(state)) do
    if all or row.result ~= "placed" and row.result ~= "not sent" then shown[#shown + 1] = row end
  end
  formats.report(args, SHAPE, shown)
end

-- Returns the explanation of a web page that came instead of an answer: it is printed once, not per order.
local function page_of(state)
  for _, item in ipairs(state.items) do
    local answer = state.answers[item.ref]
    if answer and answer.err and answer.err.server and answer.err.server.page then return answer.err end
  end
end

local function advise(context, state, counts)
  if counts.uncertain > 0 then
    context:say "Find out what became of the uncertain orders: smmpanel pending --investigate"
  end
  if state.stopped then context:say("Stopped early: %s", explain.text(state.stopped)) end
  local page = not state.stopped and page_of(state)
  if page then context:say("%s", explain.text(page)) end
  if counts["not sent"] + counts.failed > 0 then context:say "To continue, run the same command again." end
end

-- ---- the command ----------------------------------------------------------------------------

local function place(context, panel, state, args)
  local bar = context.bar
  bar:draw(0, #state.items)
  local function next_item()
    if state.stopping or state.taken == #state.items then return nil end
    state.taken = state.taken + 1
    return state.items[state.taken]
  end
  state.work:run(function()
    state.stopped = select(2, panel:add_all(next_item, {
      max_cost = args.max_cost,
      on_answer = function(ref, made, err)
        state.answers[ref] = { made = made, err = err, result = result_of(made, err) }
      end,
      on_progress = function(done) bar:draw(done, #state.items) end,
    }))
  end)
  bar:clear()
end

local function exit_code(state, counts)
  if counts.placed == #state.items then return 0 end
  if counts.uncertain > 0 then return fail.UNCERTAIN end
  local code = state.stopped and fail.code(state.stopped) or fail.SOME
  return (counts.placed == 0 or code == fail.INTERRUPTED) and code or fail.SOME
end

--- Runs the command.
---@param context smmpanel.cli.Context
---@param args table
---@return integer? exit code
function add_many.run(context, args)
  local state = { answers = {}, taken = 0, work = interrupt.new() }
  local panel = context:panel { ledger = context:ledger(true) }
  local services = context:catalog(0)
  state.items = order_file.read(args.from, services, args)
  state.known = known.count(panel, state.items)
  if context:can_ask() or args.dry_run then show(context, state, services) end
  if args.dry_run then return end
  if #state.known.items > 0 then context:agree("place the orders", "Place these orders?") end
  context.bar = progress.new "add"
  context.on_interrupt = function()
    state.stopping = true
    context.bar:hide()
    state.work:wait(context)
    report(args, state)
    return summary(state) .. "; to continue, run the same command again"
      .. (counts_of(state).uncertain > 0 and ", and see: smmpanel pending" or "")
  end
  place(context, panel, state, args)
  context.on_interrupt = nil
  report(args, state)
  local counts = counts_of(state)
  context:say("%s", summary(state))
  advise(context, state, counts)
  return exit_code(state, counts)
end

return add_many
