--- Writes values as Lua source. Pure.
-- @module smmpanel.cli.views.lua_literal

local lua_literal = {}

local decimal = require "smmpanel.util.decimal"

local KEYWORDS = {}
for word in ("and break do else elseif end false for function goto if in local nil not or repeat return "
  .. "then true until while"):gmatch "%a+" do KEYWORDS[word] = true end

local UNSAFE = require("smmpanel.util.text").UNSAFE

local function in_bytes(char)
  return (char:gsub(".", function(byte) return ("\\%03d"):format(byte:byte()) end))
end

-- Not "%q": it does not escape line breaks, and in 5.1 it does not write \ddd.
local function quoted(text)
  text = text:gsub('[%z\1-\31\127"\\]', function(char)
    return char == '"' and '\\"' or char == "\\" and "\\\\" or char == "\n" and "\\n"
      or ("\\%03d"):format(char:byte())
  end)
  for _, pattern in ipairs(text:find "[\194\216\226]" and UNSAFE or {}) do text = text:gsub(pattern, in_bytes) end
  return '"' .. text .. '"'
end

local function number(n)
  if n ~= n then return "0/0" end
  if n == math.huge or n == -math.huge then return n > 0 and "1/0" or "-1/0" end
  return decimal.shortest(n)
end

local function before(a, b)
  if type(a) == type(b) then return a < b end
  return type(a) == "number"
end

local append

local function append_key(out, key)
  if type(key) == "string" and key:find "^[A-Za-z_][A-Za-z0-9_]*$" and not KEYWORDS[key] then
    out[#out + 1] = key
  else
    out[#out + 1] = "["
    append(out, key)
    out[#out + 1] = "]"
  end
  out[#out + 1] = " = "
end

local function append_table(out, value)
  local keys, in_row = {}, 0
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, before)
  out[#out + 1] = keys[1] ~= nil and "{ " or "{"
  for i, key in ipairs(keys) do
    if i > 1 then out[#out + 1] = ", " end
    if key == in_row + 1 then in_row = key else append_key(out, key) end
    append(out, value[key])
  end
  out[#out + 1] = keys[1] ~= nil and " }" or "}"
end

function append(out, value)
  local kind = type(value)
  if kind == "table" then return append_table(out, value) end
  out[#out + 1] = kind == "string" and quoted(value) or kind == "number" and number(value) or tostring(value)
end

--- Appends the pieces of a value's text to a list: see smmpanel.util.json's.
---@param out string[]
---@param value any
lua_literal.append = append

--- Returns a value as source on one line, with sorted keys.
---@param value any
---@return string
function lua_literal.encode(value)
  local out = {}
  append(out, value)
  return table.concat(out)
end

return lua_literal
