--- Orders that make other orders: drip-feeds (a number of runs) and subscriptions (one order per new post). The
-- order that the customer placed is the parent; its children are ordinary orders.
-- @module smmpanel.sandbox.panel.series

local book = require "smmpanel.sandbox.panel.book"
local checks = require "smmpanel.sandbox.panel.checks"
local json = require "smmpanel.sandbox.panel.php_json"
local money = require "smmpanel.sandbox.panel.money"
local orders = require "smmpanel.sandbox.panel.orders"

local series = {}

-- When the next order of a drip-feed or a subscription is due, or nil.
local function next_child(parent)
  local n = #parent.children
  if n >= (parent.runs or orders.CHILDREN_MAX) then
    return nil
  end
  local at = n < (parent.old_posts or 0) and parent.made or parent.made + n * parent.every + parent.delay
  return at <= parent.expires and at or nil
end

local function make_child(self, parent, at)
  local quantity = parent.quantity or parent.min + (self.serial * 31) % (parent.max - parent.min + 1)
  local charge = orders.cost(parent.service, quantity)
  if not parent.paid and parent.account.balance < charge then
    return false
  elseif not parent.paid then
    parent.account.balance = parent.account.balance - charge
  end
  local child = orders.new({ id = book.next_id(self), serial = self.serial, service = parent.service,
    account = parent.account, link = parent.link, quantity = quantity, charge = charge }, at)
  parent.children[#parent.children + 1] = book.enter(self, child)
  return true
end

--- Makes the orders of a parent that are due by now. It pauses when the balance does not suffice.
---@param self table the panel
---@param parent table
---@param now number
function series.feed(self, parent, now)
  parent.paused = false
  local at = next_child(parent)
  while at and at <= now and not parent.paused do
    parent.paused = not make_child(self, parent, at)
    at = next_child(parent)
  end
end

--- Makes an order the parent of a subscription's orders.
---@param self table the panel
---@param order table
---@param fields table<string, string>
function series.subscription(self, order, fields)
  local posts = checks.integer(fields.posts)
  local expiry = fields.expiry ~= "" and fields.expiry or nil
  order.min, order.max = checks.integer(fields.min), checks.integer(fields.max)
  order.posts, order.runs = posts, posts and posts > 0 and posts or nil
  order.old_posts = checks.integer(fields.old_posts)
  order.every, order.delay = orders.life.post, checks.integer(fields.delay) * 60
  order.expiry, order.expires = expiry, expiry and checks.expiry(expiry) or math.huge
  order.active, order.link, order.charge = "Active", fields.username, money.zero
  self.parents[#self.parents + 1] = order
end

--- Makes an order the parent of a drip-feed's orders.
---@param self table the panel
---@param order table
---@param fields table<string, string>
---@param quantity integer of one run
function series.dripfeed(self, order, fields, quantity)
  order.runs, order.quantity = checks.integer(fields.runs), quantity
  order.every, order.delay, order.expires = checks.integer(fields.interval) * 60, 0, math.huge
  order.active, order.paid = "In progress", true
  self.parents[#self.parents + 1] = order
end

local function status(self, parent)
  local now = self.now()
  local last = parent.children[#parent.children]
  if parent.runs and #parent.children >= parent.runs then
    return orders.is_final(last, now) and "Completed" or parent.active
  elseif now > parent.expires then
    return "Expired"
  end
  return parent.paused and "Paused" or parent.active
end

--- The answer to `status` of a parent.
---@param self table the panel
---@param parent table
---@return table object
function series.record(self, parent)
  local ids = {}
  for i, child in ipairs(parent.children) do
    ids[i] = child.id
  end
  local record = json.object("status", status(self, parent))
  if parent.service.type == "Subscriptions" then
    record:set("expiry", parent.expiry or ""):set("posts", ("%d"):format(parent.posts or 0))
  else
    record:set("runs", ("%d"):format(parent.runs))
  end
  return record:set("orders", json.array(ids))
end

return series
