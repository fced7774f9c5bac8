--- A wrong argument is a mistake in the program: it throws, at the line that made the call.
-- @module smmpanel.util.argerror

local argerror = {}

local text = require "smmpanel.util.text"

local HERE = debug.getinfo(1, "S").source:gsub("util[/\\]argerror%.lua$", "")

-- Finds the first stack level outside this package: the caller of the public function.
local function callers_level()
  local level = 3
  while true do
    local frame = debug.getinfo(level, "S")
    if not frame then return 1 end
    local ours = frame.what == "C" or frame.what == "tail" or frame.source:sub(1, #HERE) == HERE
    if not ours then return level end
    level = level + 1
  end
end

-- The details of the latest thrown messages. The errors are strings, because nginx logs an uncaught table as "unknown
-- reason".
local REMEMBERED = 32
local remembered, count = {}, 0

local function remember(thrown, details)
  if count >= REMEMBERED then remembered, count = {}, 0 end
  remembered[thrown], count = details, count + 1
  return thrown
end

local function throw(details)
  -- The level is one less here than in callers_level.
  local frame = debug.getinfo(callers_level() - 1, "Sl")
  local line = frame and frame.currentline or -1
  local position = line > 0 and ("%s:%d: "):format(frame.short_src, line) or ""
  error(remember(position .. details.where .. ": " .. details.message, details), 0)
end

--- Throws `where: message`, with the position of the caller outside this package.
---@param where string the function as the caller wrote it: "smmpanel.new", "panel:add"
---@param message string format of what was wrong, what was given and what would be right
---@param ... any for the format
function argerror.throw(where, message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  throw { where = where, message = message, code = "argument" }
end

--- The same, about one field of an argument.
---@param where string
---@param field string
---@param code "missing"|"invalid"|"unknown"
---@param message string format
---@param ... any for the format
function argerror.throw_field(where, field, code, message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  throw { where = where, field = field, code = code, message = message }
end

---@class smmpanel.ArgumentError
---@field where string the function: "panel:add"
---@field field? string of an order, or the name of an option
---@field code "argument"|"missing"|"invalid"|"unknown"
---@field message string

--- Returns the details of a wrong argument, from the error that was just thrown; nil for any other error.
---@param thrown any
---@return smmpanel.ArgumentError?
function argerror.details(thrown)
  return type(thrown) == "string" and remembered[thrown] or nil
end

-- Marks leading and trailing spaces, which are easily overlooked.
local function spaces_of(value)
  local first, last = value:find "^ " ~= nil, value:find " $" ~= nil
  if not first and not last then return "" end
  return first and last and " (with spaces at both ends)" or first and " (with a space at the beginning)"
    or " (with a space at the end)"
end

--- Describes a value for a message: short, on one line, with invisible characters escaped.
---@param value any
---@return string
function argerror.describe(value)
  local kind = type(value)
  if value == "" then return "an empty string" end
  if kind == "string" then return "'" .. text.visible(value, 40) .. "'" .. spaces_of(value) end
  if kind == "table" then return next(value) == nil and "an empty table" or "a table" end
  if kind == "number" or kind == "boolean" or kind == "nil" then return tostring(value) end
  return "a " .. kind
end

--- Returns the Levenshtein distance of two words.
---@param a string
---@param b string
---@return integer
function argerror.distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local above = row[j]
      local change = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(above + 1, row[j - 1] + 1, diagonal + change)
      diagonal = above
    end
  end
  return row[#b]
end

--- Returns a table's keys, sorted and separated by commas.
---@param names table<string, any>
---@return string
function argerror.names(names)
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, ", ")
end

--- Returns a hint for a misspelt name: the most similar known name, or all names if none is similar.
---@param name any what was given
---@param known table<string, any> its keys are the known names
---@return string
function argerror.hint(name, known)
  local best, least = nil, math.huge
  local wanted = text.lower(tostring(name))
  for candidate in pairs(known) do
    local far = argerror.distance(wanted, candidate)
    if far < least or far == least and candidate < best then
      best, least = candidate, far
    end
  end
  if best and least <= math.max(2, #wanted / 2) then
    return "did you mean '" .. best .. "'?"
  end
  return "known: " .. argerror.names(known)
end

--- Returns the text of an integer, or of an integral float that is exact; nil for any other value.
---@param n number
---@return string?
function argerror.integer_text(n)
  if math.type and math.type(n) == "integer" then return ("%d"):format(n) end
  if n % 1 ~= 0 or n < -2 ^ 53 or n > 2 ^ 53 then return nil end -- NaN and infinities too
  return n == 0 and "0" or ("%.0f"):format(n)
end

--- Returns a value as text, an integer with all its digits: tostring(1e15) is "1e+15" on Lua 5.1 and LuaJIT.
---@param value any
---@return string
function argerror.plain(value)
  return type(value) == "number" and argerror.integer_text(value) or tostring(value)
end

return argerror
