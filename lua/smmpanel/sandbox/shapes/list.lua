--- The unusual shapes of answers, each seen on a real panel. A shape works at one stage (`place`): on the request
-- (`wish`), on the panel's result (`change`), on how the result becomes a document (`build`; `error` for an error), on
-- the finished document (`finish`), or on how the document is written (`style`).
-- @module smmpanel.sandbox.shapes.list

local documented = require "smmpanel.sandbox.panel.documented"
local json = require "smmpanel.sandbox.panel.php_json"
local money = require "smmpanel.sandbox.panel.money"
local tools = require "smmpanel.sandbox.shapes.tools"

local error_object, id_value = documented.error, documented.id
local keyed, row, top_error = documented.keyed, documented.row, documented.top_error

local mapped, changing, fields_changing = tools.mapped, tools.changing, tools.fields_changing
local number, constant = tools.number, tools.constant

local COUNTS = "start_count remains min max posts runs"
local MONEY = "rate charge balance"
local FLAGS = "refill cancel dripfeed drip_feed"

-- In PHP, a map with the keys 0, 1, 2, ... is a list.
local function as_php_map(object)
  for i, name in ipairs(object.names) do
    if name ~= tostring(i - 1) then
      return object
    end
  end
  return mapped(object.names, function(name)
    return object:get(name)
  end)
end

-- ---- the list --------------------------------------------------------------------------------

local list = {}

