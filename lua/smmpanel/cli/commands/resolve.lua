local explain = require "smmpanel.cli.explain"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local from = require "smmpanel.cli.input.from"
local investigated = require "smmpanel.cli.investigated"
local records = require "smmpanel.cli.views.records"
local resolutions = require "smmpanel.cli.input.resolutions"
local shared = require "smmpanel.cli.options"

-- ---- what the panel says of the ids ---------------------------------------------------------

local function statuses_of(context, list)
  local wanted = {}
  for _, each in ipairs(list) do
    if each.order then wanted[#wanted + 1] = each.order end
  end
  if not wanted[1] then return {} end
  local found, err = context:panel():status(wanted)
  if err then fail.client(err) end
  return found
end

local function check_known(list, found)
  local unknown = {}
  for _, each in ipairs(list) do
    local record = each.order and found[each.order]
    if record and record.error then unknown[#unknown + 1] = ("%s (%s)"):format(each.order, record.error) end
  end
  if not unknown[1] then return end
  fail.with(fail.REFUSED, "the panel does not know order %s; nothing was recorded (--force records it anyway)",
    table.concat(unknown, ", "))
end

-- ---- what the ledger knows of the refs ------------------------------------------------------

local function pending_by_ref(panel)
  local entries, err = panel:pending()
  if not entries then fail.client(err) end
  local by_ref = {}
  for _, entry in ipairs(entries) do by_ref[entry.ref] = entry end
  return by_ref, entries
end

-- ---- the question ---------------------------------------------------------------------------

local SHAPE = {
  columns = { { title = "REF", shrinks = 2 }, { title = "SERVICE", right = true }, { title = "QUANTITY", right = true },
    { title = "LINK", shrinks = 2 }, { title = "ORDER" }, { title = "STATUS", shrinks = 1 },
    { title = "CHARGE", right = true } },
  cells = function(row)
    local wanted, record = row.entry and row.entry.order or {}, row.record
    return { formats.text(row.ref), formats.text(wanted.service), formats.text(wanted.quantity),
      formats.text(wanted.link), row.order or "not placed",
      record and (record.error and { text = record.error, style = "bad", whole = true, explains = true }
        or records.state(record.status)) or "",
      record and not record.error and records.charge(record) or "" }
  end,
}

local function show(list, entries, found)
  local sink = formats.sink({}, SHAPE, io.stderr)
  for _, each in ipairs(list) do
    sink:row { ref = each.ref, order = each.order, entry = entries[each.ref], record = found[each.order] }
  end
  sink:close()
end

local function question(list)
  if #list > 1 then return ("Record these %d outcomes?"):format(#list) end
  local each = list[1]
  if each.order then return ("Record '%s' as order %s?"):format(each.ref, each.order) end
  return ("Record that '%s' was not placed? It can then be placed again."):format(each.ref)
end

local function ask(context, list, entries, found)
  context:agree("record the outcome", question(list), function() show(list, entries, found) end, "nothing was recorded")
end

-- ---- the command ----------------------------------------------------------------------------

local function record(context, args, each, entry)
  local panel = context:panel()
  local ok, done, err = pcall(panel.resolve, panel, each.ref, each.order,
    { attempt = entry and entry.attempt, force = args.force })
  if not ok then fail.thrown(done) end
  if done then
    context:remark("%s", each.order and ("'%s' is order %s"):format(each.ref, each.order)
      or ("'%s' was not placed and can be sent again"):format(each.ref))
  end
  return not done and err or nil
end

local function run(context, args)
  local list = not args.investigated and resolutions.read(args)
  local panel = context:panel { ledger = context:ledger() }
  local entries, in_order = pending_by_ref(panel)
  list = list or investigated.resolutions(context, in_order)
  if not list[1] then fail.with(fail.SOME, "no outcome was determined; nothing was recorded") end
  local found = args.force and {} or statuses_of(context, list)
  if not args.force then check_known(list, found) end
  ask(context, list, entries, found)
  local failed
  for _, each in ipairs(list) do
    local err = record(context, args, each, entries[each.ref])
    if err and #list > 1 then context:say("%s: %s", each.ref, explain.text(err)) end
    failed = failed or err
  end
  if not failed then return 0 end
  if #list == 1 then fail.client(failed) end
  return fail.SOME
end

local own = from.options "Read refs and orders from this CSV file; an order is an id, or 'not placed'."

return {
  name = "resolve", run = run,
  about = "Record the outcome of a pending order.",
  details = "Look up the order at the panel first: if you record a placed order as not placed, it can be placed twice. "
    .. "On a terminal the command shows the order with this id and asks for confirmation. Elsewhere, pass --yes. An id "
    .. "that the panel does not know is refused.\n\nWith --from, the command records many outcomes from a CSV file "
    .. "with the columns ref and order: for example the output of `smmpanel pending --csv` with a column order added.",
  arguments = {
    { name = "ref", args = "?", about = "The order's ref." },
    { name = "order", args = "?", about = "The panel's id of the order." },
  },
  options = shared.with_panel {
    { flags = "--not-placed", about = "The panel has no such order." },
    { flags = "--investigated", about = "Investigate all pending orders (see pending) and record what was proven." },
    own[1], own[2],
    shared.YES,
    { flags = "--force", about = "Skip the check of the id at the panel, and the wait while the panel may still be "
      .. "working on the order." },
    { flags = "--ledger", arg = "FILE", about = "Use this ledger file, not the default one." },
  },
  examples = {
    { "smmpanel resolve shop-1042 23501", "the panel has it, as order 23501" },
    { "smmpanel resolve shop-1042 --not-placed", "the panel does not have it: add can send it again" },
    { "smmpanel resolve --investigated", "all whose outcome other orders prove" },
    { "smmpanel resolve --from settled.csv --yes", "many, from a file" },
  },
}
