--- Reads one record: decides whether an object answers an action. The action's row defines the required field and its
-- type. Pure.
-- @module smmpanel.api.records

local lazy = require "smmpanel.util.lazy"

local records = {}

local argerror = require "smmpanel.util.argerror"
local classify = lazy "smmpanel.api.classify"
local ids = require "smmpanel.api.ids"
local keys = require "smmpanel.api.keys"
local refusal = require "smmpanel.api.refusal"
local states = lazy "smmpanel.api.states"
local text = require "smmpanel.util.text"

local unclear, is_list = refusal.unclear, refusal.is_list

-- Returns whether a text is a refusal by its words alone. "Thank you" is not one.
local function refuses(asking, words)
  local failure = refusal.said(asking, words)
  if failure.code == "unknown" then return nil end
  failure.bare = true
  return failure
end

--- Returns the failure of an object that lacks a field: the refusal in its message, if there is one.
---@param asking smmpanel.Asking
---@param object table
---@param name string
---@return smmpanel.Failure
function records.lacks(asking, object, name)
  local words = refusal.words(object)
  local refused = words and not records.succeeded(object) and refuses(asking, words)
  return refused or unclear("the answer has no '%s'%s", name, words and ": " .. words or "")
end

local lacks = records.lacks

--- Returns whether a value can be an id. The decoder returns an id that is not an integer as text, so a number with a
-- point or a sign is text here.
---@param value any
---@return boolean
function records.is_id(value)
  if type(value) == "number" then return value > 0 and argerror.integer_text(value) ~= nil end
  if type(value) ~= "string" or not text.is_id(value) then return false end
  return not (tonumber(value) and value:find("[^0-9A-Za-z]"))
end

local is_id = records.is_id

local SUCCESS = { success = true, ok = true, ["true"] = true }

local function is_success(value)
  return value == true or type(value) == "string" and SUCCESS[text.lower(text.trim(value))] or false
end

--- Returns whether an object says that the request was carried out.
---@param object table
---@return boolean
function records.succeeded(object)
  return is_success(object.success) or is_success(object.status) or refusal.filled(object.success)
end

local function is_no(value) return value == 0 or value == false or value == "0" end

local function refused(asking, object, name)
  return refusal.said(asking, refusal.words(object) or name .. " " .. tostring(object[name]))
end

-- ---- what the value has to be -----------------------------------------------------------------

local checks = {} -- `is` of the action -> function(asking, object, id), which returns the failure or nil

