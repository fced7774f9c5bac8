--- An order filled in: what its service's type requires is asked for where somebody is there to answer.
-- @module smmpanel.cli.order_form

local order_form = {}

local fail = require "smmpanel.cli.fail"
local fields = require "smmpanel.cli.fields"
local formats = require "smmpanel.cli.formats"
local order_rules = require "smmpanel.order"

-- Lines until an empty one, or @file.
local function ask_list(context, name)
  local first = context:ask(name .. " (one a line, an empty line ends; or @file):")
  if first:find "^@" then return fields.value(name, first) end
  local lines = {}
  while first ~= "" do
    lines[#lines + 1] = first
    first = context:ask "   "
  end
  return table.concat(lines, "\n")
end

local function hint(service, name)
  local min, max = formats.text(service.min), formats.text(service.max)
  if name ~= "quantity" or min == "" or max == "" then return name .. ":" end
  return ("%s (%s to %s):"):format(name, min, max)
end

local function ask_field(context, service, name)
  if fields.is_list(name) then return ask_list(context, name) end
  return context:ask(hint(service, name))
end

-- The first problem that an answer could mend, which is not that of a field given on the command line.
local function to_ask(problems, given)
  for _, problem in ipairs(problems or {}) do
    if problem.code == "missing" and not given[problem.field] then return problem end
  end
end

local function fill_in(context, services, service, order)
  local given = {}
  for name in pairs(order) do given[name] = true end
  local _, problems = services:check(order)
  while to_ask(problems, given) do
    local name = to_ask(problems, given).field
    order[name] = ask_field(context, service, name)
    _, problems = services:check(order)
    for _, problem in ipairs(problems or {}) do
      if problem.field == name and problem.code ~= "missing" then
        context:say("  %s", problem.text)
        order[name] = nil
      end
    end
    if order[name] == nil then _, problems = services:check(order) end
  end
end

--- The service of an order, looked for in the newest list where the kept one lacks it.
---@param context smmpanel.cli.Context
---@param order table
---@param max_age number seconds
---@return smmpanel.Service
---@return smmpanel.Catalog
function order_form.service(context, order, max_age)
  local services = context:catalog(max_age)
  local service = services:find(order.service)
  if not service then
    services = context:catalog(0)
    service = services:find(order.service)
  end
  if service then return service, services end
  fail.usage("the panel lists no service %s (one that it hides can be ordered with: smmpanel call add ...)",
    formats.text(order.service))
end

-- What the client itself would throw, of types that the documentation knows.
local function thrown_by(order, service)
  local copy = { type = order_rules.required(service.type) }
  for name, value in pairs(order) do
    if name ~= "type" then copy[name] = value end
  end
  local ok, thrown = pcall(order_rules.fields, copy)
  return not ok and tostring(thrown):gsub("^.-panel:add: ", "") or nil
end

--- What is wrong with an order, or nil.
---@param services smmpanel.Catalog
---@param order table
---@return string?
function order_form.wrong(services, order)
  local ok, problems = services:check(order)
  if not ok then return tostring(problems) end
  return thrown_by(order, services:find(order.service))
end

--- Asks for what is missing, and ends the command where something is still wrong.
---@param context smmpanel.cli.Context
---@param services smmpanel.Catalog
---@param service smmpanel.Service
---@param order table is filled in
function order_form.complete(context, services, service, order)
  if context:can_ask() then fill_in(context, services, service, order) end
  local wrong = order_form.wrong(services, order)
  if wrong then fail.usage("%s", wrong) end
end

return order_form
