--- The catalogue in a decoded answer. Pure.
-- @module smmpanel.api.services

local services = {}

local argerror = require "smmpanel.util.argerror"
local records = require "smmpanel.api.records"
local refusal = require "smmpanel.api.refusal"
local text = require "smmpanel.util.text"

local is_list, unclear = refusal.is_list, refusal.unclear

local function is_service(row) return type(row) == "table" and row.service ~= nil end

-- Whether a decoded array is a list of services without holes, as nearly every one is. The decoder fills arrays in
-- order, so whatever lies behind a hole comes after the border.
local function are_services(rows)
  local count = #rows
  if next(rows, count > 0 and count or nil) ~= nil then return false end
  for i = 1, count do
    local row = rows[i]
    if type(row) ~= "table" or row.service == nil then return false end
  end
  return true
end

-- The rows of a catalogue without holes, or nil and the failure.
local function services_in(rows)
  local list = {}
  for _, key in ipairs(refusal.sorted_keys(rows)) do
    local row = rows[key]
    if not is_service(row) then
      local said = type(row) == "table" and not is_list(row) and refusal.of("services", row)
      return nil, said or unclear("the catalogue holds %s that is no service", argerror.describe(row))
    end
    list[#list + 1] = row
  end
  return list
end

-- A filtered PHP list comes as an object: {"0": {...}, "2": {...}}.
local function numbered(object)
  local rows = {}
  for key, row in pairs(object) do
    local n = key:find("^[0-9]+$") and tonumber(key)
    if not n then return nil end
    rows[n] = row
  end
  return rows
end

local function says_empty(object)
  local data = object.data
  if type(data) == "table" then return next(data) == nil end
  return records.succeeded(object) and refusal.filled(data) and text.lower(data):find("empty", 1, true) ~= nil
end

--- The list of services in a decoded document that is a table and no refusal.
---@param value table
---@return smmpanel.Service[]?
---@return smmpanel.Failure?
function services.read(value)
  if is_list(value) and are_services(value) then return value end
  if is_list(value) or next(value) == nil then return services_in(value) end
  local inner = value.services
  if type(inner) == "table" then return services_in(inner) end
  if says_empty(value) then return {} end
  local rows = numbered(value)
  if rows then return services_in(rows) end
  return nil, records.lacks(value, "services")
end

return services
