--- The shapes of panels that wrap, rename or translate the documented answer. `smmpanel.sandbox.shapes.list` explains
-- what a shape is.
-- @module smmpanel.sandbox.shapes.wrapped

local documented = require "smmpanel.sandbox.panel.documented"
local json = require "smmpanel.sandbox.panel.php_json"
local languages = require "smmpanel.sandbox.shapes.languages"
local tools = require "smmpanel.sandbox.shapes.tools"

local top_error = documented.top_error

local list = {}

local function shape(name, what, place, work, on, needs)
  list[#list + 1] = { name = name, what = what, place = place, work = work, on = on, needs = needs }
end

-- Wrappers

shape("wrapped", '`{"success":true,"data":...}`; an error `{"success":false,"data":{"message":...}}`', "finish",
  function(tree, answer)
    local said = top_error(answer)
    if said then return json.object("success", false, "data", json.object("message", said)) end
    return json.object("success", true, "data", tree)
  end)
shape("wrapped-status", '`{"status":"success","result":...}`', "finish", function(tree, answer)
  return top_error(answer) and tree or json.object("status", "success", "result", tree)
end)
shape("list-of-one", "an object as a list of one; a list in a list", "finish", function(tree)
  return json.array { tree }
end)
shape("single-keys", '`[{"1":{...}},{"10":{...}}]`', "finish", function(tree, answer)
  if not answer.items or not json.is_object(tree) then return tree end
  return tools.mapped(tree.names, function(name) return json.object(name, tree:get(name)) end)
end)
shape("json-string", "the document as text in a JSON string", "finish", function(tree)
  return json.encode(tree, {})
end)

-- Names

local function capitalised(tree)
  if not json.is_object(tree) then return tree end
  local copy = json.object()
  for _, name in ipairs(tree.names) do
    local upper = name:gsub("^%l", string.upper):gsub("_(%l)", function(letter) return letter:upper() end)
    copy:set(upper, capitalised(tree:get(name)))
  end
  return copy
end

shape("capital-keys", "keys as `Order`, `Charge`, `StartCount`, `Error`", "finish", function(tree, answer)
  if answer.list then return tools.mapped(answer.list, capitalised) end
  return capitalised(tree)
end)
shape("start-counter", "`start_counter` instead of `start_count`", "change", tools.changing(function(record)
  if record:get("start_count") ~= nil then record:rename("start_count", "start_counter") end
end), "status")

-- Numbers

local function grouped(digits)
  local reversed = digits:reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (reversed:gsub("^,", ""))
end

shape("php-money", "money as PHP's `number_format` writes it: `1,234.56780`", "change",
  tools.fields_changing("rate charge balance", function(value)
    local whole, fraction = tostring(value):match("^(%d+)%.?(%d*)$")
    if not whole then return value end
    return grouped(whole) .. "." .. (fraction .. "00000"):sub(1, math.max(5, #fraction))
  end))

-- Answers of one action

shape("add-data-id", '`{"status":true,"data":{"id":n}}`', "build", function(answer)
  return json.object("status", true, "data", json.object("id", documented.id(answer.id)))
end, "add")
shape("add-orders", '`{"orders":[n]}`', "build", function(answer)
  return json.object("orders", json.array { documented.id(answer.id) })
end, "add")
shape("add-bare-success", "success without an order id, and without a word about scheduling", "build", function()
  return json.object("success", true, "message", "Thank you")
end, "add")
shape("cancel-echo", "success is the order's id", "build", function(answer)
  return tools.mapped(answer.items or { answer.item }, function(item)
    return documented.row("order", "cancel", { id = item.id, error = item.error, value = documented.id(item.id) })
  end)
end, "cancel")

-- Errors

shape("error-detail", '`{"detail":...}`', "error", function(answer)
  return json.object("detail", top_error(answer))
end)
shape("error-pair", '`{"error":"E104","message":...}`', "error", function(answer)
  return json.object("error", "E104", "message", top_error(answer))
end)
shape("error-string", "the text alone, as a JSON string", "error", function(answer)
  return top_error(answer)
end)
shape("error-with-order", "`add` places the order, but answers with an error and the order's id", "finish",
  function(tree, answer)
    if top_error(answer) then return tree end
    return json.object("error", "Could not be saved", "order", documented.id(answer.id))
  end, "add")

-- Languages

local function translate_errors(answer, language)
  answer.error = answer.error and languages.error(answer.error, language)
  for _, item in ipairs(answer.items or { answer.item }) do
    item.error = item.error and languages.error(item.error, language)
  end
end

local function translate(answer, language)
  translate_errors(answer, language)
  for _, item in ipairs(answer.items or { answer.item }) do
    if json.is_object(item.value) and item.value:get("status") then
      item.value = item.value:copy():set("status", languages.state(item.value:get("status"), language))
    elseif answer.action == "refill_status" and item.value then
      item.value = languages.state(item.value, language)
    end
  end
end

shape("language:NAME", "errors and states in another language: " .. languages.NAMES, "change", function(answer, arg)
  translate(answer, languages.knows(arg) and arg or "tr")
end, nil, "^%l%l$")
shape("localised", "errors in Turkish", "change", function(answer) translate_errors(answer, "tr") end)

return list
