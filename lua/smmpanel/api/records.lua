--- One record: what has to be in an object so that it is the answer to an action. The row of the action says
-- which field it is and what that has to be. Pure.
-- @module smmpanel.api.records

local records = {}

local actions = require "smmpanel.api.actions"
local argerror = require "smmpanel.util.argerror"
local ids = require "smmpanel.api.ids"
local refusal = require "smmpanel.api.refusal"
local states = require "smmpanel.api.states"
local text = require "smmpanel.util.text"

---@class smmpanel.Service
---@field service smmpanel.Id
---@field name? string
---@field type? string
---@field category? string
---@field rate? number|string the price of 1,000; of a Package the price of one
---@field min? integer
---@field max? integer
---@field refill? boolean
---@field cancel? boolean
---@field dripfeed? boolean

---@class smmpanel.Status an order's; a subscription has posts and orders, a drip-feed runs and orders
---@field status? string|integer as the panel writes it: see smmpanel.state
---@field charge? number|string
---@field start_count? integer
---@field remains? integer
---@field currency? string

---@class smmpanel.Entry an id without a record, in the answer to a list
---@field error string the panel's words, or what happened
---@field code string
---@field cause? smmpanel.Error where the whole request failed
---@field uncertain? true a write that may have been carried out

---@class smmpanel.Refill
---@field order smmpanel.Id
---@field refill smmpanel.Id

---@class smmpanel.RefillStatus
---@field refill smmpanel.Id
---@field status string

---@class smmpanel.Cancel
---@field order smmpanel.Id
---@field cancel any what the panel says for yes

---@class smmpanel.Made
---@field order? smmpanel.Id absent where the panel accepted it without an id (a scheduled order)

---@alias smmpanel.Statuses table<smmpanel.Id, smmpanel.Status|smmpanel.Entry>
---@alias smmpanel.Refills table<smmpanel.Id, smmpanel.Refill|smmpanel.Entry>
---@alias smmpanel.RefillStatuses table<smmpanel.Id, smmpanel.RefillStatus|smmpanel.Entry>
---@alias smmpanel.Cancels table<smmpanel.Id, smmpanel.Cancel|smmpanel.Entry>

local unclear, said = refusal.unclear, refusal.said

--- The failure of an object that lacks a field.
---@param object table
---@param name string
---@return smmpanel.Failure
function records.lacks(object, name)
  local message = refusal.message(object)
  return unclear("the answer has no '%s'%s", name, message and ": " .. message or "")
end

local lacks = records.lacks

-- The decoder gives an id that is no integer as text, so a number with a point or a sign arrives as one.
local function is_id(value)
  if type(value) == "number" then return value > 0 and argerror.integer_text(value) ~= nil end
  if type(value) ~= "string" or not text.is_id(value) then return false end
  return not (tonumber(value) and value:find("[^0-9A-Za-z]"))
end

local SUCCESS = { success = true, ok = true }

--- Whether an object says that what was asked was done.
---@param object table
---@return boolean
function records.succeeded(object)
  local status = object.status
  return object.success == true or status == true
    or type(status) == "string" and SUCCESS[text.lower(text.trim(status))] or false
end

local function is_no(value) return value == 0 or value == false or value == "0" end

local function refused(object, name)
  return said(refusal.message(object) or name .. " " .. tostring(object[name]))
end

local checks = {} -- what the value has to be -> function(object, row, action) -> the failure, or nil

-- The value under its own name or, copied from there, under another.
local function find_value(object, row)
  local name = row.value
  if object[name] ~= nil then return name end
  for _, alias in ipairs(row.aliases or {}) do
    if object[alias] ~= nil then return alias end
  end
end

function checks.id(object, row)
  local name = find_value(object, row)
  if not name then
    local scheduled = row.value == "order" and records.succeeded(object) -- a scheduled order has no id yet
    return not scheduled and lacks(object, row.value) or nil
  end
  local failure = refusal.in_field(object, name)
  if failure then return failure end
  if is_no(object[name]) and row.value ~= "order" then return refused(object, name) end
  if not is_id(object[name]) then return unclear("'%s' is no id: %s", name, argerror.describe(object[name])) end
  object[row.value] = object[name]
end

function checks.state(object, row, action)
  local failure = refusal.in_field(object, row.value)
  if failure or refusal.has_data(action, object) then return failure end
  local state = object[row.value]
  if row.data and refusal.is_word(state) then
    return unclear("'%s' is '%s' and nothing else is said: the order's state, or a refusal", row.value,
      tostring(state))
  end
  local kind = type(state)
  return kind ~= "string" and kind ~= "number" and lacks(object, row.value) or nil
end

local YES = { requested = true, success = true, ok = true, pending = true, ["true"] = true }

local function is_yes(value)
  if type(value) == "string" then
    local word = text.lower(text.trim(value))
    return YES[word] or (tonumber(word) or 0) > 0
  end
  return value == true or type(value) == "number" and value > 0
end

function checks.yes(object, row)
  local name = row.value
  local failure = refusal.in_field(object, name)
  if failure then return failure end
  local value = object[name]
  if value == nil then return lacks(object, name) end
  if is_no(value) then return refused(object, name) end
  if is_yes(value) then return nil end
  return unclear("'%s' is neither yes nor no: %s", name, argerror.describe(value))
end

function checks.any(object, row, action)
  local failure = refusal.in_field(object, row.value)
  if failure then return failure end
  local known = object[row.value] ~= nil or refusal.has_data(action, object) -- a null balance is absent
  return not known and lacks(object, row.value) or nil
end

local function bare_text(words)
  if states.state(words) == "unknown" then return said(words) end
  return unclear("a bare text where a record belongs: %s", argerror.describe(words))
end

--- The record in an object of an answer.
---@param action string
---@param object any
---@param id? string the id asked
---@return table? record
---@return smmpanel.Failure?
function records.read(action, object, id)
  if refusal.filled(object) then return nil, bare_text(object) end
  if type(object) ~= "table" or refusal.is_list(object) then
    return nil, unclear("%s where a record belongs", argerror.describe(object))
  end
  local failure = refusal.of(action, object)
  if failure then
    -- An order id beside the refusal: it may have been made all the same.
    failure.uncertain = action == "add" and object.order ~= nil or nil
    return nil, failure
  end
  local row = actions[action]
  failure = checks[row.is](object, row, action)
  if failure then return nil, failure end
  object.error = nil -- it says that there is none: "", 0, false
  if row.own and object[row.own] == nil then object[row.own] = ids.value(id) end
  return object
end

return records
