--- Shows the records of orders, refills and services: the columns for people, the fields for programs.
-- @module smmpanel.cli.views.records

local records = {}

local argerror = require "smmpanel.util.argerror"
local explain = require "smmpanel.cli.explain"
local formats = require "smmpanel.cli.views.formats"
local smmpanel = require "smmpanel"

local STYLES = { open = "open", completed = "good", partial = "bad", canceled = "bad", failed = "bad" }

--- Returns the class of a state. It also knows the `order_states` of the profile once there is a panel.
---@type fun(status: any): string
records.class_of = smmpanel.state

--- Returns a state in its colour.
---@param status any
---@return { text: string, style: string? }
function records.state(status)
  return { text = formats.text(status), whole = true, style = STYLES[records.class_of(status)] }
end

-- Returns a letter for yes, and any text of the panel unchanged.
local function flag(letter, value)
  if value == nil or value == false or value == 0 then return { text = "-", style = "dim" } end
  return { text = type(value) == "string" and value or letter, style = "good" }
end

records.services = {
  columns = { { title = "ID", right = true }, { title = "NAME", shrinks = 4 },
    { title = "CATEGORY", shrinks = 2, from = 72 }, { title = "TYPE", shrinks = 1.5, from = 96 },
    { title = "RATE", right = true }, { title = "MIN", right = true }, { title = "MAX", right = true },
    { title = "R", shrinks = 1 }, { title = "C", shrinks = 1 } },
  fields = { "service", "name", "type", "category", "rate", "min", "max", "refill", "cancel", "dripfeed" },
  cells = function(service)
    return { { text = formats.text(service.service), style = "link" }, formats.text(service.name),
      formats.text(service.category), { text = formats.text(service.type), style = "dim" },
      formats.text(service.rate), formats.text(service.min), formats.text(service.max),
      flag("R", service.refill), flag("C", service.cancel) }
  end,
}

local function wrong(record)
  local note = record.uncertain and " (uncertain: it may have been done)" or ""
  local said = record.cause and explain.short(record.cause) or record.error
  return { text = said .. note, style = "bad", whole = true, explains = true }
end

--- Returns the charge with its currency.
---@param record { charge: any, currency: string? }
---@return string
function records.charge(record)
  local amount = formats.text(record.charge)
  return amount ~= "" and record.currency and amount .. " " .. formats.text(record.currency) or amount
end

-- Returns the fields that only subscriptions and drip-feeds have.
local function further(record)
  local parts = {}
  for _, name in ipairs { "posts", "runs", "expiry", "orders" } do
    local text = formats.text(record[name])
    if text ~= "" and text ~= "[]" then parts[#parts + 1] = name .. " " .. text end
  end
  return table.concat(parts, ", ")
end

records.status = {
  what = "order",
  columns = { { title = "ORDER" }, { title = "STATUS", shrinks = 1 }, { title = "CHARGE", right = true },
    { title = "START", right = true }, { title = "REMAINS", right = true },
    { title = "", shrinks = 1 } },
  fields = { "order", "status", "charge", "currency", "start_count", "remains", "posts", "runs", "expiry",
    "orders", "error", "code" },
  cells = function(record)
    return { formats.text(record.order), record.error and wrong(record) or records.state(record.status),
      records.charge(record), formats.text(record.start_count), formats.text(record.remains),
      further(record) }
  end,
}

---@class smmpanel.cli.Shape how records are shown: the columns for people, the fields for programs
---@field what? "order"|"refill" the kind of id
---@field columns smmpanel.cli.Column[]
---@field cells fun(record: table): table[]
---@field fields string[]

--- Returns a cell for a request that was accepted.
---@return { text: string, style: string }
function records.requested() return { text = "requested", style = "good" } end

--- Returns a shape with two columns: the id, and its result or error.
---@param what "order"|"refill"
---@param value string the field with the result
---@param show fun(value: any): any returns the cell of a result
---@return smmpanel.cli.Shape
function records.two_columns(what, value, show)
  return {
    what = what,
    columns = { { title = what:upper() }, { title = value:upper(), shrinks = 1 } },
    fields = { what, value, "error", "code" },
    cells = function(record)
      return { formats.text(record[what]), record.error and wrong(record) or show(record[value]) }
    end,
  }
end

--- Returns an id for JSON: a number if that loses no digit, else text.
---@param id any
---@return any
function records.id(id)
  local n = type(id) == "string" and id:find "^[0-9]+$" and #id <= 19 and tonumber(id)
  return n and argerror.integer_text(n) == id and n or id
end

--- Returns a copy of a record with the requested id.
---@param shape table
---@param id string
---@param record table
---@return table
function records.with_id(shape, id, record)
  local own = {}
  for name, value in pairs(record) do
    if name ~= "cause" then own[name] = value end
  end
  -- If the record names another id, the requested one is the key, and the record's own id stays in the record.
  local said = own[shape.what]
  if said ~= nil and formats.text(said) ~= id then own["said_" .. shape.what] = said end
  if said == nil or formats.text(said) ~= id then own[shape.what] = records.id(id) end
  return own
end

return records
