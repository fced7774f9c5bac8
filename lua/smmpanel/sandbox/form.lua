--- Reads the fields of a request: an application/x-www-form-urlencoded body or query, multipart/form-data as PHP's cURL
-- sends an array of POSTFIELDS, or a JSON object.
-- @module smmpanel.sandbox.form

local form = {}

local json = require "smmpanel.util.json"

local function unescape(hex)
  return string.char(tonumber(hex, 16))
end

--- Decodes `+` and percent escapes. Like PHP, it leaves an invalid escape as it is.
---@param text string
---@return string
function form.decode(text)
  return (text:gsub("%+", " "):gsub("%%(%x%x)", unescape))
end

--- Returns the fields by name. As in PHP, the last field of a name wins, and a field without `=` is empty.
---@param text string?
---@return table<string, string>
function form.parse(text)
  local fields = {}
  for pair in (text or ""):gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=(.*)$")
    fields[form.decode(name or pair)] = form.decode(value or "")
  end
  return fields
end

local function escaped(text) return (text:gsub("[^0-9A-Za-z]", "%%%0")) end

-- Returns the fields of a multipart body. Files are treated as text fields.
local function parse_multipart(body, boundary)
  local fields, at = {}, 1
  local delimiter = escaped("--" .. boundary)
  while true do
    local _, begun = body:find(delimiter .. "\r?\n", at, false)
    if not begun then return fields end
    local head_end, content = body:find("\r?\n\r?\n", begun)
    if not head_end then return fields end
    local name = body:sub(begun + 1, head_end):match('[nN]ame="([^"]*)"')
    local to = body:find("\r?\n" .. delimiter, content + 1)
    if not to then return fields end
    if name then fields[name] = body:sub(content + 1, to - 1) end
    at = to + 1
  end
end

-- Converts a JSON value to the text that a form would have. Panels in PHP implode a list with commas.
local function as_text(value)
  if type(value) == "boolean" then return value and "1" or "0" end
  if type(value) ~= "table" then return tostring(value) end
  local items = {}
  for i, item in ipairs(value) do items[i] = tostring(item) end
  return table.concat(items, ",")
end

local function parse_json(body)
  local ok, object = pcall(json.decode, body)
  if not ok or type(object) ~= "table" then return nil end
  local fields = {}
  for name, value in pairs(object) do fields[tostring(name)] = as_text(value) end
  return fields
end

--- Returns the fields of a body in any of the three formats.
---@param body string?
---@param content_type string?
---@return table<string, string>
function form.read(body, content_type)
  body = body or ""
  local kind = (content_type or ""):lower()
  local boundary = kind:find("multipart/form%-data", 1) and content_type:match('[bB]oundary="?([^";]+)')
  if boundary then return parse_multipart(body, boundary) end
  local is_json = kind:find("json", 1, true) or body:find("^[ \t\r\n]*{")
  return is_json and parse_json(body) or form.parse(body)
end

return form
