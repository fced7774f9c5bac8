--- Orders in a CSV file: each row is an order with its own ref. All rows are checked before anything is sent.
-- @module smmpanel.cli.input.order_file

local order_file = {}

local argerror = require "smmpanel.util.argerror"
local checks = require "smmpanel.util.checks"
local columns = require "smmpanel.cli.input.columns"
local fail = require "smmpanel.cli.fail"
local from = require "smmpanel.cli.input.from"
local order_form = require "smmpanel.cli.input.order_form"
local text = require "smmpanel.util.text"

-- With --any-field, every column is a field.
local function known_columns(any_field)
  if not any_field then return columns.ORDER end
  return setmetatable({}, { __index = function() return true end })
end

local function order_of(values, any_field)
  local order = {}
  for name, value in pairs(values) do
    if name ~= "ref" and (any_field or columns.ORDER[name]) then order[name] = text.trim(value) end
  end
  return order
end

-- A ref identifies one order, so it must be unique in the file.
local function ref_problem(row, seen)
  local ref = row.values.ref
  if ref == nil then return "the ref is missing" end
  local wrong = checks.ref(ref)
  if wrong then return ("the ref must be %s, got %s"):format(wrong, argerror.describe(ref)) end
  if seen[ref] then return ("the ref '%s' is already in line %d"):format(ref, seen[ref]) end
  seen[ref] = row.line
end

local function add_problems(problems, row, order, services, seen)
  local function note(column, problem)
    problems[#problems + 1] = ("line %d, column '%s': %s"):format(row.line, column, problem)
  end
  local wrong = ref_problem(row, seen)
  if wrong then note("ref", wrong) end
  if not order.service then return note("service", "the service is missing") end
  for _, problem in ipairs(order_form.problems(services, order)) do note(problem.field, problem.text) end
end

--- Reads and checks the orders. Ends the command if one is wrong.
---@param path string - for the standard input
---@param services smmpanel.Catalog
---@param args { any_field: boolean?, ignore_columns: boolean? }
---@return smmpanel.RefOrder[]
function order_file.read(path, services, args)
  local rows, problems = from.records(path, { needs = { "ref", "service" }, known = known_columns(args.any_field),
    ignore = args.ignore_columns })
  local items, seen = {}, {}
  for i, row in ipairs(rows) do
    local order = order_of(row.values, args.any_field)
    add_problems(problems, row, order, services, seen)
    items[i] = { ref = row.values.ref, order = order }
  end
  from.refuse(path, problems)
  if #items == 0 then fail.usage("%s: the file has no orders", path) end
  return items
end

return order_file
