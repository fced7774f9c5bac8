--- A whole panel, without network and without a clock of its own: what it answers to a request's
-- fields, at a time that is passed in.
-- @module smmpanel.sandbox.panel

local accounts = require "smmpanel.sandbox.panel.accounts"
local catalog = require "smmpanel.sandbox.panel.catalog"
local checks = require "smmpanel.sandbox.panel.checks"
local idempotency = require "smmpanel.sandbox.panel.idempotency"
local json = require "smmpanel.sandbox.panel.php_json"
local money = require "smmpanel.sandbox.panel.money"
local orders = require "smmpanel.sandbox.panel.orders"
local shapes = require "smmpanel.sandbox.shapes"

local panel = {}

local Panel = {}
Panel.__index = Panel

panel.IDS_MAX = 100        -- in one request, as documented
panel.FIRST_ORDER = 23501

---@class sandbox.panel_options
---@field now fun(): number seconds; the panel's clock
---@field keys { main: string, second?: string, empty?: string, inactive?: string } the accounts' keys
---@field any_key? boolean every other key is the main account's
---@field services? integer how many services are listed
---@field balance? string of the accounts main and second (`100.84292`)
---@field currency? string (`USD`)

--- A panel as it is on its first day.
---@param options sandbox.panel_options
---@return table panel
function panel.new(options)
  local self = setmetatable({
    now = options.now, currency = options.currency or "USD", services = catalog.new(options.services),
    accounts = accounts.new(options), by_id = {}, orders = {}, refills = {}, made = {}, due = {},
    parents = {}, links = {}, serial = panel.FIRST_ORDER - 1, refill_serial = 0, rendered = {},
    wrong_keys = 0,
  }, Panel)
  for _, service in ipairs(self.services) do
    self.by_id[tostring(service.id)] = service
  end
  accounts.add_examples(self, self.accounts[options.keys.main])
  return self
end

--- The account of a name, for whoever runs the panel.
---@param name string
---@return table?
function Panel:account(name)
  for _, account in pairs(self.accounts) do
    if account.name == name then
      return account
    end
  end
end

-- ---- what the clock brings -------------------------------------------------------------------

local function enter(self, order)
  self.orders[order.id] = order
  if order.outcome ~= "Completed" then
    self.due[order] = true
  end
  return order
end

local function next_id(self, wanted)
  self.serial = self.serial + 1
  if wanted == "opaque" then
    return ("ord_01HG%08X"):format(self.serial)
  end
  return wanted or ("%.0f"):format(self.serial)
end

local function settle(self, order)
  local refund = orders.settle(order, self.now())
  if refund then
    order.account.balance = order.account.balance + refund
    self.due[order] = nil
  end
end

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
  local child = orders.new({ id = next_id(self), serial = self.serial, service = parent.service,
    account = parent.account, link = parent.link, quantity = quantity, charge = charge }, at)
  parent.children[#parent.children + 1] = enter(self, child)
  return true
end

local function feed(self, parent, now)
  parent.paused = false
  local at = next_child(parent)
  while at and at <= now and not parent.paused do
    parent.paused = not make_child(self, parent, at)
    at = next_child(parent)
  end
end

--- Brings the panel up to its clock: orders of drip-feeds and subscriptions, refunds.
function Panel:catch_up()
  local now = self.now()
  for _, parent in ipairs(self.parents) do
    feed(self, parent, now)
  end
  for order in pairs(self.due) do
    settle(self, order)
  end
end

local function parent_status(self, parent)
  local now = self.now()
  local last = parent.children[#parent.children]
  if parent.runs and #parent.children >= parent.runs then
    return orders.is_final(last, now) and "Completed" or parent.active
  elseif now > parent.expires then
    return "Expired"
  end
  return parent.paused and "Paused" or parent.active
end

local function parent_record(self, parent)
  local ids = {}
  for i, child in ipairs(parent.children) do
    ids[i] = child.id
  end
  local record = json.object("status", parent_status(self, parent))
  if parent.service.type == "Subscriptions" then
    record:set("expiry", parent.expiry or ""):set("posts", ("%d"):format(parent.posts or 0))
  else
    record:set("runs", ("%d"):format(parent.runs))
  end
  return record:set("orders", json.array(ids))
end

-- ---- the actions -----------------------------------------------------------------------------

local actions = {}

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

local function add_subscription(self, order, fields)
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

local function add_dripfeed(self, order, fields, quantity)
  order.runs, order.quantity = checks.integer(fields.runs), quantity
  order.every, order.delay, order.expires = checks.integer(fields.interval) * 60, 0, math.huge
  order.active, order.paid = "In progress", true
  self.parents[#self.parents + 1] = order
end

local function link_taken(self, service, link)
  local last = service.once and self.links[service.id .. " " .. link]
  return last and not orders.is_final(last, self.now())
end

-- The charge is for the whole of it: a drip-feed's quantity is that of one run.
local function charge_of(service, quantity, runs)
  if service.type == "Subscriptions" then
    return money.zero
  end
  return money.times(orders.cost(service, quantity), runs)
end

local function make(self, service, fields, order)
  local quantity, now = order.quantity, self.now()
  self.made[#self.made + 1] = order -- but not those that a drip-feed or a subscription makes by itself
  if service.type == "Subscriptions" or fields.runs then
    order.children, order.made, order.quantity = {}, now, nil
    local add = fields.runs and add_dripfeed or add_subscription
    add(self, order, fields, quantity)
    self.orders[order.id] = order
    feed(self, order, now)
  else
    enter(self, orders.new(order, now))
    self.links[service.id .. " " .. order.link] = order
  end
end

-- Empty drip-feed fields are none: forms send them so.
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
  local id = next_id(self, wishes.id)
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

-- What each of the ids in a text brings: `one` answers for a single id.
local function for_each_id(text, wishes, one)
  local ids, items = different_ids(text), {}
  local max = wishes.ids_max or panel.IDS_MAX
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
      return { id = id, value = parent_record(self, order) }
    end
    settle(self, order)
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

-- ---- requests --------------------------------------------------------------------------------

--- What the panel says to a request, before it is put into words (see `shapes`).
---@param fields table<string, string>
---@param wishes? table what a shape asks of the panel itself
---@return table answer
function Panel:answer(fields, wishes)
  if not fields.key or not fields.action then
    return { error = "Incorrect request" }
  end
  local account, action = self.accounts[fields.key], actions[fields.action]
  if not account then
    self.wrong_keys = self.wrong_keys + 1
    return { error = "Invalid API key" }
  elseif account.name == "inactive" then
    return { error = "Your account is inactive" }
  elseif not action then
    return { error = "Incorrect request" }
  end
  self:catch_up()
  local answer = action(self, account, fields, wishes or {})
  answer.action = fields.action
  return answer
end

--- The answer to a request, in text. A catalogue is put into words once for each way of saying it.
---@param fields table<string, string>
---@param asked? { name: string, arg: string? }[] the shapes (see `shapes`); none: as documented
---@return string body
function Panel:body(fields, asked)
  local answer = self:answer(fields, shapes.wishes(asked))
  if not answer.list then
    return shapes.encode(answer, asked)
  end
  local name = shapes.name(asked)
  self.rendered[name] = self.rendered[name] or shapes.encode(answer, asked)
  return self.rendered[name]
end

--- The answer to a request as HTTP has it.
---@param fields table<string, string>
---@param asked? { name: string, arg: string? }[]
---@return integer status
---@return table<string, string> headers
---@return string body
function Panel:handle(fields, asked)
  return 200, { ["Content-Type"] = "application/json" }, self:body(fields, asked)
end

return panel
