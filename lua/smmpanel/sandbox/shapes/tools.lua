--- Helpers for shapes: they change each record of an answer. See `smmpanel.sandbox.shapes.list`.
-- @module smmpanel.sandbox.shapes.tools

local tools = {}

local json = require "smmpanel.sandbox.panel.php_json"

--- Returns an array of the results of `work` for each item.
function tools.mapped(items, work)
  local results = {}
  for i, item in ipairs(items) do
    results[i] = work(item)
  end
  return json.array(results)
end

--- Returns a function that changes a copy of each record of an answer. Requests share the records of a catalogue.
function tools.changing(change)
  local function changed(record, id, arg)
    local copy = record:copy()
    change(copy, id, arg)
    return copy
  end
  return function(answer, arg)
    answer.record = answer.record and changed(answer.record, nil, arg)
    answer.list = answer.list and tools.mapped(answer.list, function(record)
      return changed(record, nil, arg)
    end)
    for _, item in ipairs(answer.items or { answer.item }) do
      item.value = json.is_object(item.value) and changed(item.value, item.id, arg) or item.value
    end
  end
end

--- Returns a function that changes some fields of each record that has them.
function tools.fields_changing(names, change)
  return tools.changing(function(record, _, arg)
    for name in names:gmatch("%S+") do
      if record:get(name) ~= nil then
        record:set(name, change(record:get(name), arg, name))
      end
    end
  end)
end

--- Converts a number in quotes to a JSON number.
function tools.number(value)
  return type(value) == "string" and value:match("^%-?%d+%.?%d*$")
    and json.literal((value:gsub("(%.%d-)0+$", "%1"):gsub("%.$", ""))) or value
end

--- Returns a function that returns a JSON literal.
function tools.constant(text)
  return function()
    return json.literal(text)
  end
end

return tools
