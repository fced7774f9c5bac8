--- A panel's catalogue: find, price and compare services, check orders.
--
--     local catalog = smmpanel.catalog(assert(panel:services()))
--     local cheap = catalog:search { text = "instagram likes", refill = true, sort = "rate" }[1]
--     print(cheap.name, catalog:cost(cheap.service, 1500))
-- @module smmpanel.catalog

local catalog = {}

local check = require "smmpanel.catalog.check"
local decimal = require "smmpanel.util.decimal"
local diff = require "smmpanel.catalog.diff"
local file = require "smmpanel.catalog.file"
local order_rules = require "smmpanel.api.order_fields"
local search = require "smmpanel.catalog.search"
local argerror = require "smmpanel.util.argerror"

---@class smmpanel.Catalog
---@field list smmpanel.Service[] in the panel's order
local Catalog = {}
Catalog.__index = Catalog

--- The documented types of services, and the fields of their orders.
---@type smmpanel.OrderType[]
catalog.TYPES = order_rules.types

--- The documented fields of an order, in the order in which they are sent.
---@type string[]
catalog.FIELDS = order_rules.NAMES

--- Returns the fields of an order as `panel:add` sends them, for a preview before it is placed. `type` is checked, not
-- sent. Sends nothing. Throws if `panel:add` would.
---@param order smmpanel.Order
---@return { name: string, value: string|string[] }[] fields in the order they are sent; a list's value is a list
function catalog.sent(order)
  local flat, list = order_rules.fields(order), {}
  for i = 1, #flat, 2 do list[#list + 1] = { name = flat[i], value = flat[i + 1] } end
  return list
end

--- Makes a catalogue of a list of services, as returned by `panel:services()`.
---@param list smmpanel.Service[]
---@return smmpanel.Catalog
function catalog.new(list)
  if type(list) ~= "table" then
    argerror.throw("smmpanel.catalog", "needs a list of services, got %s", argerror.describe(list))
  end
  return setmetatable({ list = list }, Catalog)
end

-- The services by id. Made on first use, because a search needs none, and it takes a third of the list's memory.
local function by_id(self)
  local known = self.known
  if not known then
    known = {}
    for _, service in ipairs(self.list) do known[argerror.plain(service.service)] = service end
    self.known = known
  end
  return known
end

--- Returns the service with this id, or nil.
---@param id smmpanel.Id
---@return smmpanel.Service?
function Catalog:find(id)
  return by_id(self)[argerror.plain(id)]
end

--- Returns the services that match all conditions, in the panel's order or sorted.
---@param wanted? smmpanel.Search
---@return smmpanel.Service[]
function Catalog:search(wanted)
  return search.run(self.list, wanted or {})
end

local function found(self, id)
  local service = self:find(id)
  if service then return service end
  return nil, ("the catalogue has no service %s"):format(argerror.plain(id))
end

local function count_of(where, name, value)
  local count = type(value) == "string" and value:find("^[0-9]+$") and decimal.parse(value)
    or type(value) == "number" and value % 1 == 0 and value >= 0 and value <= 2 ^ 53 and decimal.parse(value)
  return count
    or argerror.throw(where, "%s must be a whole number from 0 up, got %s", name, argerror.describe(value))
end

local THOUSANDTH = decimal.parse "0.001"

--- Returns the exact cost of a quantity. A service's rate is the price of 1,000 pieces; of a Package, the price of one.
-- A subscription is charged for each post: `quantity` pieces for each of `runs` posts.
---@param id smmpanel.Id
---@param quantity integer|string of a drip-feed: per run; of a subscription: per post
---@param runs? integer runs of a drip-feed, posts of a subscription (1)
---@return string? cost as decimal text
---@return string? problem there is no such service, or its rate is not a price
function Catalog:cost(id, quantity, runs)
  local where = "catalog:cost"
  local count = count_of(where, "quantity", quantity) * count_of(where, "runs", runs or 1)
  local service, problem = found(self, id)
  if not service then return nil, problem end
  local rate = decimal.parse(service.rate)
  if not rate then
    local rate_text = type(service.rate) == "string" and service.rate or argerror.describe(service.rate)
    return nil, ("the rate of service %s is not a price: %s"):format(argerror.plain(id), rate_text)
  end
  local cost = rate * count
  return decimal.text(check.is_package(service) and cost or cost * THOUSANDTH)
