--- Many orders with refs, several at a time. Because each is placed at most once, a run that was stopped or
-- killed is simply run again: what was placed is answered from the ledger, and the rest is sent.
-- @module smmpanel.ledger.add_all

local add_all = {}

local checks = require "smmpanel.util.checks"
local errors = require "smmpanel.errors"
local loops = require "smmpanel.loop"
local order = require "smmpanel.api.order_fields"
local argerror = require "smmpanel.util.argerror"

local WHERE = "panel:add_all"

---@class smmpanel.RefOrder
---@field ref string
---@field order smmpanel.Order

local function check_item(item, place)
  if type(item) ~= "table" then
    argerror.throw(WHERE, "%s must be { ref = ..., order = ... }, got %s", place, argerror.describe(item))
  end
  local wrong = checks.ref(item.ref)
  if wrong then
    argerror.throw(WHERE, "the ref of %s must be %s, got %s", place, wrong, argerror.describe(item.ref))
  end
  order.fields(item.order)
  return item
end

-- All of a list are checked before anything is sent.
local function check_list(list)
  local seen = {}
  for i, item in ipairs(list) do
    check_item(item, ("orders[%d]"):format(i))
    if seen[item.ref] then
      argerror.throw(WHERE, "orders[%d] and orders[%d] have the same ref, '%s'", seen[item.ref], i, item.ref)
    end
    seen[item.ref] = i
  end
end

--- What gives the orders one after the other, and how many there are, where that is known.
---@param orders smmpanel.RefOrder[]|fun(): smmpanel.RefOrder?
---@return fun(): smmpanel.RefOrder?
---@return integer? total
function add_all.source(orders)
  if type(orders) == "table" then
    check_list(orders)
    local i = 0
    return function()
      i = i + 1
      return orders[i]
    end, #orders
  end
  if type(orders) ~= "function" then
    local got = argerror.describe(orders)
    argerror.throw(WHERE, "needs a list of orders, or a function that returns the next one, got %s", got)
  end
  local ended = false -- an iterator need not bear being asked again
  return function()
    if ended then return nil end
    local item = orders()
    ended = item == nil
    return item and check_item(item, "an order")
  end
end

-- What concerns this one order; every other failure of the ledger is one for all orders.
local OWN = { uncertain = true, mismatch = true, conflict = true }

--- Whether after this failure none of the others would do better. Pure.
---@param err smmpanel.Error
---@return boolean
function add_all.stops(err)
  if err.kind == "ledger" then return not OWN[err.code] end
  return err.kind == "cancelled" or err.code == "no_funds" or err.code == "limiter"
    or errors.is_authentication(err)
end

local function entry(ref, err)
  return { ref = ref, error = err.message, code = err.code, cause = err, uncertain = err.uncertain }
end

-- Those that were not tried, where they are known.
local function unsent(next_order, results, why)
  for item in next_order do
    local said = "not sent, for " .. why.message
    results[item.ref] = { ref = item.ref, error = said, code = "unsent", cause = why }
  end
end

--- Places them.
---@param next_order fun(): smmpanel.RefOrder?
---@param total integer?
---@param how { loop: table, concurrency: integer, on_answer: function?, on_progress: function }
---@param add fun(item: smmpanel.RefOrder): table?, smmpanel.Error?
---@return table<string, table> results by ref; empty where `on_answer` has them
---@return smmpanel.Error? what stopped it
function add_all.run(next_order, total, how, add)
  local results, done, stopped, over = {}, 0, nil, false
  local function deliver(ref, made, err)
    if how.on_answer then return how.on_answer(ref, made, err) end
    results[ref] = made or entry(ref, err)
  end
  local function place()
    while not stopped and not over do
      local item = next_order()
      if not item then return end
      local made, err = add(item)
      if err and add_all.stops(err) then stopped = stopped or err end
      done = done + 1
      deliver(item.ref, made, err)
      how.on_progress(done, total)
    end
  end
  -- What the caller's functions throw ends it for all: no order is begun after that.
  local function work()
    loops.or_end(function() over = true end, place)
  end
  local workers = {}
  for i = 1, math.min(how.concurrency, total or how.concurrency) do workers[i] = work end
  loops.side_by_side(how.loop, workers, #workers)
  if stopped and total and not how.on_answer then unsent(next_order, results, stopped) end
  return results, stopped
end

return add_all