-- Converts a list of ids, or a text with commas, to a list. Returns nil for any other value.
local function id_list(value)
  if value == nil then return nil end
  if type(value) == "string" and value:find("^[^, ]+,[^ ]*[^, ]$") then
    local list = {}
    for part in value:gmatch("[^,]+") do list[#list + 1] = ids.value(part) end
    value = list
  end
  if type(value) ~= "table" or not is_list(value) then return nil end
  for i = 1, refusal.length(value) do
    if not is_id(value[i]) then return nil end
  end
  return value
end

-- Finds several orders of one request. The first is also stored under the usual name.
local function find_several(object, row)
  local list = row.several and (id_list(object[row.several]) or id_list(object[row.value]))
  if not list then return end
  object[row.value] = list[1]
  if #list > 1 then object[row.several] = list end
end

-- A scheduled order has no id yet.
local function is_scheduled(asking, object)
  if asking.action ~= "add" or not records.succeeded(object) then return false end
  local words = (refusal.words(object) or "") .. " " .. tostring(object.status)
  return classify.says(words, "scheduled")
end

-- Opens {"order": {"id": 5}}.
local function open_value(object, name)
  local value = object[name]
  if type(value) ~= "table" or is_list(value) then return end
  for _, inner in ipairs { "id", name, name .. "_id" } do
    if is_id(value[inner]) and value.error == nil then
      object[name] = value[inner]
      return
    end
  end
end

-- Returns the failure of a sentence in place of the id, if it is a refusal.
local function sentence(asking, value)
  return type(value) == "string" and value:find(" ", 1, true) and refuses(asking, value) or nil
end

function checks.id(asking, object)
  local row, name = asking.row, asking.row.value
  find_several(object, row)
  open_value(object, name)
  if object[name] == nil then return not is_scheduled(asking, object) and lacks(asking, object, name) or nil end
  local failure = refusal.in_field(asking, object, name)
  if failure then return failure end
  local value = object[name]
  if is_no(value) then
    if not row.several then return refused(asking, object, name) end
    local words = refusal.words(object)
    failure = words and refuses(asking, words)
  end
  if failure or is_id(value) then return failure end
  return sentence(asking, value) or unclear("'%s' is not an id: %s", name, argerror.describe(value))
end

-- Returns whether `status: "success"` is about the request and not about the order.
local function is_envelope(object)
  return is_success(object.status) and refusal.words(object) ~= nil
    or type(object.status) == "number" and refusal.words(object) ~= nil
end

function checks.state(asking, object)
  local row = asking.row
  local failure = refusal.in_field(asking, object, row.value)
  if failure or refusal.has_data(asking, object) then return failure end
  local state = object[row.value]
  if row.data and (refusal.is_word(state) or is_success(state)) then
    return unclear("'%s' is '%s' without other fields: the state of the order, or of the request?",
      row.value, tostring(state))
  end
  local kind = type(state)
  local wrong = kind ~= "string" and kind ~= "number" or is_envelope(object)
  return wrong and lacks(asking, object, row.value) or nil
end

local YES = { requested = true, success = true, ok = true, pending = true, yes = true, accepted = true,
  ["true"] = true, ["in progress"] = true, canceled = true, cancelled = true, processing = true }

-- Returns whether a value means yes. Some panels repeat the id for yes.
local function is_yes(value, id)
  if type(value) == "number" then return value > 0 end
  if type(value) ~= "string" then return value == true end
  local word = text.lower(text.trim(value))
  if YES[word] or value == id or (tonumber(word) or 0) > 0 then return true end
  return is_id(word) and word:find("[0-9]") ~= nil and word:find("[a-z]") ~= nil
end

-- Returns whether a sentence means yes: {"success": "We will cancel this order"}. A bare success is not enough.
local function says_cancelled(asking, object)
  local words = refusal.words(object) or refusal.filled(object.success) and object.success
  return words and records.succeeded(object) and classify.says(words, asking.action)
end

function checks.yes(asking, object, id)
  local name = asking.row.value
  local failure = refusal.in_field(asking, object, name)
  if failure then return failure end
  if object[name] == nil and id and says_cancelled(asking, object) then object[name] = true end
  local value = object[name]
  if value == nil then return lacks(asking, object, name) end
  if is_no(value) then return refused(asking, object, name) end
  if is_yes(value, id) then return nil end
  return sentence(asking, value) or unclear("'%s' is neither yes nor no: %s", name, argerror.describe(value))
end

function checks.any(asking, object)
  local name = asking.row.value
  local failure = refusal.in_field(asking, object, name)
  if failure then return failure end
  local known = object[name] ~= nil or refusal.has_data(asking, object) -- a null balance is absent
  return not known and lacks(asking, object, name) or nil
end

-- ---- a record ---------------------------------------------------------------------------------

--- Returns the failure of a text in place of a record, or of the whole answer.
---@param asking smmpanel.Asking
---@param words string
---@param is_row? boolean the text is the answer for one id of several
---@return smmpanel.Failure
function records.bare_text(asking, words, is_row)
  local refusing = refuses(asking, words)
  if refusing then return refusing end
  if is_row and states.state(words) == "unknown" then return refusal.said(asking, words) end
  return unclear("a text instead of a record: %s", argerror.describe(words))
end

local trimmed_currency -- the rows of a list have the same one

local function trim_currency(object)
  if type(object.currency) ~= "string" then return end
  trimmed_currency = text.trim(object.currency)
  object.currency = trimmed_currency
end

-- Adds and removes the fields that all records have in common.
local function finish(asking, object, id)
  local row = asking.row
  object.error = nil -- a value for no error: "", 0, false
  if object.currency ~= trimmed_currency then trim_currency(object) end
  if row.own and object[row.own] == nil then object[row.own] = ids.value(id) end
  return object
end

local function check(asking, object, id, is_no_refusal)
  keys.document(object, asking.row.names)
  return not is_no_refusal and refusal.of(asking, object) or checks[asking.row.is](asking, object, id)
end

-- Reads {"5": 1, "6": 0}: the value alone, for actions where it is the whole record.
local function scalar_record(asking, value, id)
  local kind, row = type(value), asking.row
  local alone = id and row.own and row.is ~= "state" and (kind == "number" or kind == "boolean")
  return alone and { [row.value] = value } or value
end

--- Reads the record in an object of an answer.
---@param asking smmpanel.Asking
---@param object any
---@param id? string the requested id
---@param is_no_refusal? boolean the object was checked already
---@return table? record
---@return smmpanel.Failure?
function records.read(asking, object, id, is_no_refusal)
  if type(object) ~= "table" then
    if refusal.filled(object) then return nil, records.bare_text(asking, object, true) end
    object = scalar_record(asking, object, id)
  end
  if type(object) ~= "table" or is_list(object) then
    return nil, unclear("%s instead of a record", argerror.describe(object))
  end
  local failure = check(asking, object, id, is_no_refusal)
  if failure and failure.code == "shape" and keys.fold(object) then failure = check(asking, object, id) end
  if failure then return nil, failure end
  return finish(asking, object, id)
end

--- Returns whether an object has this action's value: a record, or one with a problem.
---@param asking smmpanel.Asking
---@param object table
---@return boolean
function records.holds(asking, object)
  local row = asking.row
  if object[row.value] ~= nil or refusal.has_data(asking, object) then return true end
  for _, name in ipairs(row.names[row.value] or {}) do
    if object[name] ~= nil then return true end
  end
  return row.several ~= nil and object[row.several] ~= nil
end

return records