end

-- Returns the most that a subscription can cost: `max` pieces for each of its posts.
local function subscription_price(self, order)
  local most, posts = check.count(order.max), check.count(order.posts)
  if most and posts and posts > 0 then
    return self:cost(order.service, most, posts + (check.count(order.old_posts) or 0))
  end
  return nil, "a subscription is charged post by post"
end

--- Returns the cost of an order. The service's type determines the quantity (the lines of `comments`, 1 for a Package);
-- it is multiplied by `runs`. For a subscription with `max` and `posts` the result is the most that it can cost.
---@param order smmpanel.Order
---@return string? cost as decimal text
---@return string? problem also for a subscription with no limit on its posts
function Catalog:price(order)
  local service, problem = found(self, order.service)
  if not service then return nil, problem end
  if check.is_subscription(service) then return subscription_price(self, order) end
  local quantity
  quantity, problem = check.quantity(service, order)
  if not quantity then return nil, problem end
  local runs = order.runs == nil and 1 or check.count(order.runs)
  if not runs then return nil, ("runs must be a whole number, got %s"):format(argerror.describe(order.runs)) end
  return self:cost(order.service, quantity, math.max(1, runs)) -- no runs: no drip-feed, and one price
end

---@class smmpanel.OrderForm
---@field type? string the documented name of the service's type; nil if it is not documented
---@field required string[] without `service`
---@field optional string[] including `runs` and `interval` if the service has drip-feed
---@field counted? string the field that determines the quantity, which `min` and `max` limit; nil if none does
---@field min? integer as the service has it
---@field max? integer

--- Returns the fields that an order of a service needs and may have, for a form that asks for them.
---@param id smmpanel.Id
---@return smmpanel.OrderForm?
---@return string? problem
function Catalog:form(id)
  local service, problem = found(self, id)
  if not service then return nil, problem end
  return check.form(service)
end

--- Checks an order against its service: the fields that its type requires, the limits and the step of its quantity,
-- and each field as `panel:add` does. Limits that the catalogue does not have are not checked.
---@param order smmpanel.Order
---@return true?
---@return smmpanel.Problem[]? problems each `{ field, code, text }`; tostring formats the list on one line
function Catalog:check(order)
  local service, problem = found(self, order.service)
  if not service then
    return nil, check.problems { { field = "service", code = "bad_service", text = problem } }
  end
  return check.order(service, order)
end

--- Returns what has changed since an older catalogue.
---@param older smmpanel.Catalog
---@return smmpanel.Difference
function Catalog:diff(older)
  if getmetatable(older) ~= Catalog then
    argerror.throw("catalog:diff", "needs a catalogue (smmpanel.catalog(list)), got %s", argerror.describe(older))
  end
  return diff.run(self, older)
end

--- Writes the catalogue to a file atomically: until then other processes read the old content.
---@param path string
---@return true?
---@return string? problem
function Catalog:save(path)
  return file.save(path, self.list)
end

--- Reads a file written by `save`.
---@param path string
---@param max_body? integer as in `smmpanel.new`: bounds what it takes in memory (64 MiB)
---@return smmpanel.Catalog?
---@return string? problem
function catalog.load(path, max_body)
  local list, about = file.load(path, { max_body = max_body })
  if not list then return nil, about end
  local loaded = catalog.new(list)
  loaded.saved = about.saved
  return loaded
end

return setmetatable(catalog, { __call = function(_, list) return catalog.new(list) end })
