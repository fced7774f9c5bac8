--- Completes an order: on a terminal, it asks for the fields that the type of the service requires.
-- @module smmpanel.cli.input.order_form

local order_form = {}

local catalog = require "smmpanel.catalog"
local columns = require "smmpanel.cli.input.columns"
local fail = require "smmpanel.cli.fail"
local fields = require "smmpanel.cli.input.fields"
local formats = require "smmpanel.cli.views.formats"
local records = require "smmpanel.cli.views.records"
local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

local SHOWN = 10 -- most services in a search result

-- Returns the limits of a quantity, such as "50 to 10000".
local function limits(form, name)
  local min, max = text.one_line(formats.text(form.min), 20), text.one_line(formats.text(form.max), 20)
  local counted = form.counted or (name == "min" or name == "max") and name
  return name == counted and min ~= "" and max ~= "" and ("%s to %s"):format(min, max) or nil
end

-- Reads lines until an empty one, or a file (@file).
local function ask_list(context, name, range)
  local how = "one per line, end with an empty line; or @file"
  local first = context:ask(("%s (%s%s):"):format(name, range and range .. ", " or "", how))
  if first:find "^@" then return fields.value(name, first) end
  local lines = {}
  while first ~= "" do
    lines[#lines + 1] = first
    first = context:ask "   "
  end
  return table.concat(lines, "\n")
end

--- Returns the problems with an order.
---@param services smmpanel.Catalog
---@param order table
---@return smmpanel.Problem[]
function order_form.problems(services, order)
  local _, problems = services:check(order)
  return problems or {}
end

local HINTS = { runs = "number of runs", interval = "minutes between runs", delay = "minutes", expiry = "as 31/12/2026",
  posts = "number of new posts", old_posts = "number of existing posts", country = "a code such as TR" }

local function ask_field(context, form, name, optional)
  local notes = {}
  for _, note in ipairs { limits(form, name) or false, HINTS[name] or false, optional and "Enter: none" } do
    if note then notes[#notes + 1] = note end
  end
  if fields.is_list(name) then return ask_list(context, name, limits(form, name)) end
  return text.trim(context:ask(notes[1] and ("%s (%s):"):format(name, table.concat(notes, ", ")) or name .. ":"))
end

-- Returns the problem with one field, or nil.
local function wrong_with(services, order, name)
  for _, problem in ipairs(order_form.problems(services, order)) do
    if problem.field == name and problem.code ~= "missing" then return problem.text end
  end
end

-- Asks until the answer is valid, and reports each invalid answer at once. Returns nil if nothing was typed for an
-- optional field.
local function ask_until_right(context, services, form, order, name, optional)
  while true do
    local answer = ask_field(context, form, name, optional)
    if optional and answer == "" then return end
    order[name] = answer
    local wrong = wrong_with(services, order, name)
    if not wrong then return end
    order[name] = nil
    context:say("  %s", wrong)
  end
end

-- Returns the next missing field to ask for. Returns nil if a field given on the command line is wrong: no answer could
-- correct that.
local function next_question(services, order, given)
  local problems = order_form.problems(services, order)
  for _, problem in ipairs(problems) do
    if given[problem.field] then return nil end
  end
  local first = problems[1]
  if first then return first.field, first.code ~= "missing" and first.text or nil end
end

-- The optional fields to ask for; others must be given on the command line.
local ASKED = { runs = true, interval = true, posts = true, old_posts = true, expiry = true }

local function ask_optional(context, services, form, order)
  for _, name in ipairs(form.optional) do
    local follows = name ~= "interval" or order.runs ~= nil
    if ASKED[name] and follows and order[name] == nil then
      -- A drip-feed needs an interval.
      ask_until_right(context, services, form, order, name, name ~= "interval")
    end
  end
end

local function fill_in(context, services, form, order)
  local given, asked = {}, false
  for name in pairs(order) do given[name] = true end
  local name, wrong = next_question(services, order, given)
  while name do
    asked = true
    if wrong then context:say("  %s", wrong) end
    ask_until_right(context, services, form, order, name)
    name, wrong = next_question(services, order, given)
  end
  if asked and #order_form.problems(services, order) == 0 then ask_optional(context, services, form, order) end
end

--- Asks for the service. Words are a search; it asks again until an id is typed.
---@param context smmpanel.cli.Context
---@param services smmpanel.Catalog
---@return string id
function order_form.ask_service(context, services)
  while true do
    local answer = text.trim(context:ask "service (its id, or words to search for):")
    if services:find(answer) then return answer end
    local found = answer ~= "" and services:search { text = answer } or {}
    local sink = formats.sink({}, records.services, io.stderr)
    for i = 1, math.min(#found, SHOWN) do sink:row(found[i]) end
    sink:close()
    if #found > SHOWN then context:say("and %d more: add words to narrow the search", #found - SHOWN) end
    if answer ~= "" and #found == 0 then context:say "  no service matches all these words" end
  end
end

--- Returns the service of an order. If the cached list lacks it, fetches the list again.
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
  fail.usage("the panel lists no service %s (to order a hidden service: smmpanel call add ...)",
    formats.text(order.service))
end

--- Returns the problem with the names of an order's fields, or nil. Panels may have fields of their own, but a misspelt
-- name sent in this way would change the order.
---@param names table<string, any>
---@return string?
function order_form.unknown(names)
  for name in pairs(names) do
    if not columns.FIELDS[name] then
      return ("an order has no field '%s'; %s (--any-field sends it anyway)"):format(name,
        argerror.hint(name, columns.FIELDS))
    end
  end
end

--- Returns an order's fields for people: each is a name and one line. For a list, the line has the first item and the
-- number of the others.
---@param order table<string, string>
---@return string[][]
function order_form.shown(order)
  local list = {}
  for _, field in ipairs(catalog.sent(order)) do
    local value = field.value
    local more = type(value) == "table" and #value - 1 or 0
    local first = type(value) == "table" and value[1] or value
    if field.name ~= "service" then
      list[#list + 1] = { field.name, more > 0 and ("%s, and %d more"):format(first, more) or first }
    end
  end
  return list
end

--- Returns the command line that places an order, so that typed answers are not lost.
---@param order table<string, string>
---@param ref? string
---@return string
function order_form.command(order, ref)
  local words = { "smmpanel add" }
  for _, field in ipairs(catalog.sent(order)) do
    local values = type(field.value) == "table" and field.value or { field.value }
    for _, value in ipairs(values) do words[#words + 1] = text.shell_word(field.name .. "=" .. value) end
  end
  if ref then words[#words + 1] = text.shell_word("--ref=" .. ref) end
  return table.concat(words, " ")
end

--- Asks for missing fields. Ends the command if something is still wrong.
---@param context smmpanel.cli.Context
---@param services smmpanel.Catalog
---@param service smmpanel.Service
---@param order table changed in place
function order_form.complete(context, services, service, order)
  if context:can_ask() then fill_in(context, services, services:form(service.service), order) end
  local problems, texts = order_form.problems(services, order), {}
  for i, problem in ipairs(problems) do texts[i] = problem.text end
  if texts[1] then fail.usage("%s", table.concat(texts, "; ")) end
end

return order_form
