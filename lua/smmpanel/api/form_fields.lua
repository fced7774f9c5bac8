--- Readers of form fields: each checks a value and returns it as it is sent, a text or a list of texts (sent as lines).
-- If the value is wrong, the reader throws a message with the value and a description of valid values. Pure.
-- @module smmpanel.api.form_fields

local fields = {}

local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

-- `where` is the name of the public function and `name` that of the field, for the message.
local function wrong(where, name, right, value)
  argerror.throw_field(where, name:match "^[^%[]*", "invalid", "%s must be %s, got %s", name, right,
    argerror.describe(value))
end
fields.wrong = wrong

local RESERVED = { key = true, action = true }

-- PHP drops white space before a name and reads "action[x]" as `action`. Of several such fields it uses the last.
local function is_reserved(name)
  return RESERVED[text.trim(name):match "^[^%[]*"]
end

--- A field's name: text without control characters, and not a field that the client sets.
function fields.name(where, name)
  if type(name) ~= "string" or name == "" or text.has_control(name) then
    argerror.throw(where, "a field's name must be a string without control characters, got %s",
      argerror.describe(name))
  end
  if is_reserved(name) then
    argerror.throw_field(where, name, "invalid", "the field '%s' is reserved: the client sets it", name)
  end
  return name
end

local function number(where, name, value)
  if value ~= value or value == math.huge or value == -math.huge then
    wrong(where, name, "a finite number", value)
  end
  return argerror.integer_text(value) or value
end

--- A whole number: an integer, an integral float, or the digits of one.
function fields.whole(where, name, value)
  local digits = type(value) == "number" and argerror.integer_text(value)
    or type(value) == "string" and value:match("^%-?[0-9]+$")
  return digits or wrong(where, name, "a whole number", value)
end

--- One line that is not empty: a link, a name, a date.
function fields.line(where, name, value)
  local right = type(value) == "string" and text.trim(value) ~= "" and not text.has_control(value)
  return right and value or wrong(where, name, "a string on one line", value)
end

--- A line or a number, such as a country.
function fields.word(where, name, value)
  return type(value) == "number" and number(where, name, value) or fields.line(where, name, value)
end

local function item(where, name, value)
  if type(value) == "number" then return number(where, name, value) end
  if type(value) ~= "string" then wrong(where, name, "a string or a number", value) end
  local trimmed = text.trim(value)
  if text.has_control((trimmed:gsub("\t", " "))) then
    wrong(where, name, "a string on one line (line breaks separate the items)", value)
  end
  return trimmed
end

-- Returns a list's items, trimmed and without empty ones.
local function items(where, name, list)
  local count, kept = 0, {}
  for _ in pairs(list) do count = count + 1 end
  if count ~= #list then wrong(where, name, "a list without holes and without names", list) end
  for index, value in ipairs(list) do
    local made = item(where, ("%s[%d]"):format(name, index), value)
    if made ~= "" then kept[#kept + 1] = made end
  end
  return kept
end

-- Returns the non-empty lines of a text, trimmed, with any kind of line break.
local function lines(s)
  local list = {}
  for part in s:gmatch("[^\r\n]+") do
    local trimmed = text.trim(part)
    if trimmed ~= "" then list[#list + 1] = trimmed end
  end
  return list
end

--- A list: a table, or a text with one item per line. Panels count empty lines differently, so none are sent.
function fields.list(where, name, value)
  local list
  if type(value) == "table" then
    list = items(where, name, value)
  elseif type(value) == "string" and not value:find("[^\t\r\n\32-\126\128-\255]") then
    list = lines(value)
  else
    wrong(where, name, "a list of strings, or a string with one item per line", value)
  end
  return #list > 0 and list or wrong(where, name, "a list with at least one item that is not empty", value)
end

--- An unknown field: a scalar is sent unchanged, a list as lines.
function fields.any(where, name, value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "boolean" then return value and "1" or "0" end
  if kind == "number" then return number(where, name, value) end
  if kind == "table" and #value > 0 then return items(where, name, value) end
  return wrong(where, name, "a string, a number, a boolean or a list of them", value)
end

--- Returns a flat list of names and values for the form: the fields in `first`, then the others sorted by name.
---@param values table<string, any>
---@param first? string[]
---@return table
function fields.flat(values, first)
  local flat, led, rest = {}, {}, {}
  local function put(name) flat[#flat + 1], flat[#flat + 2] = name, values[name] end
  for _, name in ipairs(first or {}) do
    led[name] = true
    if values[name] ~= nil then put(name) end
  end
  for name in pairs(values) do
    if not led[name] then rest[#rest + 1] = name end
  end
  table.sort(rest)
  for _, name in ipairs(rest) do put(name) end
  return flat
end

return fields