-- `needs` is a pattern that the shape's argument must match.
local function shape(name, what, place, work, on, needs)
  list[#list + 1] = { name = name, what = what, place = place, work = work, on = on, needs = needs }
end

-- Everywhere

shape("set:FIELD=JSON", "each record's FIELD has this JSON value", "change", changing(
  function(record, _, arg)
    local name, value = arg:match("^([^=]+)=(.+)$")
    record:set(name, json.literal(value))
  end), nil, "^[^=]+=.+$")
shape("drop:FIELD", "each record lacks FIELD", "change", changing(function(record, _, arg)
  record:drop(arg)
end), nil, ".")
shape("rename:OLD=NEW", "each record's field OLD is named NEW", "change", changing(
  function(record, _, arg)
    local old, new = arg:match("^([^=]+)=(.+)$")
    record:rename(old, new)
  end), nil, "^[^=]+=.+$")
shape("numbers", "money and counts are JSON numbers", "change",
  fields_changing(MONEY .. " " .. COUNTS, number))
shape("nulls", "money, counts and flags are `null`", "change",
  fields_changing(table.concat({ MONEY, COUNTS, FLAGS, "category currency expiry" }, " "), constant "null"))
shape("counts:TEXT", "counts are TEXT, in quotes (`+12`, `Unknown`, `-12`, or nothing)", "change",
  fields_changing(COUNTS, function(_, arg)
    return arg or ""
  end))
shape("no-currency", "no `currency`", "change", changing(function(record)
  record:drop("currency")
end))
shape("success", "`status:\"success\"` added to a success", "finish", function(tree, answer)
  if json.is_object(tree) and not top_error(answer) and answer.action ~= "status" then
    tree:set("status", tree:get("status") or "success")
  end
  return tree
end)
shape("error-null", "`error:null` added to a success", "finish", function(tree, answer)
  if json.is_object(tree) and not top_error(answer) then
    tree:set("error", json.null)
  end
  return tree
end)
shape("pretty", "the JSON is indented, with a line break before it", "style")
shape("utf8", "text is UTF-8, without `\\u` escapes", "style")

-- services

local function services_shape(name, what, build)
  shape(name, what, "build", build, "services")
end

services_shape("services-wrapped", "`{\"services\":[...]}`", function(answer)
  return json.object("services", answer.list)
end)
services_shape("services-empty-data", '`{"status":"success","data":"Empty Data"}`', function()
  return json.object("status", "success", "data", "Empty Data")
end)
services_shape("services-empty-list", "`[]`", function()
  return json.array()
end)
services_shape("services-empty-object", "`{}`", function()
  return json.object()
end)

local function services_change(name, what, change)
  shape(name, what, "change", changing(change), "services")
end

services_change("services-extra", "also dripfeed, desc, average_time, currency and platform", function(record)
  record:set("dripfeed", false):set("desc", "Start: 0-1 hour\r\nSpeed: 5K/day")
    :set("average_time", "00:42:10"):set("currency", "USD"):set("platform", "instagram")
end)
services_change("services-other", "also drip_feed, description, avg_time and api_provider_id", function(record)
  record:set("drip_feed", "1"):set("description", json.null):set("avg_time", "Not enough data")
    :set("api_provider_id", json.literal("7"))
end)
services_change("services-no-type", "no `type`", function(record)
  record:drop("type")
end)
services_change("services-no-category", "`category:null`", function(record)
  record:set("category", json.null)
end)
services_change("services-snake", "types in snake_case", function(record)
  record:set("type", (record:get("type"):lower():gsub(" ", "_")))
end)
services_change("services-lower", "types in lower case", function(record)
  record:set("type", record:get("type"):lower())
end)
services_change("services-text-ids", "`service` is text", function(record)
  record:set("service", ("%d"):format(record:get("service")))
end)

local function flags(name, what, truth, untruth)
  shape(name, what, "change", fields_changing(FLAGS, function(value)
    return value == true and truth or value == false and untruth or value
  end), "services")
end

flags("flags-numbers", "flags are 1 and 0", json.literal("1"), json.literal("0"))
flags("flags-digits", "flags are `\"1\"` and `\"0\"`", "1", "0")
flags("flags-words", "flags are `\"true\"` and `\"false\"`", "true", "false")
flags("flags-three", "`refill` is 3 where a refill is possible", json.literal("3"), json.literal("0"))
flags("flags-text", "flags are free text", "30 days", "No refill")

-- add

local function add_shape(name, what, build)
  shape(name, what, "build", build, "add")
end

shape("id:TEXT", "the new order's id is TEXT (`9007199254740993`); `id:opaque`: ids as `ord_01HG...`", "wish",
  function(wishes, arg)
    wishes.id = arg
  end, "add", ".")
add_shape("add-text", "`\"order\":\"23501\"`", function(answer)
  return json.object("order", answer.id)
end)
add_shape("add-extra", "also status, message, charge, remaining_balance and more", function(answer)
  return json.object("status", "success", "message", "Order placed", "order", id_value(answer.id), "charge",
    money.text(answer.charge), "start_count", "0", "remaining_balance", money.text(answer.balance),
    "currency", "USD")
end)
add_shape("add-100", "`{\"status\":100,\"order\":n}`", function(answer)
  return json.object("status", 100, "order", id_value(answer.id))
end)
add_shape("add-no-id", "success without an order id (a scheduled order)", function()
  return json.object("status", "success", "message", "Order scheduled")
end)
add_shape("add-order_id", "`order_id` instead of `order`", function(answer)
  return json.object("order_id", id_value(answer.id))
end)
add_shape("add-id", "`id` instead of `order`", function(answer)
  return json.object("id", id_value(answer.id))
end)

-- status

local function status_change(name, what, change)
  shape(name, what, "change", change, "status")
end

status_change("order-echoed", "`order` in each record", changing(function(record, id)
  record:set("order", id_value(id))
end))
status_change("order-differs", "`order` in each record, but not the id that was requested", changing(
  function(record)
    record:set("order", json.literal("777"))
  end))
status_change("start-null", "`start_count:null`", fields_changing("start_count", constant "null"))
shape("state:TEXT", "the order's state is TEXT", "change", fields_changing("status", function(_, arg)
  return arg
end), "status", ".")

local state_numbers = { pending = 0, processing = 1, inprogress = 1, completed = 2, partial = 3, canceled = 4,
                        refunded = 5 }

status_change("states-numbers", "states are 0 to 5", fields_changing("status", function(state)
  return state_numbers[state:lower():gsub("[ _-]", "")] or state
end))
status_change("states-snake", "states as `in_progress`", fields_changing("status", function(state)
  return (state:lower():gsub(" ", "_"))
end))

local function status_shape(name, what, build)
  shape(name, what, "build", function(answer)
    return answer.items and build(answer) or documented.actions.status(answer)
  end, "status")
end

status_shape("status-bare", "of many: an error is a bare string, not an object", function(answer)
  local object = json.object()
  for _, item in ipairs(answer.items) do
    object:set(item.id, item.error or item.value)
  end
  return as_php_map(object)
end)
status_shape("status-list", "of many: a list in reverse order, with `order` in each record", function(answer)
  local records = json.array()
  for i = #answer.items, 1, -1 do
    local item = answer.items[i]
    local record = item.value and item.value:copy() or error_object(item.error)
    records[#records + 1] = record:set("order", id_value(item.id))
  end
  return records
end)
status_shape("status-list-no-ids", "of many: a list of records without their ids", function(answer)
  return mapped(answer.items, function(item)
    return item.value or error_object(item.error)
  end)
end)
status_shape("status-none", "of many: `[]`, as if no id were known", function()
  return json.array()
end)
status_shape("status-php", "of many: a map with the keys 0 to n becomes a list, as in PHP", function(answer)
  return as_php_map(documented.actions.status(answer))
end)

-- several ids, any action

shape("ids-left-out", "of many: unknown ids are left out; if all are unknown `[]`", "change", function(answer)
  local kept = {}
  for _, item in ipairs(answer.items or {}) do
    kept[#kept + 1] = not item.error and item or nil
  end
  answer.items = answer.items and kept
  if answer.items and #kept == 0 then
    answer.list, answer.items = json.array(), nil
  end
end)
shape("ids-cut:N", "of many: silently cut after N ids (100)", "wish", function(wishes, arg)
  wishes.ids_cut = tonumber(arg) or 100
end)
shape("ids-max:N", "more than N ids in one request are an error (always; 100)", "wish", function(wishes, arg)
  wishes.ids_max = tonumber(arg) or 100
end)

-- refill, refill_status, cancel

local function one_shape(name, what, action, build)
  shape(name, what, "build", function(answer)
    return answer.item and build(answer.item) or documented.actions[action](answer)
  end, action)
end

one_shape("refill-number", "of one: `{\"refill\":1}`", "refill", function(item)
  return json.object("refill", id_value(item.value))
end)
shape("refill-nested-error", "of one: `{\"refill\":{\"error\":...}}`", "error", function(answer)
  return answer.item and json.object("refill", error_object(answer.item.error))
end, "refill")
shape("refill_status-nested-error", "of one: `{\"status\":{\"error\":...}}`", "error", function(answer)
  return answer.item and json.object("status", error_object(answer.item.error))
end, "refill_status")
one_shape("refill_status-list", "of one: a list of one record", "refill_status", function(item)
  return json.array { row("refill", "status", item) }
end)
shape("refill_status-keyed", "of many: an object keyed by id", "build", function(answer)
  return answer.items and keyed(answer.items, function(item)
    return json.object("status", item.value)
  end) or documented.actions.refill_status(answer)
end, "refill_status")
shape("refill_status-prefix", "states as `tasks.status.completed`", "change", function(answer)
  for _, item in ipairs(answer.items or { answer.item }) do
    item.value = item.value and "tasks.status." .. item.value:lower():gsub(" ", "_")
  end
end, "refill_status")

local function cancel_shape(name, what, each)
  shape(name, what, "build", function(answer)
    return mapped(answer.items, each)
  end, "cancel")
end

shape("cancel-keyed", '`{"2":{"cancel":"requested"},"9":{"error":...}}`', "build",
  function(answer)
    return keyed(answer.items, function()
      return json.object("cancel", "requested")
    end)
  end, "cancel")
cancel_shape("cancel-rows", "rows `{order, error}`", function(item)
  if item.error then
    return json.object("order", id_value(item.id), "error", item.error)
  end
  return row("order", "cancel", item)
end)
cancel_shape("cancel-zero", "`cancel:0` for a failure", function(item)
  return json.object("order", id_value(item.id), "cancel", item.value or 0)
end)

-- errors

local function error_shape(name, what, build)
  shape(name, what, "error", build)
end

for _, name in ipairs { "msg", "message", "reason" } do
  error_shape("error-" .. name, ("`{\"status\":\"error\",\"%s\":...}`"):format(name), function(answer)
    return json.object("status", "error", name, top_error(answer))
  end)
end
error_shape("error-code", "`code` in addition to `error`", function(answer)
  return json.object("error", top_error(answer), "code", "E104")
end)
error_shape("error-status", "a numeric `status` in addition to `error`", function(answer)
  return json.object("error", top_error(answer), "status", "104")
end)
error_shape("error-errors", "`{\"errors\":[...]}`", function(answer)
  return json.object("errors", json.array { top_error(answer) })
end)
error_shape("error-in-list", "a list of one error", function(answer)
  return json.array { error_object(top_error(answer)) }
end)

return list
