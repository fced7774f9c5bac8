--- Filters and sorts services. Pure.
-- @module smmpanel.catalog.search

local search = {}

local decimal = require "smmpanel.util.decimal"
local casefold = require "smmpanel.util.casefold"
local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

local WHERE = "catalog:search"

---@class smmpanel.Search
---@field text? string words that all occur in the id, the name, the category or the type; case is ignored
---@field type? string the service's type; case, spaces, `_` and `-` are ignored
---@field category? string words that all occur in the category; case is ignored
---@field min_rate? number|string the lowest rate, inclusive
---@field max_rate? number|string the highest rate, inclusive
---@field quantity? integer a quantity within the service's min and max
---@field refill? boolean
---@field cancel? boolean
---@field dripfeed? boolean
---@field sort? "service"|"name"|"category"|"type"|"rate"|"min"|"max"
---@field descending? boolean
---@field limit? integer

-- ---- conditions: each is given its option, and makes a function of the service ----------------

local CONDITIONS = {}

local function shown(value)
  return value == nil and "" or argerror.plain(value)
end

-- Thousands of services share a few categories and types, so each text is case-folded once.
local function folded_once()
  return setmetatable({}, { __index = function(known, text_as_it_is)
    local folded = casefold(text_as_it_is)
    known[text_as_it_is] = folded
    return folded
  end })
end

local function words_in(wanted, hay_of)
  local words = {}
  for word in casefold(wanted):gmatch("[^ \t\r\n]+") do words[#words + 1] = word end
  return function(service)
    local hay = hay_of(service)
    for _, word in ipairs(words) do
      if not hay:find(word, 1, true) then return false end
    end
    return true
  end
end

function CONDITIONS.text(wanted)
  local folded = folded_once()
  return words_in(wanted, function(service)
    return casefold(shown(service.service) .. " " .. shown(service.name)) .. "\n"
      .. folded[shown(service.category)] .. "\n" .. folded[shown(service.type)]
  end)
end

function CONDITIONS.category(wanted)
  local folded = folded_once()
  return words_in(wanted, function(service) return folded[shown(service.category)] end)
end

function CONDITIONS.type(wanted)
  local squeezed = text.squeeze(wanted)
  return function(service) return text.squeeze(shown(service.type)) == squeezed end
end

-- Compares doubles, which is fast, and the digits only if the doubles are equal.
local function less(a, b)
  local x, y = decimal.approximate(a), decimal.approximate(b)
  if not x or not y then return x ~= nil and y == nil end -- values that are not prices come last
  if x ~= y then return x < y end
  if a == b then return false end
  local exact, other = decimal.parse(a), decimal.parse(b) -- nil beyond the range of doubles
  if not exact or not other then return exact ~= nil and other == nil end
  return exact < other
end

local function rate_bound(name, fits)
  CONDITIONS[name] = function(bound)
    if not decimal.parse(bound) then
      argerror.throw(WHERE, "%s must be a price from 0 up, got %s", name, argerror.describe(bound))
    end
    return function(service) return decimal.parse(service.rate) ~= nil and fits(service.rate, bound) end
  end
end

rate_bound("min_rate", function(rate, bound) return not less(rate, bound) end)
rate_bound("max_rate", function(rate, bound) return not less(bound, rate) end)

function CONDITIONS.quantity(wanted)
  return function(service)
    local min, max = service.min, service.max
    return type(min) == "number" and type(max) == "number" and min <= wanted and wanted <= max
  end
end

-- A flag that is a text or a number ("30 days", 3) counts as true.
local function allowed(value)
  return value ~= nil and value ~= false and value ~= 0
end

for _, name in ipairs { "refill", "cancel", "dripfeed" } do
  CONDITIONS[name] = function(wanted)
    return function(service)
      local value = service[name]
      if name == "dripfeed" and value == nil then value = service.drip_feed end
      return allowed(value) == wanted
    end
  end
end

-- ---- order --------------------------------------------------------------------------------

local function by_text(a, b) return casefold(shown(a)) < casefold(shown(b)) end

local function by_number(a, b)
  if type(a) == type(b) then return a ~= nil and a < b end
  return type(a) == "number" -- texts and absent values come last
end

local SORTS = { service = by_number, min = by_number, max = by_number, rate = less, name = by_text,
  category = by_text, type = by_text }

-- table.sort is not stable, so equal services are compared by their position in the panel's list.
local function sorted(list, name, descending)
  local before, place = SORTS[name], {}
  for i, service in ipairs(list) do place[service] = i end
  table.sort(list, function(a, b)
    local x, y = a[name], b[name]
    if descending then x, y = y, x end
    if before(x, y) then return true end
    return not before(y, x) and place[a] < place[b]
  end)
  return list
end

-- ---- options ------------------------------------------------------------------------------

local KINDS = { text = "string", type = "string", category = "string", quantity = "number",
  refill = "boolean", cancel = "boolean", dripfeed = "boolean", descending = "boolean", limit = "number" }
local KNOWN = { sort = true, min_rate = true, max_rate = true }
for name in pairs(KINDS) do KNOWN[name] = true end

local function check_options(wanted)
  if type(wanted) ~= "table" then argerror.throw(WHERE, "needs a table, got %s", argerror.describe(wanted)) end
  for name, value in pairs(wanted) do
    if not KNOWN[name] then
      argerror.throw(WHERE, "unknown option %s; %s", argerror.describe(name), argerror.hint(name, KNOWN))
    elseif KINDS[name] and type(value) ~= KINDS[name] then
      argerror.throw(WHERE, "%s must be a %s, got %s", name, KINDS[name], argerror.describe(value))
    end
  end
  if wanted.sort ~= nil and not SORTS[wanted.sort] then
    argerror.throw(WHERE, "unknown sort %s; %s", argerror.describe(wanted.sort), argerror.hint(wanted.sort, SORTS))
  end
end

local function conditions(wanted)
  local list = {}
  for name, value in pairs(wanted) do
    if CONDITIONS[name] then list[#list + 1] = CONDITIONS[name](value) end
  end
  return list
end

local function fits_all(service, fits)
  for _, fit in ipairs(fits) do
    if not fit(service) then return false end
  end
  return true
end

--- Returns the services of a list that match.
---@param list smmpanel.Service[]
---@param wanted smmpanel.Search
---@return smmpanel.Service[]
function search.run(list, wanted)
  check_options(wanted)
  local fits, result = conditions(wanted), {}
  for _, service in ipairs(list) do
    if fits_all(service, fits) then result[#result + 1] = service end
  end
  if wanted.sort then sorted(result, wanted.sort, wanted.descending) end
  for i = #result, (wanted.limit or #result) + 1, -1 do result[i] = nil end
  return result
end

return search
