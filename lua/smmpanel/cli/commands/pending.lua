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
  columns = { { title = "REF", shrinks = 1 }, { title = "VERDICT" }, { title = "ORDER" }, { title = "", shrinks = 1 } },
  fields = { "ref", "attempt", "state", "verdict", "order", "reason", "message", "service", "quantity", "link" },
  cells = function(entry)
    local style = entry.verdict == "unknown" and "bad" or "good"
    local verdict = { text = formats.text(entry.verdict or entry.state), style = style, whole = true }
    return { formats.text(entry.ref), verdict, formats.text(entry.order),
      formats.text(entry.message or entry.reason) }
  end,
}

-- One flat record: the order's fields, the ledger's and the result of the investigation.
local function flat(entry, result)
  local row = {}
  for name, value in pairs(entry.order or {}) do row[name] = value end
  for name, value in pairs(entry) do
    if name ~= "order" then row[name] = value end
  end
  row.service, row.quantity = records.id(row.service), records.id(row.quantity)
  for _, name in ipairs { "verdict", "order", "reason", "message" } do row[name] = result and result[name] end
  return row
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
    context:remark(args.investigate and "Record what was found: smmpanel resolve --investigated"
      or "Look up each order at the panel, then: smmpanel resolve REF ORDER_ID (or --not-placed)")
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
