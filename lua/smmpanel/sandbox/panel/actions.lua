--- What the panel does for each action: `actions.NAME(self, account, fields, wishes)` returns the answer as a table
-- that `documented.lua` and the shapes turn into text. The table has `item` (one id), `items` (several), `id`,
-- `record`, `list` or `error`.
-- @module smmpanel.sandbox.panel.actions

local book = require "smmpanel.sandbox.panel.book"
local catalog = require "smmpanel.sandbox.panel.catalog"
local checks = require "smmpanel.sandbox.panel.checks"
local idempotency = require "smmpanel.sandbox.panel.idempotency"
local json = require "smmpanel.sandbox.panel.php_json"
local money = require "smmpanel.sandbox.panel.money"
local orders = require "smmpanel.sandbox.panel.orders"
local series = require "smmpanel.sandbox.panel.series"

local actions = {}

local IDS_MAX = 100 -- in one request, as documented

function actions.services(self)
  if not self.listed then
    local list = {}
    for i, service in ipairs(self.services) do
      list[i] = catalog.record(service)
    end
    self.listed = json.array(list)
  end
  return { list = self.listed }
end

function actions.balance(self, account)
  return { record = json.object("balance", money.text(account.balance), "currency", self.currency) }
end

local function link_taken(self, service, link)
  local last = service.once and self.links[service.id .. " " .. link]
  return last and not orders.is_final(last, self.now())
end

-- The charge is for all runs: the quantity of a drip-feed is that of one run.
local function charge_of(service, quantity, runs)
  if service.type == "Subscriptions" then
    return money.zero
  end
  return money.times(orders.cost(service, quantity), runs)
end

local function make(self, service, fields, order)
  local quantity, now = order.quantity, self.now()
  self.made[#self.made + 1] = order -- without the later orders of a drip-feed or a subscription
  if service.type == "Subscriptions" or fields.runs then
    order.children, order.made, order.quantity = {}, now, nil
    local add = fields.runs and series.dripfeed or series.subscription
    add(self, order, fields, quantity)
    self.orders[order.id] = order
    series.feed(self, order, now)
  else
    book.enter(self, orders.new(order, now))
    self.links[service.id .. " " .. order.link] = order
  end
end

-- Forms send empty drip-feed fields; they count as absent.
local function without_empty(fields)
  local filled = {}
  for name, value in pairs(fields) do filled[name] = value end
  for _, name in ipairs { "runs", "interval" } do
    if filled[name] and not filled[name]:find("%S") then filled[name] = nil end
  end
  return filled
end

function actions.add(self, account, fields, wishes)
  fields = without_empty(fields)
  local service = self.by_id[(fields.service or ""):match("^%s*(.-)%s*$")]
  if not service then
    return { error = "Incorrect service ID" }
  end
  local quantity, problem = checks.order(service, fields)
  if not quantity then
    return { error = problem }
  elseif link_taken(self, service, fields.link) then
    return { error = "You have an active order with this link. Please wait until the order is completed" }
  end
  local charge = charge_of(service, quantity, checks.integer(fields.runs) or 1)
  if account.balance < charge then
    return { error = "Not enough funds on balance" }
  end
  account.balance = account.balance - charge
  local id = book.next_id(self, wishes.id)
  make(self, service, fields, { id = id, serial = self.serial, service = service, account = account,
    link = fields.link, quantity = quantity, charge = charge, fields = fields })
  return { id = id, charge = charge, balance = account.balance }
end
actions.add = idempotency.wrap(actions.add)

local function different_ids(text)
  local ids, seen = {}, {}
  for id in (text .. ","):gmatch("%s*([^,]-)%s*,") do
    if not seen[id] then
      seen[id] = true
      ids[#ids + 1] = id
    end
  end
  return ids
end

-- Returns the answer for each id in a list; `one` answers for a single id.
local function for_each_id(text, wishes, one)
  local ids, items = different_ids(text), {}
  local max = wishes.ids_max or IDS_MAX
  if #ids > max and not wishes.ids_cut then
    return { error = ("Maximum %d order IDs in one request"):format(max) }
  end
  for i = 1, math.min(#ids, wishes.ids_cut or #ids) do
    items[i] = one(ids[i])
  end
  return { items = items }
end

local function order_of(self, account, id)
  local order = self.orders[id:match("^%s*(.-)%s*$")]
  return order and order.account == account and order or nil
end

local function answer_ids(fields, wishes, single, plural, one)
  if fields[plural] then
    return for_each_id(fields[plural], wishes, one)
  elseif fields[single] then
    return { item = one(fields[single]) }
  end
  return { error = "Incorrect request" }
end

function actions.status(self, account, fields, wishes)
  return answer_ids(fields, wishes, "order", "orders", function(id)
    local order = order_of(self, account, id)
    if not order then
      return { id = id, error = "Incorrect order ID" }
    elseif order.children then
      return { id = id, value = series.record(self, order) }
    end
    book.settle(self, order)
    return { id = id, value = orders.record(order, self.now(), self.currency) }
  end)
end

function actions.refill(self, account, fields, wishes)
  return answer_ids(fields, wishes, "order", "orders", function(id)
    local order, now = order_of(self, account, id), self.now()
    if not order then
      return { id = id, error = "Incorrect order ID" }
    elseif order.children then
      return { id = id, error = "Order is not eligible for refill" }
    end
    local allowed, why = orders.refillable(order, now)
    if not allowed then
      return { id = id, error = why }
    end
    self.refill_serial = self.refill_serial + 1
    local refill = orders.refill(order, ("%d"):format(self.refill_serial), now)
    self.refills[refill.id] = refill
    return { id = id, value = refill.id }
  end)
end

function actions.refill_status(self, account, fields, wishes)
  return answer_ids(fields, wishes, "refill", "refills", function(id)
    local refill = self.refills[id:match("^%s*(.-)%s*$")]
    if not refill or refill.order.account ~= account then
      return { id = id, error = "Refill not found" }
    end
    return { id = id, value = orders.refill_status(refill, self.now()) }
  end)
end

function actions.cancel(self, account, fields, wishes)
  local ids = fields.orders or fields.order
  if not ids then
    return { error = "Incorrect request" }
  end
  return for_each_id(ids, wishes, function(id)
    local order = order_of(self, account, id)
    if not order then
      return { id = id, error = "Incorrect order ID" }
    elseif order.children then
      return { id = id, error = "Order is not eligible for cancellation" }
    end
    local taken, why = orders.cancel(order, self.now())
    self.due[order] = taken or self.due[order]
    return { id = id, value = taken and 1 or nil, error = why }
  end)
end

return actions
