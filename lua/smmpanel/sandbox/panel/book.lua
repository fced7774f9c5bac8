--- The panel's book of orders: their ids, and the refunds of those that have ended.
-- @module smmpanel.sandbox.panel.book

local orders = require "smmpanel.sandbox.panel.orders"

local book = {}

--- Stores a new order. One that can get a refund is settled when it has ended.
---@param self table the panel
---@param order table
---@return table order
function book.enter(self, order)
  self.orders[order.id] = order
  if order.outcome ~= "Completed" then
    self.due[order] = true
  end
  return order
end

--- The id of the next order.
---@param self table the panel
---@param wanted? string an id to use instead, or "opaque" for one that is not a number
---@return string id
function book.next_id(self, wanted)
  self.serial = self.serial + 1
  if wanted == "opaque" then
    return ("ord_01HG%08X"):format(self.serial)
  end
  return wanted or ("%.0f"):format(self.serial)
end

--- Refunds what an order that has ended did not deliver, once.
---@param self table the panel
---@param order table
function book.settle(self, order)
  local refund = orders.settle(order, self.now())
  if refund then
    order.account.balance = order.account.balance + refund
    self.due[order] = nil
  end
end

return book
