local explain = require "smmpanel.cli.explain"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local investigated = require "smmpanel.cli.investigated"
local natural = require "smmpanel.cli.views.natural"
local records = require "smmpanel.cli.views.records"
local shared = require "smmpanel.cli.options"

local SHAPE = {
  columns = { { title = "REF", shrinks = 1 }, { title = "STATE" }, { title = "SINCE" },
    { title = "SERVICE", right = true }, { title = "QUANTITY", right = true },
    { title = "LINK", shrinks = 1 } },
  fields = { "ref", "attempt", "state", "since", "left", "too_early", "service", "quantity", "link" },
  cells = function(entry)
    local style = entry.state == "uncertain" and "bad" or "open"
    local since = entry.since and os.date("%Y-%m-%d %H:%M:%S", math.floor(entry.since)) or ""
    return { formats.text(entry.ref), { text = entry.state, style = style }, since,
      formats.text(entry.service), formats.text(entry.quantity), formats.text(entry.link) }
  end,
}

-- The columns with --investigate.
local INVESTIGATED = {
  columns = { { title = "REF", shrinks = 1 }, { title = "VERDICT" }, { title = "ORDER" }, { title = "REASON" } },
  fields = { "ref", "attempt", "state", "verdict", "order", "reason", "message", "candidates", "service", "quantity",
    "link" },
  cells = function(entry)
    local style = entry.verdict == "unknown" and "bad" or "good"
    local verdict = { text = formats.text(entry.verdict or entry.state), style = style, whole = true }
    local order = formats.text(entry.order or entry.candidates)
    return { formats.text(entry.ref), verdict, order, formats.text(entry.reason) }
  end,
}

local CANDIDATES_MAX = 5 -- a person looks at them

-- The orders that may be it, as "23513? 23514?".
local function candidates_of(result)
  if not result or result.order or not result.candidates[1] then return nil end
  local shown = {}
  for i = 1, math.min(#result.candidates, CANDIDATES_MAX) do shown[i] = formats.text(result.candidates[i]) .. "?" end
  if #result.candidates > CANDIDATES_MAX then shown[#shown + 1] = "..." end
  return table.concat(shown, " ")
end

-- One flat record: the order's fields, the ledger's and the result of the investigation.
local function flat(entry, result)
  local row = {}
  for name, value in pairs(entry.order or {}) do row[name] = value end
  for name, value in pairs(entry) do
    if name ~= "order" then row[name] = value end
  end
  row.service, row.quantity = records.id(row.service), records.id(row.quantity)
  for _, name in ipairs { "verdict", "order", "reason", "message" } do row[name] = result and result[name] end
  row.candidates = candidates_of(result)
  return row
end

-- Explains each reason once, below the table, whose cells are too narrow for sentences.
local function explain_reasons(context, list, found)
  local said = {}
  for _, entry in ipairs(list) do
    local result = found[entry.ref] or {}
    local line = result.message and ("%s: %s"):format(result.reason or entry.ref, result.message)
    if line and not said[line] then context:say("%s", line) end
    if line then said[line] = true end
  end
end

local TIME_TELLS = { too_early = true, window_open = true } -- these say themselves what to wait for

local function advice(args, found)
  if not args.investigate then return explain.FIND_OUT end
  local look_up
  for _, result in pairs(found) do
    if result.verdict ~= "unknown" then return "Record what was found: smmpanel resolve --investigated" end
    look_up = look_up or not TIME_TELLS[result.reason]
  end
  return look_up and explain.LOOK_UP or nil
end

local function run(context, args)
  local panel = context:panel { ledger = context:ledger() }
  local list, err = panel:pending()
  if not list then fail.client(err) end
  natural(list, function(entry) return entry.ref end)
  local found = args.investigate and investigated.of(context, list) or {}
  local sink = formats.sink(args, args.investigate and INVESTIGATED or SHAPE, io.stdout)
  for _, entry in ipairs(list) do sink:row(flat(entry, found[entry.ref])) end
  sink:close()
  if #list == 0 then
    context:remark "nothing is pending"
  else
    if not (args.json or args.csv or args.lua) then explain_reasons(context, list, found) end
    local next_step = advice(args, found)
    if next_step then context:remark("%s", next_step) end
  end
end

return {
  name = "pending", run = run,
  about = "List the orders with a ref whose outcome is unknown.",
  details = "An order is `sending` while its request may still be running, and `uncertain` if no answer arrived. It is "
    .. "not sent again until you resolve it. In --csv and --json, `since` is a Unix time, and `left` is the number of "
    .. "seconds for which the request may still be running.",
  options = shared.with_formats {
    { flags = "--investigate", about = "Determine each outcome from other orders at the panel; only reads." },
    { flags = "--ledger", arg = "FILE", about = "Use this ledger file, not the default one." },
  },
  exclusive = shared.FORMATS_EXCLUDE,
  examples = {
    { "smmpanel pending", "the orders to look up at the panel" },
    { "smmpanel pending --investigate", "what the panel's other orders prove about each" },
  },
}
