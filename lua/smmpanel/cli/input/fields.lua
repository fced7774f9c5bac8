--- Fields given as `name=value`. A list comes from a file, or from a field that is given several times.
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

-- In a list, `@file` reads a file, and @@ stands for an @.
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

--- Returns a field's value as typed; for a list also from `@file`. Only for values from the command line: in a CSV
-- file, a cell could name any file of the user.
---@param name string
---@param value string
---@return string
function fields.value(name, value)
  return LISTS[name] and list_value(name, value) or value
end

--- Reads fields. Ends the command if one is wrong.
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

--- Returns a field's value in one line, to be shown: for a list, its first item and the number of the others.
---@param value string
---@return string
function fields.in_a_line(value)
  local _, more = value:gsub("\n", "")
  return more > 0 and ("%s, and %d more"):format(value:match "^[^\n]*", more) or value
end

return fields
