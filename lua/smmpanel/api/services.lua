--- Reads the catalogue in a decoded answer. Pure.
-- @module smmpanel.api.services

local services = {}

local argerror = require "smmpanel.util.argerror"
local keys = require "smmpanel.api.keys"
local records = require "smmpanel.api.records"
local refusal = require "smmpanel.api.refusal"
local text = require "smmpanel.util.text"
local unwrap = require "smmpanel.api.unwrap"

local is_list, unclear = refusal.is_list, refusal.unclear

-- ---- names ------------------------------------------------------------------------------------

local function is_number(value) return type(value) == "number" end

-- In some catalogues `service` is the name, and the id is in another field.
local function names_the_service(row)
  local id = row.sid or row.id
  return is_number(id) and type(row.service) == "string" and (row.name == nil or not text.is_id(row.service))
end

-- All rows of a catalogue have the same fields, so the first row tells which documented names are missing.
local function needs_names(asking, row)
  if type(row) ~= "table" then return false end
  if row.service == nil or names_the_service(row) then return true end
  for name, others in pairs(asking.row.names) do
    if row[name] == nil then
      for _, other in ipairs(others) do
        if row[other] ~= nil and other ~= "id" then return true end
      end
    end
  end
  return false
end

local function name_fields(asking, row)
  if type(row) ~= "table" then return end
  if names_the_service(row) then
    row.name, row.service = row.name or row.service, row.sid or row.id
  end
  keys.document(row, asking.row.names)
  if row.service == nil and keys.fold(row) then keys.document(row, asking.row.names) end
end

-- ---- rows -------------------------------------------------------------------------------------

-- Returns whether a decoded array is a list of services without holes, the usual case. The decoder fills arrays in
-- order, so elements after a hole lie beyond the border (#rows).
local function are_services(rows)
  local count = #rows
  if next(rows, count > 0 and count or nil) ~= nil then return false end
  for i = 1, count do
    local row = rows[i]
    if type(row) ~= "table" or row.service == nil then return false end
  end
  return true
end

local function is_service(row)
  return type(row) == "table" and records.is_id(row.service)
end

-- Returns the rows of a catalogue without holes, or nil and the failure.
local function services_in(asking, rows)
  local list = {}
  for _, key in ipairs(refusal.sorted_keys(rows)) do
    local row = rows[key]
    name_fields(asking, row)
    if not is_service(row) then
      local said = type(row) == "table" and not is_list(row) and refusal.of(asking, row)
      return nil, said or unclear("the catalogue has %s in place of a service", argerror.describe(row))
    end
    list[#list + 1] = row
  end
  return list
end

local function read_rows(asking, rows)
  rows = unwrap.list(rows)
  local first = rows[1]
  if are_services(rows) and not needs_names(asking, first) then return rows end
  return services_in(asking, rows)
end

-- Reads a filtered PHP list, which is an object: {"0": {...}, "2": {...}}.
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

-- Reads lists by category: {"Instagram": [...], "TikTok": [...]}.
local function by_category(asking, object)
  local all = {}
  for _, category in ipairs(refusal.sorted_keys(object)) do
    local part = object[category]
    if type(part) ~= "table" or not is_list(part) then return nil end
    local list = services_in(asking, part)
    if not list then return nil end
    for _, row in ipairs(list) do
      row.category = row.category or category
      all[#all + 1] = row
    end
  end
  return all
end

-- Reads a single service as a list of one.
local function single(asking, object)
  name_fields(asking, object)
  return is_service(object) and object.name ~= nil and { object } or nil
end

local function read_object(asking, object, depth)
  local refused = refusal.of(asking, object)
  if refused then return nil, refused end
  if type(object.services) == "table" and next(object.services) == nil or says_empty(object) then return {} end
  local rows = numbered(object)
  if rows then return services_in(asking, rows) end
  for _, inner in ipairs(depth < unwrap.DEPTH and unwrap.inner(object) or {}) do
    local list, failure
    if is_list(inner) then list, failure = read_rows(asking, inner)
    else list, failure = read_object(asking, inner, depth + 1) end
    if list or failure.kind == "panel" and not failure.bare then return list, failure end
  end
  local list = by_category(asking, object) or single(asking, object)
  if list then return list end
  return nil, records.lacks(asking, object, "services")
end

--- Returns the list of services in a decoded document that is a table.
---@param asking smmpanel.Asking
---@param value table
---@return smmpanel.Service[]?
---@return smmpanel.Failure?
function services.read(asking, value)
  if next(value) == nil then return {} end
  if is_list(value) then return read_rows(asking, value) end
  return read_object(asking, value, 0)
end

return services
