--- The texts in an answer: finds the refusal in an object, and makes failures. Pure.
--
-- It relies on one property of the decoder: an object has text keys, an array has integer keys, with holes for nulls.
-- @module smmpanel.api.refusal

local lazy = require "smmpanel.util.lazy"

local refusal = {}

local classify = lazy "smmpanel.api.classify"
local states = lazy "smmpanel.api.states"
local text = require "smmpanel.util.text"

---@class smmpanel.Asking the request that an answer belongs to
---@field action string
---@field row smmpanel.Action? nil for an action that is not in the table
---@field codes? fun(said: string): string? the user's own codes, which take precedence

---@class smmpanel.Failure why an answer is not a record
---@field kind "panel"|"response"
---@field code string
---@field text string
---@field uncertain? boolean the panel refused, but the write may have been carried out
---@field answer? table the panel's answer, if it names an order in spite of the refusal
---@field bare? boolean a message without any sign that it is a refusal

--- Returns whether a decoded table is an array.
---@param t table
---@return boolean
function refusal.is_list(t) return type(next(t)) == "number" end

local is_list = refusal.is_list

--- Returns the length of an array, including holes.
---@param list table
---@return integer
function refusal.length(list)
  local n = 0
  for index in pairs(list) do n = math.max(n, index) end
  return n
end

--- Returns whether a value is a text that is not blank.
---@param value any
---@return boolean
function refusal.filled(value) return type(value) == "string" and text.trim(value) ~= "" end

local filled = refusal.filled

--- Returns an object's keys in a stable order: numbers first.
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

-- ---- failures -------------------------------------------------------------------------------

local MESSAGE_MAX = 1000 -- bytes; a panel may put a whole catalogue there

local function bounded(said)
  if #said > MESSAGE_MAX then said = text.whole_characters(said:sub(1, MESSAGE_MAX - 3)) .. "..." end
  return text.safe((said:gsub("[^\32-\126\128-\255]+", " ")))
end

-- A text with one of these codes is no state, so the words of all languages for states need not be read.
local NO_STATE = { bad_quantity = true, no_funds = true, bad_link = true, bad_service = true, invalid_key = true,
  rate_limited = true }

-- Whether the text is the state of an order that was placed: "Processing".
local function is_open_state(said, code)
  return not NO_STATE[code] and states.state(said) == "open"
end

--- Makes a refusal from the panel's text. If there are two texts, a code word and a message, the more precise one
-- determines the code.
---@param asking smmpanel.Asking
---@param said string
---@param more? string
---@return smmpanel.Failure
function refusal.said(asking, said, more)
  if more == said then more = nil end
  local whole = more and said .. ": " .. more or said
  local code, doubtful = classify.code(said, asking.action)
  if asking.action == "add" and is_open_state(said, code) then doubtful = true end
  if more then
    local other, also = classify.code(more, asking.action)
    if code == "unknown" or code == "bad_request" and other ~= "unknown" then code = other end
    doubtful = doubtful or also
  end
  local writes = not (asking.row and asking.row.reads)
  return { kind = "panel", code = asking.codes and asking.codes(whole) or code, text = bounded(whole),
    uncertain = writes and doubtful or nil }
end

--- Makes the failure of an answer that is neither a record nor a refusal.
---@param message string a format
---@return smmpanel.Failure
function refusal.unclear(message, ...)
  return { kind = "response", code = "shape", text = bounded(message:format(...)) }
end

-- ---- texts in an object ---------------------------------------------------------------------

--- The wrappers: fields that contain the actual answer.
refusal.WRAPPERS = { "data", "result", "results", "response", "msg", "message", "services", "list", "items", "payload" }

local MESSAGES = { "message", "msg", "reason", "detail", "error_message", "errorMessage", "error_description", "pesan",
  "mesaj", "mensagem", "mensaje", "Message" }

local TEXTS_MAX = 50 -- in a list; the rest is ignored

