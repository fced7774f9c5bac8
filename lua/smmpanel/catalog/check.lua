--- Checks an order against its service: required fields, quantity, limits. Pure.
-- @module smmpanel.catalog.check

local check = {}

local order_rules = require "smmpanel.api.order_fields"
local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

---@class smmpanel.Problem
---@field field string
---@field code "bad_service"|"missing"|"bad_quantity"|"invalid"|"unknown"|"argument"
---@field text string

-- Types whose quantity is the number of items in a field; all others have the field `quantity`.
local COUNTED = { ["Custom Comments"] = "comments", ["Comment Replies"] = "comments",
  ["Mentions Custom List"] = "usernames" }

--- Returns whether a service's rate is the price of one package, not of 1,000 pieces.
---@param service smmpanel.Service
---@return boolean
function check.is_package(service)
  return type(service.type) == "string" and text.squeeze(service.type):find("package$") ~= nil
end

--- Returns whether a service is charged for each new post.
---@param service smmpanel.Service
---@return boolean
function check.is_subscription(service)
  return order_rules.required(service.type) == "Subscriptions"
end

--- Converts an integer, or a string of digits, to a whole number from 0 to 2^53; nil for anything else.
---@param value any
---@return integer?
function check.count(value)
  if type(value) == "string" then value = value:find("^[0-9]+$") and tonumber(value) end
  local whole = type(value) == "number" and value % 1 == 0 and value >= 0 and value <= 2 ^ 53
  return whole and value or nil
end

local function item_count(value)
  if type(value) == "string" then
    local items = {}
    for line in value:gmatch("[^\r\n]+") do items[#items + 1] = line end
    value = items
  end
  local count = 0
  for _, item in ipairs(type(value) == "table" and value or {}) do
    if text.trim(tostring(item)) ~= "" then count = count + 1 end
  end
  return count
end

--- Returns the field that determines an order's quantity; nil for packages and subscriptions.
---@param service smmpanel.Service
---@return string?
function check.counted(service)
  if check.is_package(service) or check.is_subscription(service) then return nil end
  return COUNTED[order_rules.required(service.type)] or "quantity"
end

local function has_drip_feed(service)
  return service.dripfeed ~= nil and service.dripfeed ~= false and service.dripfeed ~= 0
end

--- Returns the fields of an order form for a service.
---@param service smmpanel.Service
---@return smmpanel.OrderForm
function check.form(service)
  local documented = order_rules.required(service.type)
  local form = { type = documented, required = {}, optional = {}, counted = check.counted(service),
    min = service.min, max = service.max }
  local function add(to, names)
    for _, name in ipairs(names) do to[#to + 1] = name end
  end
  for _, each in ipairs(order_rules.types) do
    if each.name == documented then
      add(form.required, each.required)
      add(form.optional, each.optional)
    end
  end
  if has_drip_feed(service) and not check.is_subscription(service) then add(form.optional, { "runs", "interval" }) end
  return form
end

--- Returns an order's quantity in pieces (of a drip-feed: per run).
---@param service smmpanel.Service
---@param order smmpanel.Order
---@return integer?
---@return string? problem
function check.quantity(service, order)
  if check.is_package(service) then return 1 end
  local documented = order_rules.required(service.type)
  if COUNTED[documented] then return item_count(order[COUNTED[documented]]) end
  local quantity = check.count(order.quantity)
  if quantity then return quantity end
  return nil, order.quantity == nil and "the order has no quantity"
    or ("quantity must be a whole number, got %s"):format(argerror.describe(order.quantity))
end

local Problems = { __tostring = function(problems)
  local texts = {}
  for i, problem in ipairs(problems) do texts[i] = problem.text end
  return table.concat(texts, "; ")
end }

--- Makes a list of problems that tostring formats on one line.
---@param list smmpanel.Problem[]
---@return smmpanel.Problem[]
function check.problems(list)
  return setmetatable(list, Problems)
end

local function is_missing(value)
  if type(value) == "table" then return item_count(value) == 0 end
  return value == nil or type(value) == "string" and text.trim(value) == ""
end

local function missing_fields(service, order)
  local problems = {}
  local documented, required = order_rules.required(service.type)
  for _, field in ipairs(required or {}) do
    if is_missing(order[field]) then
      problems[#problems + 1] = { field = field, code = "missing",
        text = ("an order of type '%s' needs %s"):format(documented, field) }
    end
  end
  return problems
end

-- Returns what is wrong with a number of pieces, or nil. A max of 0 means no limit.
local function outside(service, n)
  local min, max, step = check.count(service.min), check.count(service.max), check.count(service.step)
  local id = tostring(service.service)
  if min and n < min then return ("service %s takes at least %d, not %d"):format(id, min, n) end
  if max and max > 0 and n > max then return ("service %s takes at most %d, not %d"):format(id, max, n) end
  if step and step > 0 and n % step ~= 0 then
    return ("service %s takes multiples of %d, not %d"):format(id, step, n)
  end
end

local function check_count(service, field, n, problems)
  local wrong = n and outside(service, n)
  if wrong then problems[#problems + 1] = { field = field, code = "bad_quantity", text = wrong } end
end

local function check_numbers(service, order, problems)
  if check.is_subscription(service) then
    check_count(service, "min", check.count(order.min), problems)
    check_count(service, "max", check.count(order.max), problems)
  elseif check.counted(service) then
    local field = check.counted(service)
    local quantity, wrong = check.quantity(service, order)
    if quantity and not is_missing(order[field]) then
      check_count(service, field, quantity, problems)
    elseif wrong and order[field] ~= nil then
      problems[#problems + 1] = { field = field, code = "bad_quantity", text = wrong }
    end
  end
end

-- Adds the problems for which `add` would throw, for fields without a problem so far.
local function check_fields(service, order, problems)
  local copy, said = { type = order_rules.required(service.type) }, {}
  for name, value in pairs(order) do
    if name ~= "type" then copy[name] = value end
  end
  for _, problem in ipairs(problems) do said[problem.field] = true end
  for _, wrong in ipairs(order_rules.problems(copy)) do
    local field = wrong.field or "service"
    if not said[field] then
      problems[#problems + 1] = { field = field, code = wrong.code, text = wrong.message }
    end
  end
end

--- Checks an order.
---@param service smmpanel.Service
---@param order smmpanel.Order
---@return true?
---@return smmpanel.Problem[]?
function check.order(service, order)
  local problems = missing_fields(service, order)
  check_numbers(service, order, problems)
  check_fields(service, order, problems)
  if #problems == 0 then return true end
  return nil, check.problems(problems)
end

return check
