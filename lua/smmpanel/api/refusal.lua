--- What a panel says in words: the refusal in an object of an answer, and the two kinds of failure. Pure.
--
-- Of the decoder it uses one thing: an object has text keys, an array integer keys (with holes for nulls).
-- @module smmpanel.api.refusal

local refusal = {}

local actions = require "smmpanel.api.actions"
local errors = require "smmpanel.errors"
local text = require "smmpanel.util.text"

---@class smmpanel.Failure why an answer is no record
---@field kind "panel"|"response"
---@field code string
---@field text string
---@field uncertain? boolean the panel refused, and yet something may have been done

--- Whether a decoded table is an array.
---@param t table
---@return boolean
function refusal.is_list(t) return type(next(t)) == "number" end

local is_list = refusal.is_list

--- The elements of an array, its holes counted.
---@param list table
---@return integer
function refusal.length(list)
  local n = 0
  for index in pairs(list) do n = math.max(n, index) end
  return n
end

--- A refusal in the panel's words.
---@param said string
---@return smmpanel.Failure
function refusal.said(said)
  return { kind = "panel", code = errors.classify(said), text = said }
end

--- An answer that is neither a record nor a refusal.
---@param message string a format
---@return smmpanel.Failure
function refusal.unclear(message, ...)
  return { kind = "response", code = "shape", text = message:format(...) }
end

--- Whether a value is a text that is not blank.
---@param value any
---@return boolean
function refusal.filled(value) return type(value) == "string" and text.trim(value) ~= "" end

local filled = refusal.filled

--- An object's keys in a stable order: numbers first.
---@param t table
---@return any[]
function refusal.sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then return a < b end
    return type(a) == "number"
  end)
  return keys
end

-- All texts in a value, joined: `errors` may be a list, or lists by field.
local function texts_of(value)
  if filled(value) then return value end
  if type(value) ~= "table" then return nil end
  local found = {}
  for _, key in ipairs(refusal.sorted_keys(value)) do
    found[#found + 1] = texts_of(value[key])
  end
  return found[1] and table.concat(found, "; ")
end

--- The text that stands beside what an object holds.
---@param object table
---@return string?
function refusal.message(object)
  return texts_of(object.message) or texts_of(object.msg) or texts_of(object.reason)
end

local message_of = refusal.message

-- The text of `error`, where it says that there is one: null, false, "" and 0 do not.
local function error_field(object)
  local said = object.error
  if filled(said) then return said end
  if type(said) == "table" then return message_of(said) or texts_of(said) or "error" end
  if said == true or type(said) == "number" and said ~= 0 then
    return message_of(object) or "error " .. tostring(said)
  end
end

local REFUSAL = { error = true, fail = true, failed = true, failure = true }

--- Whether a `status` is a word for a refusal. Asked of each record: one look at the first letter spares the rest
-- of the work for nearly all.
---@param status any
---@return boolean
function refusal.is_word(status)
  if type(status) ~= "string" then return status == false end
  return status:find("^[ \t\r\n\v\f]*[EeFf]") and REFUSAL[text.lower(text.trim(status))] or false
end

--- Whether an object holds data of this action besides its value.
---@param action string
---@param object table
---@return boolean
function refusal.has_data(action, object)
  for _, name in ipairs(actions[action].data or {}) do
    if object[name] ~= nil then return true end
  end
  return false
end

-- `status: "error"`: a refusal; but where the action asks for a state, the order or refill may have that state.
local function declined(action, object)
  if object.success == false then return true end
  if not refusal.is_word(object.status) then return false end
  local row = actions[action]
  if not row or row.is ~= "state" then return true end
  return message_of(object) ~= nil and not refusal.has_data(action, object)
end

--- The panel's refusal in an object.
---@param action string
---@param object table
---@return smmpanel.Failure? failure nil where there is none
function refusal.of(action, object)
  local said = object.error ~= nil and error_field(object) or object.errors ~= nil and texts_of(object.errors)
  if not said and declined(action, object) then
    said = message_of(object) or "status " .. tostring(object.status)
  end
  return said and refusal.said(said) or nil
end

--- The refusal in a field that should hold a value: {"refill": {"error": "..."}}.
---@param object table
---@param name string
---@return smmpanel.Failure? failure nil where the field holds no table
function refusal.in_field(object, name)
  local value = object[name]
  if type(value) ~= "table" then return nil end
  local said = not is_list(value) and (error_field(value) or message_of(value))
  return said and refusal.said(said) or refusal.unclear("'%s' holds a table", name)
end

return refusal
