--- Builds the panel's answers as documented, from the result of `Panel:answer`.
-- @module smmpanel.sandbox.panel.documented

local json = require "smmpanel.sandbox.panel.php_json"

local documented = {}

--- Returns an id as JSON: as a number if it consists of digits.
---@param id string
---@return any
function documented.id(id)
  return id:match("^%d+$") and json.literal(id) or id
end

---@param text string
---@return table object
function documented.error(text)
  return json.object("error", text)
end

--- `{"order":1,"refill":1}`, or with the error in place of the value.
---@param id_name string
---@param value_name string
---@param item table
---@return table object
function documented.row(id_name, value_name, item)
  local value = item.value
  if type(value) == "string" and value_name == "refill" then
    value = documented.id(value)
  end
  return json.object(id_name, documented.id(item.id), value_name,
    item.error and documented.error(item.error) or value)
end

--- Returns an object keyed by the requested ids.
---@param items table[]
---@param value_of fun(item: table): any
---@return table object
function documented.keyed(items, value_of)
  local object = json.object()
  for _, item in ipairs(items) do
    object:set(item.id, item.error and documented.error(item.error) or value_of(item))
  end
  return object
end

--- Returns the error if the answer as a whole is one, or nil.
---@param answer table
---@return string?
function documented.top_error(answer)
  return answer.error or answer.item and answer.item.error
end

local function rows(id_name, value_name, items)
  local list = {}
  for i, item in ipairs(items) do
    list[i] = documented.row(id_name, value_name, item)
  end
  return json.array(list)
end

--- For each action: builds an answer that is not an error.
---@type table<string, fun(answer: table): table>
documented.actions = {
  services = function(answer)
    return answer.list
  end,
  balance = function(answer)
    return answer.record
  end,
  add = function(answer)
    return json.object("order", documented.id(answer.id))
  end,
  status = function(answer)
    return answer.item and answer.item.value or documented.keyed(answer.items, function(item)
      return item.value
    end)
  end,
}

local columns = { refill = { "order", "refill" }, refill_status = { "refill", "status" },
                  cancel = { "order", "cancel" } }

for action, column in pairs(columns) do
  documented.actions[action] = function(answer)
    if answer.item then
      return json.object(column[2], answer.item.value)
    end
    return rows(column[1], column[2], answer.items)
  end
end

return documented
