--- What a decoded answer means: every shape that PROTOCOL.md knows becomes the one documented record, or an
-- error. What is not one of them is an error too, never a guess. Pure.
--
-- Of the decoder it uses one thing: an object has text keys, an array integer keys (with holes for nulls).
-- @module smmpanel.api.answers

local answers = {}

local errors = require "smmpanel.errors"
local ids = require "smmpanel.api.ids"
local states = require "smmpanel.api.states"
local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

---@class smmpanel.Failure why an answer is no record
---@field kind "panel"|"response"
---@field code string
---@field text string
---@field uncertain? boolean the panel refused, and yet something may have been done

local function is_list(t) return type(next(t)) == "number" end

local function length(list)
  local n = 0
  for index in pairs(list) do n = math.max(n, index) end
  return n
end

local function panel_said(said)
  return { kind = "panel", code = errors.classify(said), text = said }
end

local function unclear(message, ...)
  return { kind = "response", code = "shape", text = message:format(...) }
end

-- ---- what the panel says in words ----------------------------------------------------------

local function filled(value) return type(value) == "string" and text.trim(value) ~= "" end

-- Keys in a stable order: numbers first.
local function sorted_keys(t)
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
  for _, key in ipairs(sorted_keys(value)) do
    found[#found + 1] = texts_of(value[key])
  end
  return found[1] and table.concat(found, "; ")
end

local function message_of(object)
  return texts_of(object.message) or texts_of(object.msg) or texts_of(object.reason)
end

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

-- Asked of each record: so one look at the first letter spares the rest of the work for nearly all.
local function refusal_word(status)
  if type(status) ~= "string" then return status == false end
  return status:find("^[ \t\r\n\v\f]*[EeFf]") and REFUSAL[text.lower(text.trim(status))] or false
end

local STATUS_DATA = { "charge", "start_count", "remains", "posts", "runs", "orders", "expiry" }

local function has_status_data(object)
  for _, name in ipairs(STATUS_DATA) do
    if object[name] ~= nil then return true end
  end
  return false
end

-- `status: "error"`: a refusal; but on a status call the state of the order or refill has that name too.
local function declined(action, object)
  if object.success == false then return true end
  if not refusal_word(object.status) then return false end
  if action == "status" then return not has_status_data(object) and message_of(object) ~= nil end
  return action ~= "refill_status" or message_of(object) ~= nil
end

-- The panel's refusal in an object, or nil where there is none.
local function refusal(action, object)
  local said = object.error ~= nil and error_field(object) or object.errors ~= nil and texts_of(object.errors)
  if not said and declined(action, object) then
    said = message_of(object) or "status " .. tostring(object.status)
  end
  return said and panel_said(said) or nil
end

-- A field that should hold a value holds a refusal: {"refill": {"error": "..."}}.
local function field_refusal(object, name)
  local value = object[name]
  if type(value) ~= "table" then return nil end
  local said = not is_list(value) and (error_field(value) or message_of(value))
  return said and panel_said(said) or unclear("'%s' holds a table", name)
end

-- ---- one record ----------------------------------------------------------------------------

local function lacks(object, name)
  local said = message_of(object)
  return unclear("the answer has no '%s'%s", name, said and ": " .. said or "")
end

-- The decoder gives an id that is no integer as text, so a number with a point or a sign arrives as one.
local function is_id(value)
  if type(value) == "number" then return value > 0 and argerror.integer_text(value) ~= nil end
  if type(value) ~= "string" or not text.is_id(value) then return false end
  return not (tonumber(value) and value:find("[^0-9A-Za-z]"))
end

local SUCCESS = { success = true, ok = true }

local function succeeded(object)
  local status = object.status
  return object.success == true or status == true
    or type(status) == "string" and SUCCESS[text.lower(text.trim(status))] or false
end

local records = {} -- action -> function(object) -> nil where it is a record, else the failure

function records.add(object)
  for _, name in ipairs { "order", "order_id", "id" } do
    local value = object[name]
    if value ~= nil then
      local failure = field_refusal(object, name)
      if failure then return failure end
      if not is_id(value) then return unclear("'%s' is no order id: %s", name, argerror.describe(value)) end
      object.order = value
      return nil
    end
  end
  return not succeeded(object) and lacks(object, "order") or nil -- a scheduled order has no id yet
end

function records.status(object)
  local failure = field_refusal(object, "status")
  if failure or has_status_data(object) then return failure end
  local kind = type(object.status)
  if refusal_word(object.status) then
    return unclear("'status' is '%s' and nothing else is said: the order's state, or a refusal",
      tostring(object.status))
  end
  return kind ~= "string" and kind ~= "number" and lacks(object, "status") or nil
end

function records.refill(object)
  local failure = field_refusal(object, "refill")
  if failure then return failure end
  local refill = object.refill
  if refill == 0 or refill == false then
    return panel_said(message_of(object) or "refill " .. tostring(refill))
  end
  if refill == nil then return lacks(object, "refill") end
  return not is_id(refill) and unclear("'refill' is no id: %s", argerror.describe(refill)) or nil
end

function records.refill_status(object)
  local failure = field_refusal(object, "status")
  if failure then return failure end
  local kind = type(object.status)
  return kind ~= "string" and kind ~= "number" and lacks(object, "status") or nil
end

local TAKEN = { requested = true, success = true, ok = true, pending = true, ["true"] = true }

local function cancel_taken(value)
  if type(value) == "string" then
    local word = text.lower(text.trim(value))
    return TAKEN[word] or (tonumber(word) or 0) > 0
  end
  return value == true or type(value) == "number" and value > 0
end

function records.cancel(object)
  local failure = field_refusal(object, "cancel")
  if failure then return failure end
  local cancel = object.cancel
  if cancel == nil then return lacks(object, "cancel") end
  if cancel == 0 or cancel == false or cancel == "0" then
    return panel_said(message_of(object) or "cancel " .. tostring(cancel))
  end
  if cancel_taken(cancel) then return nil end
  return unclear("'cancel' is neither yes nor no: %s", argerror.describe(cancel))
end

function records.balance(object)
  local failure = field_refusal(object, "balance")
  if failure then return failure end
  local known = object.balance ~= nil or object.currency ~= nil -- a null balance is absent
  return not known and lacks(object, "balance") or nil
end

-- Where the asked id belongs in a record that leaves it out.
local OWN = { refill = "order", cancel = "order", refill_status = "refill" }

local function bare_text(said)
  if states.state(said) == "unknown" then return panel_said(said) end
  return unclear("a bare text where a record belongs: %s", argerror.describe(said))
end

-- A row of an answer -> record, or nil and the failure.
local function record(action, row, id)
  if type(row) == "string" and filled(row) then return nil, bare_text(row) end
  if type(row) ~= "table" or is_list(row) then
    return nil, unclear("%s where a record belongs", argerror.describe(row))
  end
  local failure = refusal(action, row)
  if failure then
    -- An order id beside the refusal: it may have been made all the same.
    failure.uncertain = action == "add" and row.order ~= nil or nil
    return nil, failure
  end
  failure = records[action](row)
  if failure then return nil, failure end
  row.error = nil -- it says that there is none: "", 0, false
  local own = OWN[action]
  if own and row[own] == nil then row[own] = ids.value(id) end
  return row
end

-- ---- which row belongs to which id ----------------------------------------------------------

local CARRIED = {
  refill_status = { "refill", "refill_id", "id" },
  other = { "order", "order_id", "id" },
}

local function carried_id(action, row)
  if type(row) ~= "table" then return nil end
  for _, name in ipairs(CARRIED[action] or CARRIED.other) do
    local found = type(row[name]) == "number" and argerror.integer_text(row[name])
      or type(row[name]) == "string" and text.trim(row[name])
    if found then return found end
  end
end

-- Rows that carry ids, by id; nil where none carries one. A row given twice says two things of one id.
local function by_carried_id(action, list)
  local rows, twice = nil, {}
  for _, row in pairs(list) do
    local id = carried_id(action, row)
    if id then
      rows = rows or {}
      if rows[id] ~= nil then twice[id] = true end
      rows[id] = row
    end
  end
  return rows, twice
end

-- PHP writes a map with the keys 0, 1, 2, ... as a list.
local function ids_count_from_zero(asked)
  local wanted = {}
  for _, id in ipairs(asked) do wanted[id] = true end
  for i = 0, #asked - 1 do
    if not wanted[("%d"):format(i)] then return false end
  end
  return true
end

local function by_place(asked, list)
  local n = length(list)
  if #asked == 1 and n == 1 then return { [asked[1]] = list[1] } end
  if n ~= #asked or not ids_count_from_zero(asked) then
    return nil, unclear("a list of %d without ids, so that nothing tells which is which", n)
  end
  local rows = {}
  for index, row in pairs(list) do rows[("%d"):format(index - 1)] = row end
  return rows
end

local function any_of(asked, rows)
  for _, id in ipairs(asked) do
    if rows[id] ~= nil then return true end
  end
  return false
end

-- The rows of an answer by id: -> rows, ids given twice; or nil and the failure.
local function rows_of(action, asked, value)
  if next(value) == nil then return {}, {} end
  if not is_list(value) then
    if any_of(asked, value) then return value, {} end
    if #asked == 1 then return { [asked[1]] = value }, {} end -- one was asked, one record came
    local said = message_of(value)
    return nil, unclear("none of the ids asked is in the answer%s", said and ": " .. said or "")
  end
  local rows, twice = by_carried_id(action, value)
  if not rows then
    local placed, failure = by_place(asked, value)
    return placed, failure or {}
  end
  if not any_of(asked, rows) then return nil, unclear("the answer is about other ids") end
  return rows, twice
end

local MISSING = { kind = "response", code = "missing", text = "the panel left this id out of its answer" }

local function row_record(action, id, rows, twice)
  if twice[id] then return nil, unclear("the answer has two records for this id") end
  if rows[id] == nil then return nil, MISSING end
  return record(action, rows[id], id)
end

-- The refusal of a request as a whole, or what else makes an answer no table of records.
local function whole_failure(action, value)
  if type(value) ~= "table" then
    return unclear("%s where records belong", argerror.describe(value))
  end
  return not is_list(value) and refusal(action, value) or nil
end

local WRITES = { add = true, refill = true, cancel = true }

--- The entry of an id that has no record, as it stands in the table of a list call.
---@param action string
---@param id string as sent
---@param failure smmpanel.Failure
---@return table
function answers.entry(action, id, failure)
  local entry = { error = failure.text, code = failure.code }
  if OWN[action] then entry[OWN[action]] = ids.value(id) end
  if WRITES[action] and failure.kind == "response" then entry.uncertain = true end
  return entry
end

local function read_one(action, id, value)
  local failure = whole_failure(action, value)
  if failure then return nil, failure end
  local rows, twice = rows_of(action, { id }, value)
  if not rows then return nil, twice end
  return row_record(action, id, rows, twice)
end

local function read_many(action, asked, value)
  local failure = whole_failure(action, value)
  if failure then return nil, failure end
  local rows, twice = rows_of(action, asked, value)
  if not rows then return nil, twice end
  local entries = {}
  for _, id in ipairs(asked) do
    local found, why = row_record(action, id, rows, twice)
    entries[id] = found or answers.entry(action, id, why)
  end
  return entries
end

-- add, balance: an object, or a list of one.
local function read_object(action, value)
  if type(value) == "table" and is_list(value) and length(value) == 1 then value = value[1] end
  if type(value) ~= "table" then return nil, unclear("%s where a record belongs", argerror.describe(value)) end
  return record(action, value)
end

-- ---- the catalogue -------------------------------------------------------------------------

local function is_service(row) return type(row) == "table" and row.service ~= nil end

-- Whether a decoded array is a list of services without holes, as nearly every one is. The decoder fills arrays in
-- order, so whatever lies behind a hole comes after the border.
local function are_services(rows)
  local count = #rows
  if next(rows, count > 0 and count or nil) ~= nil then return false end
  for i = 1, count do
    local row = rows[i]
    if type(row) ~= "table" or row.service == nil then return false end
  end
  return true
end

-- The rows of a catalogue without holes, or nil and the failure.
local function services_in(rows)
  local list = {}
  for _, key in ipairs(sorted_keys(rows)) do
    local row = rows[key]
    if not is_service(row) then
      local said = type(row) == "table" and not is_list(row) and refusal("services", row)
      return nil, said or unclear("the catalogue holds %s that is no service", argerror.describe(row))
    end
    list[#list + 1] = row
  end
  return list
end

-- A filtered PHP list comes as an object: {"0": {...}, "2": {...}}.
local function numbered(object)
  local rows = {}
  for key, row in pairs(object) do
    local n = key:find("^[0-9]+$") and tonumber(key)
    if not n then return nil end
    rows[n] = row
  end
  return rows
end

local function says_empty(object)
  local data = object.data
  if type(data) == "table" then return next(data) == nil end
  return succeeded(object) and filled(data) and text.lower(data):find("empty", 1, true) ~= nil
end

local function read_services(value)
  local failure = whole_failure("services", value)
  if failure then return nil, failure end
  if is_list(value) and are_services(value) then return value end
  if is_list(value) or next(value) == nil then return services_in(value) end
  local inner = value.services
  if type(inner) == "table" then return services_in(inner) end
  if says_empty(value) then return {} end
  local rows = numbered(value)
  if rows then return services_in(rows) end
  return nil, lacks(value, "services")
end

-- An action of the panel's own: what it said, unless it is a refusal.
local function read_any(action, value)
  if type(value) == "table" and next(value) ~= nil and not is_list(value) then
    local failure = refusal(action, value)
    if failure then return nil, failure end
  end
  return value
end

--- What a decoded answer says.
---@param action string
---@param asked nil|string|string[] the id asked, or the ids; nil for actions without
---@param value any the decoded document
---@param raw? boolean the document as it is, errors apart: for `call`
---@return any record, entries by id text, or list of services; nil where it is an error
---@return smmpanel.Failure?
function answers.read(action, asked, value, raw)
  if raw then return read_any(action, value) end
  if action == "services" then return read_services(value) end
  if asked == nil then return read_object(action, value) end
  if type(asked) == "table" then return read_many(action, asked, value) end
  return read_one(action, asked, value)
end

--- The words of an object that is no record: with an HTTP error they are the panel's refusal.
---@param value any
---@return smmpanel.Failure?
function answers.words(value)
  local said = type(value) == "table" and next(value) ~= nil and not is_list(value) and message_of(value)
  return said and panel_said(said) or nil
end

return answers
