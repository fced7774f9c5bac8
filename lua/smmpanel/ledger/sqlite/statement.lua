--- SQL statements with values. LuaSQL has no prepared statements, so the values become literals in the text. Pure.
-- @module smmpanel.ledger.sqlite.statement

local statement = {}

-- A template -> its pieces: text and the names of values alternately. Templates are constants of this program.
local pieces_of = {}

local function pieces(template)
  local list, from = {}, 1
  for at, name, after in template:gmatch "():([a-z]+)()" do
    list[#list + 1], list[#list + 2] = template:sub(from, at - 1), name
    from = after
  end
  list[#list + 1] = template:sub(from)
  pieces_of[template] = list
  return list
end

local function number(value)
  if value % 1 == 0 and value > -2 ^ 53 and value < 2 ^ 53 then return ("%.0f"):format(value) end
  return (("%.17g"):format(value):gsub("[^0-9a-z+-]+", ".")) -- a locale's point
end

local function quoted(value)
  if value:find("'", 1, true) then value = value:gsub("'", "''") end
  return "'" .. value .. "'"
end

local function literal(value)
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if kind == "number" then return number(value) end
  if kind == "boolean" then return value and "1" or "0" end
  return "NULL"
end

--- Replaces each `:name` in a template by that value.
---@param template string
---@param values table<string, string|number|boolean>
---@return string
function statement.fill(template, values)
  local list, filled = pieces_of[template] or pieces(template), {}
  for i = 1, #list - 1, 2 do
    filled[i], filled[i + 1] = list[i], literal(values[list[i + 1]])
  end
  filled[#list] = list[#list]
  local sql = table.concat(filled)
  -- SQL text ends at a NUL, so the rest would be lost.
  assert(not sql:find("\0", 1, true), "a text with a NUL")
  return sql
end

return statement
