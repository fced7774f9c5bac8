--- Concludes from the surrounding orders whether an attempt without an answer placed its order. Pure: the data from the
-- ledger and the panel are arguments. docs/uncertain-orders.md has the reasoning.
--
-- The window of an attempt is the range of order numbers that the panel can have assigned to it. It is above the
-- largest number known when the attempt began (`row.floor`). It is below the number of the first order whose attempt
-- began after the panel must have finished this one. This assumes that a panel's numbers grow, and that a panel shows a
-- key only its own orders. Both are checked; if either may be false, the verdict is "unknown".
-- @module smmpanel.ledger.verdict

local verdict = {}

local decimal = require "smmpanel.util.decimal"
local lease = require "smmpanel.ledger.lease"
local process = require "smmpanel.ledger.process"

--- The number of orders with growing numbers that proves that the panel's numbers grow. Random numbers pass with a
-- probability of one in ten factorial.
verdict.GROWTH_MIN = 10

local REASONS = {
  too_early = "the panel may still be working on it",
  ids_not_numbers = "this panel's order ids are not numbers, so there is no range to search",
  window_open_before = "the ledger had no order of this panel when the attempt began",
  window_open = "no later order with a ref has been made yet: place the next one, then investigate again",
  few_orders = "the ledger needs at least ten orders, placed one after the other, to be sure that this panel's order "
    .. "ids grow with time",
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

--- Makes the verdict "unknown".
---@param reason string
---@param more? table further fields
---@return table
function verdict.unknown(reason, more)
  local made = { verdict = "unknown", reason = reason, message = REASONS[reason], candidates = {} }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

--- Makes the verdict "unknown" on an attempt that the panel may still be working on.
---@param seconds number for which it may
---@return table
function verdict.too_early(seconds)
  local found = verdict.unknown("too_early", { seconds = math.ceil(seconds) })
  found.message = ("%s: investigate again in %.0f s"):format(found.message, found.seconds)
  return found
end

-- Checks that all rows have numbers above those that were known before. Returns nil, or the reason.
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

-- Finds the first order that began after the panel must have finished the attempt.
local function closing_of(row, after)
  local placer = process.parse(row.placer)
  for _, later in ipairs(after) do
    if lease.between(row, later) >= placer.seconds then return later end
  end
end

---@class smmpanel.Window
---@field after number the largest order number known before
---@field before number the number of the closing order
---@field known table<number, table> the ledger's rows in the window, by number
---@field controls number[] numbers of this account, which the panel must show

--- Returns the window of an attempt.
---@param row table the attempt
---@param below table[] rows up to its floor, by number
---@param after table[] rows above it, by number
---@return smmpanel.Window?
---@return string? reason why it has no window
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

--- Returns the numbers to request: those in the window without a ref, and some between known orders below it, to check
-- that the panel hides orders of other keys.
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

-- Whether the panel's record matches the attempt's order and its price.
local function fits(record, attempt)
  for _, name in ipairs(SAME) do
    local shown, wanted = record[name], attempt.order[name]
    if shown ~= nil and wanted ~= nil and tostring(shown) ~= tostring(wanted) then return false end
  end
  local charge = record.charge ~= nil and decimal.parse(record.charge)
  return charge and attempt.price and charge == attempt.price or false
end

-- Counts the attempts that the record matches.
local function count_fits(record, attempts)
  local count = 0
  for _, attempt in ipairs(attempts) do
    if fits(record, attempt) then count = count + 1 end
  end
  return count
end

-- Whether each of the numbers can be the order of an open attempt.
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

-- Returns the numbers that have a record, sorted; nil if the panel did not answer for one.
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
---@field inside number[] the requested numbers in the window
---@field outside number[] the requested numbers below it
---@field records table<number, table> the records that the panel returned
---@field hidden table<number, true> the numbers that the panel reports as unknown
---@field controls_shown boolean whether the panel returned all control orders
---@field attempt { order: table, price: table? } the attempt's order and its price
---@field others { order: table, price: table? }[] the other open attempts

--- Returns the verdict on an attempt whose window was requested.
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
