--- Opens the wrappers of an answer: {"status": true, "data": {...}}, [[...]], [{"1": {...}}, ...]. Pure.
-- @module smmpanel.api.unwrap

local unwrap = {}

local refusal = require "smmpanel.api.refusal"

local is_list = refusal.is_list

--- The most wrappers that are opened, one inside the other.
unwrap.DEPTH = 4

-- Looks at two elements at most, because a catalogue has thousands and is read in one turn of the host's loop.
local function has_one(list) return next(list) == 1 and next(list, 1) == nil end

--- Returns a list without the lists around it.
---@param value any
---@return any
function unwrap.list(value)
  for _ = 1, unwrap.DEPTH do
    if type(value) ~= "table" or not is_list(value) or not has_one(value) then break end
    local inner = value[1]
    if type(inner) ~= "table" or not is_list(inner) then break end
    value = inner
  end
  return value
end

--- Returns the tables in an object's wrappers, in a stable order.
---@param object table
---@param own? string one more name, that of the requested thing: {"order": {...}}, {"orders": [...]}
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

-- Returns the only key of an object, or nil.
local function only_key(object)
  if type(object) ~= "table" then return nil end
  local key = next(object)
  return type(key) == "string" and next(object, key) == nil and key or nil
end

--- Merges objects with one id each: [{"1": {...}}, {"10": {...}}] becomes {"1": {...}, "10": {...}}.
---@param asked string[]
---@param list table
---@return table? map nil if the list is different
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
