--- Reads an application/x-www-form-urlencoded text: a request's body, or a URL's query.
-- @module smmpanel.sandbox.form

local form = {}

local function unescape(hex)
  return string.char(tonumber(hex, 16))
end

--- `+` and percent escapes undone; an escape that is none stays as it is, as in PHP.
---@param text string
---@return string
function form.decode(text)
  return (text:gsub("%+", " "):gsub("%%(%x%x)", unescape))
end

--- The fields by name. As in PHP the last of several wins, and a field without `=` is empty.
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

return form
