--- Fields given as `name=value`: lists from files, or by giving them several times.
-- @module smmpanel.cli.input.fields

local fields = {}

local fail = require "smmpanel.cli.fail"
local from = require "smmpanel.cli.input.from"

local LISTS = { comments = true, usernames = true, keywords = true, hashtags = true, groups = true }

--- Whether a field is a list.
---@param name string
---@return boolean
function fields.is_list(name)
  return LISTS[name] == true
end

-- A list's value that begins with @ is the name of a file; @@ is an @.
local function list_value(name, value)
  if not value:find "^@" then return value end
  if value:find "^@@" then return value:sub(2) end
  local path = value:sub(2)
  local file = path ~= "-" and io.open(path, "rb")
  if path ~= "-" and not file then
    fail.usage("%s=%s: there is no file '%s' (for a value that begins with @, write @@...)", name, value,
      path)
  end
  if file then file:close() end
  return from.read_file(path)
end

--- A field's value as it was typed: of a list also `@file`. Never of what stands in a file: a cell could name
-- any file of the user's.
---@param name string
---@param value string
---@return string
function fields.value(name, value)
  return LISTS[name] and list_value(name, value) or value
end

--- Reads them. Ends the command where one is wrong.
---@param given string[]
---@return table<string, string>
function fields.read(given)
  local read = {}
  for _, text in ipairs(given) do
    local name, value = text:match "^([^=]+)=(.*)$"
    if not name then fail.usage("'%s' is not a field: write fields as name=value", text) end
    value = fields.value(name, value)
    if read[name] and not LISTS[name] then fail.usage("the field '%s' is given twice", name) end
    read[name] = read[name] and read[name] .. "\n" .. value or value
  end
  return read
end

return fields