-- Joins all texts in a value: `errors` may be a list, or lists by field.
local function texts_of(value)
  if filled(value) then return value end
  if type(value) ~= "table" then return nil end
  local found = {}
  for _, key in ipairs(refusal.sorted_keys(value)) do
    if #found >= TEXTS_MAX then break end
    found[#found + 1] = texts_of(value[key])
  end
  return found[1] and table.concat(found, "; ")
end

--- Returns the text of the first message field of an object.
---@param object table
---@return string?
function refusal.message(object)
  for _, name in ipairs(MESSAGES) do
    local said = object[name] ~= nil and texts_of(object[name])
    if said then return said end
  end
end

local message_of = refusal.message

-- Returns the text in a wrapper: {"data": "a text"}, {"data": {"message": "..."}}.
local function wrapped_message(object)
  for _, name in ipairs(refusal.WRAPPERS) do
    local inner = object[name]
    if filled(inner) then return inner end
    if type(inner) == "table" and next(inner) ~= nil then
      local said = is_list(inner) and filled(inner[1]) and texts_of(inner)
        or not is_list(inner) and (texts_of(inner.error) or message_of(inner) or wrapped_message(inner))
      if said then return said end
    end
  end
end

--- Returns the message of an object, or of its wrapper.
---@param object table
---@return string?
function refusal.words(object) return message_of(object) or wrapped_message(object) end

-- ---- refusals -------------------------------------------------------------------------------

-- Returns the text of `error` and the message of the object, unless `error` is null, false, "" or 0, which mean that
-- there is no error.
local function error_field(object)
  local said = object.error
  if filled(said) then return said, refusal.words(object) end
  if type(said) == "table" then
    local code, message = said.code or said.type, message_of(said)
    if filled(code) and message then return code, message end
    return message or texts_of(said) or "error", refusal.words(object)
  end
  if said == true or type(said) == "number" and said ~= 0 then
    return refusal.words(object) or "error " .. tostring(said)
  end
end

local REFUSAL = { error = true, fail = true, failed = true, failure = true, ["false"] = true }

-- The first bytes of a word for a refusal.
local FIRST = {}
for byte in ("EeFf \t\r\n\v\f"):gmatch "." do FIRST[byte:byte()] = true end

--- Returns whether a `status` is a word for a refusal. Called for each record: it compares the first byte first, which
-- excludes nearly all states.
---@param status any
---@return boolean
function refusal.is_word(status)
  if type(status) ~= "string" then return status == false end
  return FIRST[status:byte()] and REFUSAL[text.lower(text.trim(status))] or false
end

local function is_false(value)
  return value == false or value == 0 or type(value) == "string" and (text.lower(value) == "false" or value == "0")
end

--- Returns whether an object has data of this action other than its value.
---@param asking smmpanel.Asking
---@param object table
---@return boolean
function refusal.has_data(asking, object)
  local names = asking.row and asking.row.data
  for i = 1, names and #names or 0 do
    if object[names[i]] ~= nil then return true end
  end
  return false
end

local function http_failure(object)
  for _, name in ipairs { "code", "statusCode", "status_code", "status" } do
    local number = tonumber(object[name])
    if number and number >= 400 and number < 600 then return true end
  end
  return false
end

-- Returns whether `status` or a similar field means a refusal. If the action asks for a state, `status: "error"` may be
-- the state of the order.
local function declined(asking, object)
  if object.success ~= nil and is_false(object.success) or object.ok == false then return true end
  local row = asking.row
  if row and row.is == "state" then
    if not refusal.is_word(object.status) then return false end
    return refusal.words(object) ~= nil and not refusal.has_data(asking, object)
  end
  if refusal.is_word(object.status) then return true end
  if row and object[row.value] ~= nil or not refusal.words(object) then return false end
  return http_failure(object) or type(object.status) == "string" and states.state(object.status) == "failed"
end

local ORDER_IDS = { "order", "order_id", "orderId", "orderID", "id", "orders" }

local function is_some_id(value)
  if type(value) == "table" then return is_some_id(value[1]) end
  if type(value) == "number" then return value > 0 end
  return filled(value) and value:find("[0-9]") ~= nil and not value:find(" ", 1, true) and value ~= "0"
end

-- Returns whether a refusal also names an order: the panel may have placed it nevertheless.
local function names_order(object, depth)
  for _, name in ipairs(ORDER_IDS) do
    if is_some_id(object[name]) then return true end
  end
  local function inside(name)
    local inner = object[name]
    return type(inner) == "table" and depth < 3 and names_order(inner, depth + 1)
  end
  for _, name in ipairs(refusal.WRAPPERS) do
    if inside(name) then return true end
  end
  return inside "error"
end

local function with_doubt(asking, object, failure)
  if asking.action == "add" and names_order(object, 0) then
    failure.uncertain, failure.answer = true, object
  end
  return failure
end

--- Returns the panel's refusal in an object.
---@param asking smmpanel.Asking
---@param object table
---@return smmpanel.Failure? failure nil if there is none
function refusal.of(asking, object)
  local said, more
  if object.error ~= nil then said, more = error_field(object) end
  if not said and object.errors ~= nil then said = texts_of(object.errors) end
  if not said and declined(asking, object) then
    said = refusal.words(object) or "status " .. tostring(object.status)
  end
  return said and with_doubt(asking, object, refusal.said(asking, said, more)) or nil
end

--- Returns the refusal in a field that should have a value: {"refill": {"error": "..."}}.
---@param asking smmpanel.Asking
---@param object table
---@param name string
---@return smmpanel.Failure? failure nil if the field is not a table
function refusal.in_field(asking, object, name)
  local value = object[name]
  if type(value) ~= "table" then return nil end
  if not is_list(value) and next(value) ~= nil then
    local said, more = error_field(value)
    said = said or message_of(value)
    if said then return refusal.said(asking, said, more) end
  end
  return refusal.unclear("'%s' holds a table", name)
end

return refusal
