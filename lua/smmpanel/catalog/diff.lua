--- Compares two catalogues. Pure.
-- @module smmpanel.catalog.diff

local diff = {}

local decimal = require "smmpanel.util.decimal"

---@class smmpanel.Change
---@field field string
---@field before any
---@field after any

---@class smmpanel.Difference
---@field new smmpanel.Service[]
---@field gone smmpanel.Service[]
---@field changed { service: smmpanel.Service, before: smmpanel.Service, changes: smmpanel.Change[] }[]

-- The fields that matter for ordering; descriptions and average times change all day.
diff.FIELDS = { "rate", "min", "max", "step", "name", "category", "type", "refill", "cancel", "dripfeed" }

-- Compares values; "0.90" and 0.9 are the same price.
local function same(field, a, b)
  if a == b then return true end
  local x, y = field == "rate" and decimal.parse(a), field == "rate" and decimal.parse(b)
  return x and y and x == y or false
end

local function changes_of(now, before)
  local changes = {}
  for _, field in ipairs(diff.FIELDS) do
    if not same(field, now[field], before[field]) then
      changes[#changes + 1] = { field = field, before = before[field], after = now[field] }
    end
  end
  return changes
end

--- Returns the services that are new, gone or changed.
---@param now smmpanel.Catalog
---@param older smmpanel.Catalog
---@return smmpanel.Difference
function diff.run(now, older)
  local result = { new = {}, gone = {}, changed = {} }
  for _, service in ipairs(now.list) do
    local before = older:find(service.service)
    local changes = before and changes_of(service, before)
    if not before then
      table.insert(result.new, service)
    elseif #changes > 0 then
      table.insert(result.changed, { service = service, before = before, changes = changes })
    end
  end
  for _, service in ipairs(older.list) do
    if not now:find(service.service) then table.insert(result.gone, service) end
  end
  return result
end

return diff
