--- A panel's services, to be found, priced and compared.
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
---@field list smmpanel.Service[] as the panel gave it
local Catalog = {}
Catalog.__index = Catalog

local function id_text(id)
  return type(id) == "number" and argerror.integer_text(id) or tostring(id)
end

--- The documented types of services, and the fields of their orders.
---@type smmpanel.OrderType[]
catalog.TYPES = order_rules.types

--- A catalogue of a list of services, as `panel:services()` gives it.
---@param list smmpanel.Service[]
---@return smmpanel.Catalog
function catalog.new(list)
  if type(list) ~= "table" then
    argerror.throw("smmpanel.catalog", "needs a list of services, got %s", argerror.describe(list))
  end
  local by_id = {}
  for _, service in ipairs(list) do by_id[id_text(service.service)] = service end
  return setmetatable({ list = list, by_id = by_id }, Catalog)
end

--- The service of an id.
---@param id smmpanel.Id
---@return smmpanel.Service?
function Catalog:find(id)
  return self.by_id[id_text(id)]
end

--- The services that fit, in the panel's order or sorted.
---@param wanted? smmpanel.Search
---@return smmpanel.Service[]
function Catalog:search(wanted)
  return search.run(self.list, wanted or {})
end

local function found(self, id)
  local service = self:find(id)
  if service then return service end
  return nil, ("the catalogue has no service %s"):format(id_text(id))
end

local function count_of(where, name, value)
  local count = type(value) == "string" and value:find("^[0-9]+$") and decimal.parse(value)
    or type(value) == "number" and value % 1 == 0 and value >= 0 and value <= 2 ^ 53 and decimal.parse(value)
  return count
    or argerror.throw(where, "%s must be a whole number from 0 up, got %s", name, argerror.describe(value))
end

local THOUSANDTH = decimal.parse "0.001"

--- What so many pieces cost, to the last decimal. A rate is the price of 1,000; of a Package that of one. A
-- subscription is charged for each post: its price is that of `quantity` pieces for each of `runs` posts.
---@param id smmpanel.Id
---@param quantity integer|string of a drip-feed in one run, of a subscription for one post
---@param runs? integer runs of a drip-feed, posts of a subscription (1)
---@return string? cost as decimal text
---@return string? problem there is no such service, or its rate is no price
function Catalog:cost(id, quantity, runs)
  local where = "catalog:cost"
  local count = count_of(where, "quantity", quantity) * count_of(where, "runs", runs or 1)
  local service, problem = found(self, id)
  if not service then return nil, problem end
  local rate = decimal.parse(service.rate)
  if not rate then
    local rate_text = type(service.rate) == "string" and service.rate or argerror.describe(service.rate)
    return nil, ("the rate of service %s is no price: %s"):format(id_text(id), rate_text)
  end
  local cost = rate * count
  return decimal.text(check.is_package(service) and cost or cost * THOUSANDTH)
end

-- The most that a subscription can cost: `max` pieces for each of its posts.
local function subscription_price(self, order)
  local most, posts = check.count(order.max), check.count(order.posts)
  if most and posts and posts > 0 then
    return self:cost(order.service, most, posts + (check.count(order.old_posts) or 0))
  end
  return nil, "a subscription is charged post by post"
end

--- What an order costs: its quantity is counted as its service's type has it (the lines of `comments`, 1 for
-- a Package), and multiplied by `runs`. Of a subscription with `max` and `posts` it is the most that it can cost.
---@param order smmpanel.Order
---@return string? cost as decimal text
---@return string? problem also of a subscription without a last post
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

--- Checks an order against its service: what its type requires, the limits and the step of its quantity, and
-- each field by itself, as `panel:add` does. What the catalogue does not say is not checked.
---@param order smmpanel.Order
---@return true?
---@return smmpanel.Problem[]? problems each `{ field, code, text }`; prints as one line
function Catalog:check(order)
  local service, problem = found(self, order.service)
  if not service then
    return nil, check.problems { { field = "service", code = "bad_service", text = problem } }
  end
  return check.order(service, order)
end

--- What has changed since an older catalogue.
---@param older smmpanel.Catalog
---@return smmpanel.Difference
function Catalog:diff(older)
  if getmetatable(older) ~= Catalog then
    argerror.throw("catalog:diff", "needs a catalogue (smmpanel.catalog(list)), got %s", argerror.describe(older))
  end
  return diff.run(self, older)
end

--- Writes the catalogue to a file, at once or not at all: who reads meanwhile has the old one.
---@param path string
---@return true?
---@return string? problem
function Catalog:save(path)
  return file.save(path, self.list)
end

--- Reads what `save` wrote.
---@param path string
---@return smmpanel.Catalog?
---@return string? problem
function catalog.load(path)
  local list, about = file.load(path)
  if not list then return nil, about end
  local loaded = catalog.new(list)
  loaded.saved = about.saved
  return loaded
end

return setmetatable(catalog, { __call = function(_, list) return catalog.new(list) end })
