--- What became of an attempt without an answer, from the orders around it. Pure: what the ledger and the panel
-- say comes in as facts. docs/uncertain-orders.md has the reasoning.
--
-- The window of an attempt is the order numbers that the panel can have given to it: above the largest one that was
-- known when it began (`row.floor`), below that of the first order whose attempt began when the panel could no longer
-- be working on this one. Numbers of one panel grow, and a panel shows a key its own orders only. Both are checked;
-- where something speaks against either, the verdict is "unknown".
-- @module smmpanel.ledger.verdict

local verdict = {}

local decimal = require "smmpanel.util.decimal"
local lease = require "smmpanel.ledger.lease"
local process = require "smmpanel.ledger.process"

--- So many orders must be known to have got growing numbers before that is believed: a panel whose numbers are
-- random passes once in ten factorial.
verdict.GROWTH_MIN = 10

local REASONS = {
  too_early = "the panel may still be working on it",
  ids_not_numbers = "this panel's order ids are not numbers, so there is no range to search",
  window_open_before = "the ledger had no order of this panel when the attempt began",
  window_open = "no later order with a ref has been made yet: place the next one, then investigate again",
  few_orders = "the ledger has too few orders to be sure that this panel's order ids grow with time",
  ids_do_not_grow = "this panel's order ids do not grow with time",
  too_many_ids = "there are more order ids in the range than max_requests allows to query",
  no_control = "the ledger has no order of this account to compare the panel's answers with",
  not_read = "the panel did not answer for all order ids in the range",
  others_orders = "there are orders that belong to no ref: the panel shows other customers' orders, or you placed "
    .. "orders without a ref",
  no_stranger = "no order id was hidden, so the panel may show other customers' orders",
  price_unknown = "the order's price is unknown, and there are orders that belong to no ref",
  charge_differs = "there is an order that belongs to no ref, but its charge is not the price",
  several_fit = "several orders or several refs match each other",
}

--- A verdict that nothing can be said.
---@param reason string
---@param more? table further fields
---@return table
function verdict.unknown(reason, more)
  local made = { verdict = "unknown", reason = reason, message = REASONS[reason], candidates = {} }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

-- Whether all rows got numbers above those that were known before. -> nil, or the reason
local function growth(rows)
  local seen = 0
  for _, row in ipairs(rows) do
    if row.floor and row.floor > 0 and row.made > 0 then
      if row.made <= row.floor then return "ids_do_not_grow" end
      seen = seen + 1
    end
  end
  return seen < verdict.GROWTH_MIN and "few_orders" or nil
end

-- The first order that was begun when the panel could no longer be working on the attempt.
local function closing_of(row, after)
  local placer = process.parse(row.placer)
  for _, later in ipairs(after) do
    if lease.between(row, later) >= placer.seconds then return later end
  end
end

---@class smmpanel.Window
---@field after number the largest order number known before
---@field before number the number of the closing order
---@field known table<number, table> the ledger's rows between, by number
---@field controls number[] this account's numbers that the panel must show

