--- Orders in a CSV file: each row an order with a ref of its own, all of them checked before anything is
-- sent.
-- @module smmpanel.cli.input.order_file

local order_file = {}

local checks = require "smmpanel.util.checks"
local csv = require "smmpanel.cli.input.csv"
local fail = require "smmpanel.cli.fail"
local fields = require "smmpanel.cli.input.fields"
local ids = require "smmpanel.cli.input.ids"
local order_form = require "smmpanel.cli.input.order_form"

local SHOWN = 20 -- problems: who has more looks at the first ones

local function check_columns(path, names, any_field)
  local there = {}
  for _, name in ipairs(names) do there[name] = true end
  for _, name in ipairs { "ref", "service" } do
    if not there[name] then fail.usage("%s: no column is called '%s'", path, name) end
  end
  there.ref = nil
  local unknown = not any_field and order_form.unknown(there)
  if unknown then fail.usage("%s: %s", path, unknown) end
end

local function order_of(values)
  local order = {}
  for name, value in pairs(values) do
    if name ~= "ref" then order[name] = fields.value(name, value) end
  end
  return order
end

-- What is wrong with a row, or nil. A ref tells one order from another, so there are not two of one.
local function problem_of(row, order, services, seen)
  local ref = row.values.ref
  local wrong = checks.ref(ref)
  if wrong then return "the ref must be " .. wrong end
  if seen[ref] then return ("the ref '%s' is that of line %d too"):format(ref, seen[ref]) end
  seen[ref] = row.line
  if not order.service then return "it names no service" end
  return order_form.wrong(services, order)
end

local function refuse(path, problems)
  local lines = { ("%s: nothing was sent, for %d rows are wrong:"):format(path, #problems) }
  if #problems == 1 then lines[1] = path .. ": nothing was sent, for a row is wrong:" end
  for i = 1, math.min(#problems, SHOWN) do lines[#lines + 1] = "  " .. problems[i] end
  if #problems > SHOWN then lines[#lines + 1] = ("  and %d more"):format(#problems - SHOWN) end
  fail.usage("%s", table.concat(lines, "\n"))
end

local function checked(path, rows, services)
  local items, problems, seen = {}, {}, {}
  for i, row in ipairs(rows) do
    local order = order_of(row.values)
    local wrong = problem_of(row, order, services, seen)
    if wrong then problems[#problems + 1] = ("line %d: %s"):format(row.line, wrong) end
    items[i] = { ref = row.values.ref, order = order }
  end
  if #problems > 0 then refuse(path, problems) end
  return items
end

--- Reads and checks them. Ends the command where one is wrong.
---@param path string - for the standard input
---@param services smmpanel.Catalog
---@param any_field? boolean also columns that are no documented fields
---@return smmpanel.RefOrder[]
function order_file.read(path, services, any_field)
  local rows, names = csv.records(ids.read_file(path))
  if not rows then fail.usage("%s: %s", path, names) end
  check_columns(path, names, any_field)
  if #rows == 0 then fail.usage("%s: there is no order in it", path) end
  return checked(path, rows, services)
end

return order_file
