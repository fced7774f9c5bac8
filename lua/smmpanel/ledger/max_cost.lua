--- Spending limits: the most that orders may cost, at the prices of the panel's catalogue. The catalogue is fetched
-- once per panel and cached for a minute. An order with an unknown price exceeds every limit.
-- @module smmpanel.ledger.max_cost

local max_cost = {}

local catalog = require "smmpanel.catalog"
local core = require "smmpanel.core"
local decimal = require "smmpanel.util.decimal"
local errors = require "smmpanel.errors"
local request = require "smmpanel.call.request"

local KEPT_SECONDS = 60
local LOOK_AGAIN = 0.02 -- seconds between two checks whether another call's fetch has ended

local function refused(message, cause)
  return errors.new { kind = "refused", code = "max_cost", action = "add", attempts = 0, message = message,
    cause = cause }
end

local function kept(own)
  return own.prices and core.now() - own.prices.at < KEPT_SECONDS and own.prices.catalog or nil
end

local function fetch(own, given)
  local call = request.new(own, "services", { timeout = given.timeout, retries = given.retries, decimals = "string" })
  call.fields, own.prices_until = {}, call.deadline
  local list, err = request.run(own, call)
  own.prices_until = nil
  if not list then return nil, err end
  own.prices = { at = core.now(), catalog = catalog.new(list) }
  return own.prices.catalog
end

--- Returns the catalogue. If several calls need it at once, one of them fetches it.
---@param own table the panel's state
---@param given smmpanel.CallOptions
---@param sleep fun(seconds: number)
---@return smmpanel.Catalog?
---@return smmpanel.Error?
function max_cost.prices(own, given, sleep)
  local found = kept(own)
  while not found and own.prices_until and core.now() < own.prices_until do
    sleep(LOOK_AGAIN)
    found = kept(own)
  end
  if found then return found end
  return fetch(own, given)
end

-- -> the price; or nil, error
local function price(own, given, sleep, order)
  local list, err = max_cost.prices(own, given, sleep)
  if not list then return nil, refused("the price is unknown because the catalogue failed: " .. err.message, err) end
  local cost, problem = list:price(order)
  if cost then return decimal.parse(cost) end
  return nil, refused(("the price is unknown (%s), so it counts as over max_cost"):format(problem))
end

local Budget = {}
Budget.__index = Budget

--- Makes the budget of one call.
---@param own table the panel's state
---@param given smmpanel.CallOptions with max_cost
---@return table? budget nil without the option
function max_cost.new(own, given)
  if given.max_cost == nil then return nil end
  return setmetatable({ own = own, given = given, limit = decimal.parse(given.max_cost), spent = decimal.zero },
    Budget)
end

--- Reserves the cost of an order. Fetches the catalogue if needed.
---@param order smmpanel.Order
---@param sleep fun(seconds: number)
---@return smmpanel.Decimal? cost
---@return smmpanel.Error? refused
function Budget:reserve(order, sleep)
  local cost, err = price(self.own, self.given, sleep, order)
  if not cost then return nil, err end
  local after = self.spent + cost
  if self.limit < after then
    local said = "the order costs %s, which makes a total of %s, more than max_cost (%s)"
    return nil, refused(said:format(decimal.text(cost), decimal.text(after), decimal.text(self.limit)))
  end
  self.spent = after
  return cost
end

--- Releases the cost of an order that was not placed.
---@param cost smmpanel.Decimal
function Budget:give_back(cost)
  self.spent = self.spent - cost
end

return max_cost