--- The window of an attempt.
---@param row table the attempt
---@param below table[] rows up to its floor, by number
---@param after table[] rows above it, by number
---@return smmpanel.Window?
---@return string? reason why it has none
function verdict.window(row, below, after)
  if not row.floor or row.floor <= 0 then return nil, "window_open_before" end
  local all = {}
  for _, list in ipairs { below, after } do
    for _, other in ipairs(list) do all[#all + 1] = other end
  end
  local shrinks = growth(all)
  if shrinks == "ids_do_not_grow" then return nil, shrinks end
  local closing = closing_of(row, after)
  if not closing then return nil, "window_open" end
  if shrinks then return nil, shrinks end
  local window = { after = row.floor, before = closing.made, known = {}, controls = {}, closing = closing }
  for _, other in ipairs(all) do
    window.known[other.made] = other
    if other.ours and other.made > 0 then window.controls[#window.controls + 1] = other.made end
  end
  if not window.controls[1] then return nil, "no_control" end
  return window
end

local STRANGERS_WANTED = 20

--- The numbers to ask for: those in the window that no ref has, and some between known orders below it, to see
-- whether the panel hides what is not this key's.
---@param window smmpanel.Window
---@param limit integer at most so many in the window
---@return number[]? inside
---@return number[]|string outside, or the reason
function verdict.ids(window, limit)
  if window.before - window.after - 1 > limit then return nil, "too_many_ids" end
  local inside, outside, lowest = {}, {}, window.after
  for id = window.after + 1, window.before - 1 do
    if not window.known[id] then inside[#inside + 1] = id end
  end
  for id in pairs(window.known) do lowest = id > 0 and math.min(lowest, id) or lowest end
  local id = window.after - 1
  while id > lowest and #inside + #outside < STRANGERS_WANTED do
    if not window.known[id] then outside[#outside + 1] = id end
    id = id - 1
  end
  return inside, outside
end

local SAME = { "service", "quantity", "link" }

-- Whether the panel's record can be the order that was wanted, at that price.
local function fits(record, attempt)
  for _, name in ipairs(SAME) do
    local shown, wanted = record[name], attempt.order[name]
    if shown ~= nil and wanted ~= nil and tostring(shown) ~= tostring(wanted) then return false end
  end
  local charge = record.charge ~= nil and decimal.parse(record.charge)
  return charge and attempt.price and charge == attempt.price or false
end

-- How many of the attempts the record fits.
local function count_fits(record, attempts)
  local count = 0
  for _, attempt in ipairs(attempts) do
    if fits(record, attempt) then count = count + 1 end
  end
  return count
end

-- Whether each of the numbers is the order of some attempt that is open.
local function explained(facts, list)
  for _, id in ipairs(list) do
    if count_fits(facts.records[id], facts.others) == 0 then return false end
  end
  return true
end

local function judge(facts, found)
  local mine, foreign, shared = {}, {}, false
  for _, id in ipairs(found) do
    if fits(facts.records[id], facts.attempt) then
      mine[#mine + 1], shared = id, shared or count_fits(facts.records[id], facts.others) > 0
    else
      foreign[#foreign + 1] = id
    end
  end
  if #mine > 1 or shared then return verdict.unknown("several_fit", { candidates = mine }) end
  if not explained(facts, foreign) then
    return verdict.unknown(#mine == 0 and #found == 1 and "charge_differs" or "others_orders", { candidates = found })
  end
  if #mine == 0 then return { verdict = "not_made", candidates = {} } end
  return { verdict = "made", order = mine[1], candidates = mine }
end

-- The numbers that have a record, in their order; nil where one was not answered for.
local function shown(facts, list)
  local found, hidden = {}, 0
  for _, id in ipairs(list) do
    if facts.records[id] then
      found[#found + 1] = id
    elseif facts.hidden[id] then
      hidden = hidden + 1
    else
      return nil
    end
  end
  return found, hidden
end

---@class smmpanel.Facts
---@field inside number[] the numbers asked for in the window
---@field outside number[] ... and below it
---@field records table<number, table> what the panel showed
---@field hidden table<number, true> what it says is no order of this key
---@field controls_shown boolean whether it showed what surely is
---@field attempt { order: table, price: table? } what was wanted, and its price
---@field others { order: table, price: table? }[] the other attempts that are open

--- The verdict on an attempt, of which the window was read.
---@param facts smmpanel.Facts
---@return { verdict: string, order: number?, reason: string?, message: string?, candidates: number[] }
function verdict.of(facts)
  local found, hidden = shown(facts, facts.inside)
  local beside, hidden_beside = shown(facts, facts.outside)
  if not found or not beside or not facts.controls_shown then return verdict.unknown "not_read" end
  if #found == 0 then return { verdict = "not_made", candidates = {} } end
  if not facts.attempt.price then return verdict.unknown("price_unknown", { candidates = found }) end
  if hidden + hidden_beside == 0 then return verdict.unknown("no_stranger", { candidates = found }) end
  if not explained(facts, beside) then return verdict.unknown("others_orders", { candidates = found }) end
  return judge(facts, found)
end

return verdict
