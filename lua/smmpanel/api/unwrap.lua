--- The wrappers that panels put around an answer: {"status": true, "data": {...}}, [[...]], [{"1": {...}}, ...]. Pure.
-- @module smmpanel.api.unwrap

local unwrap = {}

local refusal = require "smmpanel.api.refusal"

local is_list = refusal.is_list

--- How deep wrappers are opened.
unwrap.DEPTH = 4

--- A list without the lists around it.
---@param value any
---@return any
function unwrap.list(value)
  for _ = 1, unwrap.DEPTH do
    if type(value) ~= "table" or not is_list(value) or refusal.length(value) ~= 1 then break end
    local inner = value[1]
    if type(inner) ~= "table" or not is_list(inner) then break end
    value = inner
  end
  return value
end

--- The tables in an object's wrappers, in a stable order.
---@param object table
---@param own? string one more name: that of what was asked for ({"order": {...}}, {"orders": [...]})
---@return table[]
function unwrap.inner(object, own)
  local found = {}
  local function add(name)
    local inner = object[name]
    if type(inner) == "table" and next(inner) ~= nil then found[#found + 1] = inner end
  end
  for _, name in ipairs(refusal.WRAPPERS) do add(name) end
  if own then add(own) end
  return found
end

-- The only key of an object, or nil.
local function only_key(object)
  if type(object) ~= "table" then return nil end
  local key = next(object)
  return type(key) == "string" and next(object, key) == nil and key or nil
end

--- A list of objects of one key each, which are ids: [{"1": {...}}, {"10": {...}}] -> {"1": {...}, "10": {...}}.
---@param asked string[]
---@param list table
---@return table? map nil where it is no such list
function unwrap.pairs(asked, list)
  local wanted, map = {}, {}
  for _, id in ipairs(asked) do wanted[id] = true end
  local known = false
  for _, object in pairs(list) do
    local key = only_key(object)
    if not key or map[key] ~= nil or not (wanted[key] or key:find("^[0-9]+$")) then return nil end
    map[key], known = object[key], known or wanted[key]
  end
  return known and map or nil
end

return unwrap
