--- Adds the documented names to the fields of an answer. Fields under other names stay too. Pure.
-- @module smmpanel.api.keys

local keys = {}

-- startCount, StartCount, Start Count -> start_count
local function plain(name)
  return (name:gsub("([a-z0-9])([A-Z])", "%1_%2"):gsub("[ -]", "_"):lower())
end

-- The documented names as lists, because they are walked for each record, and a list is faster.
local lists = setmetatable({}, { __index = function(all, names)
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  all[names] = list
  return list
end })

local function take_other(object, name, others)
  for _, other in ipairs(others) do
    if object[other] ~= nil then
      object[name] = object[other]
      return
    end
  end
end

--- Adds a documented name to an object that has the field only under another name. The panel's own names stay.
---@param object table
---@param names table<string, string[]> documented name -> other names; a constant table, because its list is cached
function keys.document(object, names)
  local list = lists[names]
  for i = 1, #list do
    local name = list[i]
    if object[name] == nil then take_other(object, name, names[name]) end
  end
end

--- The last resort: adds keys in lower case with `_` for keys with capital letters or spaces.
---@param object table
---@return boolean changed
function keys.fold(object)
  local found = {}
  for key, value in pairs(object) do
    if type(key) == "string" and key:find("[A-Z -]") then
      local name = plain(key)
      if object[name] == nil then found[name] = value end
    end
  end
  for name, value in pairs(found) do object[name] = value end
  return next(found) ~= nil
end

return keys
