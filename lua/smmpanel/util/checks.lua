--- Checks of options: each takes a value and returns nil if it is valid, otherwise a description of valid values.
-- Pure.
-- @module smmpanel.util.checks

local checks = {}

local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

local SECONDS_MAX = 1e7 -- more than a season; milliseconds still fit 64 bits many times over

local REF_MAX = 256 -- bytes

--- A duration.
function checks.seconds(value)
  local right = type(value) == "number" and value > 0 and value <= SECONDS_MAX
  return not right and "a number of seconds above 0" or nil
end

--- A rate.
function checks.rate(value)
  local right = type(value) == "number" and value > 0 and value < math.huge
  return not right and "a number of requests per second above 0" or nil
end

--- An integer between two bounds.
function checks.integer(least, most)
  return function(value)
    local right = type(value) == "number" and value % 1 == 0 and value >= least and value <= most
    return not right and ("an integer from %d to %d"):format(least, most) or nil
  end
end

--- A text on one line.
function checks.line(value)
  if type(value) ~= "string" then return "a string" end
  if value == "" then return "a string that is not empty" end
  return text.has_control(value) and "a string without line breaks and other control characters" or nil
end

local NAME = ("a string of 1 to %d bytes without control characters or white space at its ends"):format(REF_MAX)

local function is_name(value)
  return value ~= "" and #value <= REF_MAX and not text.has_control(value) and text.trim(value) == value
end

--- A name chosen by the user.
function checks.name(value)
  return not (type(value) == "string" and is_name(value)) and NAME or nil
end

--- The user's id of an order: a text, or an integer.
function checks.ref(value)
  local right = type(value) == "string" and is_name(value) or type(value) == "number" and argerror.integer_text(value)
  return not right and NAME .. ", or an integer" or nil
end

--- Converts a ref to a text.
---@param ref string|integer
---@return string
function checks.ref_text(ref)
  return type(ref) == "number" and argerror.integer_text(ref) or ref
end

--- A function, or a value with `__call`.
function checks.callable(value)
  local meta = type(value) == "table" and getmetatable(value)
  local right = type(value) == "function" or type(meta) == "table" and meta.__call
  return not right and "a function" or nil
end

--- Throws if the value is not a table of options, a name is unknown, or a value is wrong.
---@param where string the public function's name
---@param given table
---@param known table<string, fun(value: any): string?>
---@param secret? string the name of an option whose value is in no message
---@return table given
function checks.options(where, given, known, secret)
  if type(given) ~= "table" then
    argerror.throw(where, "needs a table of options, got %s", argerror.describe(given))
  end
  for name, value in pairs(given) do
    local check = known[name]
    if not check then
      argerror.throw_field(where, tostring(name), "unknown", "unknown option %s; %s", argerror.describe(name),
        argerror.hint(name, known))
    end
    local right = check(value)
    if right then
      local got = name == secret and "a " .. type(value) or argerror.describe(value)
      argerror.throw_field(where, name, "invalid", "%s must be %s, got %s", name, right, got)
    end
  end
  return given
end

return checks
