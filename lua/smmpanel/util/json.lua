--- Writes JSON. lua-cjson cannot do it for us: it makes doubles of 14 digits of every number, and an id or an
-- amount may have more.
-- @module smmpanel.util.json

local json = {}

local decimal = require "smmpanel.util.decimal"

local SHORT = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escaped(char)
  return SHORT[char] or ("\\u%04x"):format(char:byte())
end

-- Of UTF-8 sequences of two or three bytes.
local function escaped_sequence(char)
  local a, b, c = char:byte(1, 3)
  return ("\\u%04x"):format(c and a % 16 * 4096 + b % 64 * 64 + c % 64 or a % 32 * 64 + b % 64)
end

-- Controls above ASCII, line separators, and what turns the direction of a text: a terminal obeys them.
local UNSAFE = { "\194[\128-\159]", "\216\156", "\226\128[\142\143\168-\174]", "\226\129[\166-\169]" }

local function write_string(text)
  -- "%c" would ask the locale; "%z" is 5.1's way to say NUL.
  text = text:gsub('[%z\1-\31\127"\\]', escaped)
  if text:find "[\194\216\226]" then
    for _, pattern in ipairs(UNSAFE) do text = text:gsub(pattern, escaped_sequence) end
  end
  return '"' .. text .. '"'
end

local function write_number(n)
  if n ~= n or n == math.huge or n == -math.huge then return "null" end
  return decimal.shortest(n)
end

-- -> is it a list, and its keys in order
local function keys_of(value)
  local keys, greatest = {}, 0
  for key in pairs(value) do
    keys[#keys + 1] = key
    greatest = type(key) == "number" and math.max(greatest, key) or greatest
  end
  if greatest > 0 or #keys == 0 then return true, greatest end
  table.sort(keys)
  return false, keys
end

local write

local function write_list(list, length)
  local parts = {}
  for i = 1, length do parts[i] = write(list[i]) end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function write_object(object, keys)
  local parts = {}
  for i, key in ipairs(keys) do parts[i] = write_string(key) .. ":" .. write(object[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function write_table(value)
  local is_list, keys = keys_of(value)
  return is_list and write_list(value, keys) or write_object(value, keys)
end

local WRITERS = {
  ["nil"] = function() return "null" end, boolean = tostring, number = write_number, string = write_string,
  table = write_table,
}

function write(value)
  local writer = WRITERS[type(value)] or error("a " .. type(value) .. " cannot be written as JSON", 0)
  return writer(value)
end

--- The JSON text of a value as the decoder gives it: on one line, the fields of an object by name. An empty
-- table is written as `[]`, for nothing tells whether it was a list.
---@param value any
---@return string
function json.encode(value)
  return write(value)
end

function json.decode(s) return require("cjson").decode(s) end

return json
