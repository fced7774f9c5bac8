--- The life of an order by the clock. No timer runs: the state of an order follows from the time when it was placed and
-- the time now, so a clock that jumps forward takes the orders with it.
-- @module smmpanel.sandbox.panel.orders

local json = require "smmpanel.sandbox.panel.php_json"
local money = require "smmpanel.sandbox.panel.money"

local orders = {}

--- Seconds from one state to the next.
orders.life = {
  pending = 2, processing = 2, delivery = 26, -- an ordinary order is completed after 30
  cancel = 5,                                 -- from the request to the refund
  refill = 10,
  post = 20,                                  -- between two new posts of a subscriber
}

orders.REFILL_DAYS = 30
orders.CHILDREN_MAX = 1000 -- of one subscription: one that never ends must not fill the memory

local PARTIAL_SHARE = 0.6

-- A link may set the final state of its order: `https://…#ends=Partial`.
local function ending(service, link)
  local text = (link or ""):match("#ends=([^#]+)")
  return text and text:gsub("_", " ") or service.ends or "Completed"
end

local function deliverable(total, outcome)
  if outcome == "Completed" then
    return total
  end
  return outcome == "Partial" and math.floor(total * PARTIAL_SHARE) or 0
end

--- A new order.
---@param o { id: string, serial: integer, service: table, link: string?, quantity: integer, charge: table }
---@param now number
---@return table order
function orders.new(o, now)
  local life = orders.life
  local outcome = ending(o.service, o.link)
  o.made, o.starts = now, now + life.pending + life.processing
  o.ends = outcome == "never" and math.huge or o.starts + life.delivery
  o.outcome, o.delivers = outcome, deliverable(o.quantity, outcome)
  o.start_count = o.serial * 7919 % 99991
  return o
end

--- Returns the cost of a number of pieces of a service, or the price of a package.
---@param service table
---@param quantity integer
---@return table amount
function orders.cost(service, quantity)
  local rate = money.parse(service.rate)
  if service.type:find("Package") then
    return quantity > 0 and rate or money.zero
  end
  return money.per_thousand(rate, quantity)
end

---@param order table
---@param now number
---@return boolean
function orders.is_final(order, now)
  return now >= order.ends
end

--- Returns how many pieces have been delivered by now.
---@param order table
---@param now number
---@return integer
function orders.delivered(order, now)
  if now >= order.ends then
    return order.delivers
  elseif order.still then -- an example of the documentation that stays in progress
    return order.still
  elseif now <= order.starts or order.ends == math.huge then
    return 0
  end
  return math.floor(order.delivers * (now - order.starts) / (order.ends - order.starts))
end

---@param order table
---@param now number
---@return string status
function orders.status(order, now)
  if now >= order.ends then
    return order.outcome
  elseif now >= order.starts then
    return "In progress"
  end
  return now >= order.made + orders.life.pending and "Processing" or "Pending"
end

--- Reduces the charge of an order that has ended by what it did not deliver, once.
---@param order table
---@param now number
---@return table? refund an amount, or nil
function orders.settle(order, now)
  if order.settled or now < order.ends then
    return nil
  end
  order.settled = true
  local due = orders.cost(order.service, order.delivers)
  local refund = order.charge - due
  order.charge = due
  return refund
end

--- The answer to `status`, as documented.
---@param order table
---@param now number
---@param currency string
---@return table object
function orders.record(order, now, currency)
  local started = now >= order.starts
  return json.object()
    :set("charge", money.text(order.charge))
    :set("start_count", ("%.0f"):format(started and order.start_count or 0))
    :set("status", orders.status(order, now))
    :set("remains", ("%.0f"):format(order.quantity - orders.delivered(order, now)))
    :set("currency", currency)
end

--- Accepts or refuses a cancellation. The order ends a little later, with what it has delivered by then.
---@param order table
---@param now number
---@return boolean? taken
---@return string? why_not
function orders.cancel(order, now)
  if not order.service.cancel then
    return nil, "Order is not eligible for cancellation"
  elseif order.cancelled or now >= order.ends then
    return nil, "Order can't be canceled"
  end
  order.cancelled = true
  local at = now + orders.life.cancel
  if at < order.ends then
    local delivered = orders.delivered(order, at)
    order.ends, order.delivers = at, delivered
    order.outcome = delivered > 0 and "Partial" or "Canceled"
  end
  return true
end

--- Returns whether the order can be refilled now.
---@param order table
---@param now number
---@return boolean? yes
---@return string? why_not
function orders.refillable(order, now)
  local status = orders.status(order, now)
  if not order.service.refill then
    return nil, "Refill is disabled for this service"
  elseif order.cancelled then
    return nil, "Refill is not available: the order was canceled"
  elseif status ~= "Completed" and status ~= "Partial" then
    return nil, "Order is not completed"
  elseif now > order.ends + orders.REFILL_DAYS * 86400 then
    return nil, "Refill days are over"
  elseif order.refill and not orders.refill_is_final(order.refill, now) then
    return nil, "Refill was requested already"
  end
  return true
end

--- Starts a refill of an order.
---@param order table
---@param id string
---@param now number
---@return table refill
function orders.refill(order, id, now)
  order.refill = {
    id = id, order = order, made = now,
    ends = order.settled_example and now or now + orders.life.refill,
    outcome = (order.link or ""):match("#refill=(%a+)") or "Completed",
  }
  return order.refill
end

---@param refill table
---@param now number
---@return boolean
function orders.refill_is_final(refill, now)
  return now >= refill.ends
end

---@param refill table
---@param now number
---@return string status
function orders.refill_status(refill, now)
  if now >= refill.ends then
    return refill.outcome
  end
  return now >= refill.made + orders.life.pending and "In progress" or "Pending"
end

return orders
