--- A record as a ledger keeps it, as JSON. Reading it back is the core's work, so that each value is again
-- what it was, digit for digit, in any Lua.
-- @module smmpanel.ledger.record

local core = require "smmpanel.core"
local argerror = require "smmpanel.util.argerror"
local schemas = require "smmpanel.api.schemas"

local record = {}

local SHORT = { ["\\"] = "\\\\", ['"'] = '\\"' }

local function string_text(s)
  return '"' .. s:gsub('[%z\1-\31\\"\127]', function(c)
    return SHORT[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

-- The fewest digits that read back as the same number. Some locales write a comma.
local function float_text(n)
  for digits = 14, 17 do
    local s = ("%." .. digits .. "g"):format(n):gsub(",", ".")
    if tonumber(s) == n or digits == 17 then return s end
  end
end

local function number_text(n)
  if n ~= n or n == math.huge or n == -math.huge then return string_text(tostring(n)) end
  return argerror.integer_text(n) or float_text(n)
end

local encode

local function list_text(list)
  local parts = {}
  for index in pairs(list) do
    for i = #parts + 1, index do parts[i] = "null" end
  end
  for index, value in pairs(list) do parts[index] = encode(value) end
  return "[" .. table.concat(parts, ",") .. "]"
end

-- By name, so that the same record is the same text.
local function object_text(object)
  local names, parts = {}, {}
  for name in pairs(object) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do parts[i] = string_text(name) .. ":" .. encode(object[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local ENCODERS = {
  string = string_text, number = number_text, boolean = tostring,
  table = function(value) return type(next(value)) == "number" and list_text(value) or object_text(value) end,
}

--- A value as the decoder makes them (scalars, lists, tables with names) as JSON, the same text for the same
-- value.
---@param value any
---@return string
function encode(value)
  return ENCODERS[type(value)](value)
end
record.encode = encode

--- The value again, its fields typed as those of the action's answer.
---@param json string
---@param action? string (add)
---@param decimals? "number"|"string"
---@return any? value
---@return string? why
function record.decode(json, action, decimals)
  local decoder = core.decoder(schemas[action or "add"], decimals or "number")
  local ok, why = decoder:feed(json)
  if not ok then return nil, why end
  local whole, value = decoder:finish()
  if not whole then return nil, value end
  return value
end

return record
