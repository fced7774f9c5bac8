--- The JSON codec for the command line, the catalogue's files, the ledgers and the wire log.
--
-- It has its own encoder, because lua-cjson rounds numbers to 14 digits, and does not escape terminal control
-- sequences. The core's decoder reads records, exactly and typed. lua-cjson reads only plain documents (no money, no
-- ids), and is loaded on first use, so calls and ledgers work without it. The core is loaded on first use too, because
-- the sandbox in nginx does not have it.
-- @module smmpanel.util.json

local json = {}

local argerror = require "smmpanel.util.argerror"
local decimal = require "smmpanel.util.decimal"
local guard = require "smmpanel.util.guard"
local text = require "smmpanel.util.text"

-- ---- writing -------------------------------------------------------------------------------

local SHORT = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escaped(char)
  return SHORT[char] or ("\\u%04x"):format(char:byte())
end

-- Bytes that are not UTF-8 are written as Latin-1 characters, because JSON cannot contain them.
local function escaped_sequence(sequence)
  return not text.is_utf8(sequence) and sequence:gsub(".", escaped) or nil
end

-- The code point of a sequence of two or three bytes.
local function numbered(char)
  local a, b, c = char:byte(1, 3)
  return ("\\u%04x"):format(c and a % 16 * 4096 + b % 64 * 64 + c % 64 or a % 32 * 64 + b % 64)
end

local function write_string(s)
  if s:find '[%z\1-\31\127"\\]' then s = s:gsub('[%z\1-\31\127"\\]', escaped) end -- "%c" depends on the locale
  if s:find "[\128-\255]" then
    if not text.is_utf8(s) then s = s:gsub("[\128-\255][\128-\191]*", escaped_sequence) end
    for _, pattern in ipairs(text.UNSAFE) do s = s:gsub(pattern, numbered) end
  end
  return '"' .. s .. '"'
end

local function write_number(n)
  if n ~= n or n == math.huge or n == -math.huge then return "null" end
  return argerror.integer_text(n) or decimal.shortest(n)
end

-- -> whether it is a list, and its length or its sorted keys
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

local append

local function append_list(out, list, length)
  out[#out + 1] = "["
  for i = 1, length do
    if i > 1 then out[#out + 1] = "," end
    append(out, list[i])
  end
  out[#out + 1] = "]"
end

local function append_object(out, object, keys)
  out[#out + 1] = "{"
  for i, key in ipairs(keys) do
    if i > 1 then out[#out + 1] = "," end
    out[#out + 1] = write_string(key)
    out[#out + 1] = ":"
    append(out, object[key])
  end
  out[#out + 1] = "}"
end

local SCALARS = {
  ["nil"] = function() return "null" end, boolean = tostring, number = write_number, string = write_string,
}

function append(out, value)
  if type(value) == "table" then
    local is_list, keys = keys_of(value)
    return (is_list and append_list or append_object)(out, value, keys)
  end
  local write = SCALARS[type(value)] or error("a " .. type(value) .. " cannot be written as JSON", 0)
  out[#out + 1] = write(value)
end

--- Encodes a decoded value as JSON: on one line, the fields of an object sorted by name, so equal values give equal
-- texts. Control characters, line separators and characters that change the text direction are written as `\u…`. An
-- empty table is written as `[]`, because it may be a list or an object.
---@param value any
---@return string
function json.encode(value)
  local out = {}
  append(out, value)
  return table.concat(out)
end

--- Appends the pieces of a value's JSON to a list, for files with many records: LuaJIT hashes few bytes of a string,
-- so a hundred thousand records as strings, which begin and end alike, would take minutes.
---@param out string[]
---@param value any
function json.append(out, value)
  append(out, value)
end

-- ---- reading -------------------------------------------------------------------------------

--- Decodes a record that was written by `encode`; keeps all digits of numbers, in any Lua.
---@param s string
---@param schema? userdata the types of its fields: see smmpanel.api.schemas
---@param decimals? "number"|"string" how money is given (number)
---@return any? value
---@return string? why
function json.decode_record(s, schema, decimals)
  local decoder = require("smmpanel.core").decoder(schema, decimals or "number")
  local ok, why = decoder:feed(s)
  if not ok then return nil, why end
  local whole, value = decoder:finish()
  if not whole then return nil, value end
  return value
end

local reader -- lua-cjson with our settings, loaded on first use

local function load_reader()
  local found, cjson = guard.call(require, "cjson")
  if not found then
    error("smmpanel: this needs lua-cjson: apt install lua-cjson, or luarocks install lua-cjson", 0)
  end
  reader = cjson.new()
  reader.decode_max_depth(128)
  reader.decode_invalid_numbers(false)
  reader.null = cjson.null
end

local to_integer = math.tointeger or function(n) return n end

-- Converts values to the form of our decoder: without nulls, integral numbers as integers.
local function plain(value)
  if value == reader.null then return nil end
  if type(value) == "number" then return to_integer(value) or value end
  if type(value) ~= "table" then return value end
  for key, item in pairs(value) do value[key] = plain(item) end
  return value
end

--- Decodes a plain document: numbers are doubles, nulls are absent. Throws if lua-cjson is not installed.
---@param s string
---@return any? value
---@return string? why
function json.decode(s)
  if not reader then load_reader() end
  local ok, value = guard.call(reader.decode, s)
  if not ok then return nil, tostring(value) end
  return plain(value)
end

return json
