--- Writes JSON as a PHP panel does: fields in a fixed order, `/` and non-ASCII characters escaped. A general codec
-- cannot do this: the order of the fields and the exact text of a number are part of a panel's answer.
-- @module smmpanel.sandbox.panel.php_json

local json = {}

local Object, Array, Literal = {}, {}, {}
Object.__index = Object

--- An object with its fields in the order given: `json.object("order", 1, "refill", "1")`.
---@param ... any name, value, name, value, ...; a field whose value is nil is left out
---@return table object
function json.object(...)
  local object = setmetatable({ names = {}, values = {} }, Object)
  local given = { ... }
  for i = 1, select("#", ...), 2 do
    object:set(given[i], given[i + 1])
  end
  return object
end

--- Sets a field, in its place if it exists, or else at the end. nil removes it.
---@param name string
---@param value any
---@return table object itself
function Object:set(name, value)
  if value == nil then
    return self:drop(name)
  end
  if self.values[name] == nil then
    self.names[#self.names + 1] = name
  end
  self.values[name] = value
  return self
end

--- The value of a field, or nil.
---@param name string
---@return any
function Object:get(name)
  return self.values[name]
end

--- Removes a field, if it exists.
---@param name string
---@return table object itself
function Object:drop(name)
  if self.values[name] ~= nil then
    self.values[name] = nil
    for i = #self.names, 1, -1 do
      if self.names[i] == name then
        table.remove(self.names, i)
      end
    end
  end
  return self
end

--- Renames a field without moving it.
---@param old string
---@param new string
---@return table object itself
function Object:rename(old, new)
  for i, name in ipairs(self.names) do
    if name == old then
      self.names[i] = new
      self.values[new], self.values[old] = self.values[old], nil
    end
  end
  return self
end

--- Returns a shallow copy of the object.
---@return table object
function Object:copy()
  local copy = json.object()
  for i, name in ipairs(self.names) do
    copy.names[i], copy.values[name] = name, self.values[name]
  end
  return copy
end

--- A list.
---@param list? any[]
---@return table array
function json.array(list)
  return setmetatable(list or {}, Array)
end

--- A piece of JSON that is written as it is, such as a number with all its digits.
---@param text string
---@return table literal
function json.literal(text)
  return setmetatable({ text = text }, Literal)
end

json.null = json.literal("null")

--- Returns whether a value is an object of this module.
---@param value any
---@return boolean
function json.is_object(value)
  return getmetatable(value) == Object
end

--- Converts a value to plain Lua tables, for programs in this process. A literal becomes a number, or text if a number
-- would lose digits.
---@param value any
---@return any
function json.plain(value)
  local kind, plain = getmetatable(value), {}
  if kind == Literal then
    local number = tonumber(value.text)
    return number and ("%.14g"):format(number) == value.text and number or value.text
  elseif kind == Object then
    for _, name in ipairs(value.names) do plain[name] = json.plain(value.values[name]) end
    return plain
  elseif kind == Array then
    for i, item in ipairs(value) do plain[i] = json.plain(item) end
    return plain
  end
  return value
end

local short = { ['"'] = '\\"', ["\\"] = "\\\\", ["/"] = "\\/", ["\b"] = "\\b", ["\f"] = "\\f",
                ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape_byte(c)
  return short[c] or ("\\u%04x"):format(c:byte())
end

local function escape_point(point)
  if point < 0x10000 then
    return ("\\u%04x"):format(point)
  end
  local above = point - 0x10000
  return ("\\u%04x\\u%04x"):format(0xd800 + math.floor(above / 0x400), 0xdc00 + above % 0x400)
end

-- Invalid UTF-8 (an order's link may contain any bytes) is written byte by byte as Latin-1.
local function escape_sequence(sequence)
  local lead = sequence:byte()
  if #sequence ~= (lead >= 0xf0 and 4 or lead >= 0xe0 and 3 or lead >= 0xc2 and 2) then
    return (sequence:gsub(".", escape_byte))
  end
  local point = lead >= 0xf0 and lead - 0xf0 or lead >= 0xe0 and lead - 0xe0 or lead - 0xc0
  for i = 2, #sequence do
    point = point * 64 + sequence:byte(i) - 128
  end
  return escape_point(point)
end

local function write_string(text, style)
  if not text:find('[%c"\\/\128-\255]') then
    return '"' .. text .. '"'
  elseif style.utf8 then
    return '"' .. text:gsub('[%z\1-\31"\\]', escape_byte) .. '"'
  end
  text = text:gsub('[%z\1-\31"\\/]', escape_byte):gsub("[\128-\255][\128-\191]*", escape_sequence)
  return '"' .. text .. '"'
end

local function write_number(number)
  if number % 1 ~= 0 then
    error(("%s is not an integer: write it as a literal, in its own digits"):format(number), 0)
  end
  return ("%.0f"):format(number)
end

local write

-- The line break before an item and before the closing bracket.
local function line_break(style, indent)
  return style.pretty and "\n" .. ("    "):rep(indent) or ""
end

local function write_object(out, object, style, indent)
  local before, colon = line_break(style, indent + 1), style.pretty and ": " or ":"
  for i, name in ipairs(object.names) do
    out[#out + 1] = (i > 1 and "," or "{") .. before
    out[#out + 1] = write_string(name, style)
    out[#out + 1] = colon
    write(out, object.values[name], style, indent + 1)
  end
  out[#out + 1] = #object.names > 0 and line_break(style, indent) .. "}" or "{}"
end

local function write_array(out, array, style, indent)
  local before = line_break(style, indent + 1)
  for i, item in ipairs(array) do
    out[#out + 1] = (i > 1 and "," or "[") .. before
    write(out, item, style, indent + 1)
  end
  out[#out + 1] = #array > 0 and line_break(style, indent) .. "]" or "[]"
end

function write(out, value, style, indent)
  local kind, meta = type(value), getmetatable(value)
  if kind == "string" then
    out[#out + 1] = write_string(value, style)
  elseif kind == "number" then
    out[#out + 1] = write_number(value)
  elseif kind == "boolean" then
    out[#out + 1] = tostring(value)
  elseif meta == Literal then
    out[#out + 1] = value.text
  elseif meta == Object then
    write_object(out, value, style, indent)
  elseif meta == Array then
    write_array(out, value, style, indent)
  else
    error("a " .. kind .. " cannot be written as JSON", 0)
  end
end

--- The text of a value.
---@param value any a string, an integer, a boolean, or a value of this module
---@param style? { pretty: boolean, utf8: boolean } four spaces of indent; UTF-8 and `/` as they are
---@return string
function json.encode(value, style)
  local out = {}
  write(out, value, style or {}, 0)
  return table.concat(out)
end

return json
