--- The orders of `panel:add_all`: a list, which is checked completely before anything is sent, or an iterator, whose
-- entries are checked one by one.
-- @module smmpanel.ledger.orders

local orders = {}

local argerror = require "smmpanel.util.argerror"
local checks = require "smmpanel.util.checks"
local errors = require "smmpanel.errors"
local fields = require "smmpanel.api.order_fields"
local guard = require "smmpanel.util.guard"

local WHERE = "panel:add_all"

---@class smmpanel.RefOrder
---@field ref string|integer
---@field order smmpanel.Order

-- -> what is wrong with the entry, apart from the order itself; or nil
local function problem(item, place)
  if type(item) ~= "table" then
    return ("%s must be { ref = ..., order = ... }, got %s"):format(place, argerror.describe(item))
  end
  local wrong = checks.ref(item.ref)
  return wrong and ("the ref of %s must be %s, got %s"):format(place, wrong, argerror.describe(item.ref))
end

local function check_item(item, place)
  local wrong = problem(item, place)
  if wrong then argerror.throw(WHERE, "%s", wrong) end
  fields.fields(item.order)
end

-- `#` and `ipairs` may end at a hole, and the entries after it would be silently skipped.
local function length(list)
  local last, count = 0, 0
  for key in pairs(list) do
    if type(key) ~= "number" or key % 1 ~= 0 or key < 1 then
      argerror.throw(WHERE, "orders must be a list, got a table with the key %s", argerror.describe(key))
    end
    last, count = math.max(last, key), count + 1
  end
  if last == count then return count end
  for i = 1, last do
    if list[i] == nil then argerror.throw(WHERE, "orders[%d] is nil: a list must have no holes", i) end
  end
end

local function from_list(list)
  local total, seen = length(list), {}
  for i = 1, total do
    local item = list[i]
    check_item(item, ("orders[%d]"):format(i))
    local ref = checks.ref_text(item.ref) -- 42 and "42" are the same ref
    if seen[ref] then
      argerror.throw(WHERE, "orders[%d] and orders[%d] have the same ref, '%s'", seen[ref], i, ref)
    end
    seen[ref] = i
  end
  local i = 0
  return function()
    i = i + 1
    return list[i]
  end, total
end

-- -> what is wrong with an iterator's entry; or nil
local function wrong_entry(item, count)
  local wrong = problem(item, ("the order number %d of the iterator"):format(count))
  if wrong then return wrong end
  local ok, thrown = guard.call(fields.fields, item.order)
  return not ok and ("the order of '%s': %s"):format(item.ref, (tostring(thrown):gsub("^[^:]+:%d+: ", ""))) or nil
end

-- An iterator is not called again after its end.
local function from_iterator(iterator)
  local ended, count = false, 0
  return function()
    if ended then return nil end
    local item = iterator()
    count = count + 1
    local wrong = item ~= nil and wrong_entry(item, count) or nil
    ended = item == nil or wrong ~= nil
    if not wrong then return item end
    return nil, errors.new { kind = "refused", code = "bad_entry", action = "add", attempts = 0, message = wrong }
  end
end

--- Returns an iterator over the orders, and their number if it is known.
---@param given smmpanel.RefOrder[]|fun(): smmpanel.RefOrder?
---@return fun(): smmpanel.RefOrder?, smmpanel.Error?
---@return integer? total
function orders.of(given)
  if type(given) == "table" then return from_list(given) end
  if type(given) == "function" then return from_iterator(given) end
  argerror.throw(WHERE, "needs a list of orders, or a function that returns the next one, got %s",
    argerror.describe(given))
end

return orders
