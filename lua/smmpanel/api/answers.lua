--- Interprets a decoded answer: converts every known shape to the documented record, or to an error. An unknown shape
-- is an error too, never a guess. Pure.
-- @module smmpanel.api.answers

local answers = {}

local actions = require "smmpanel.api.actions"
local argerror = require "smmpanel.util.argerror"
local ids = require "smmpanel.api.ids"
local keys = require "smmpanel.api.keys"
local records = require "smmpanel.api.records"
local refusal = require "smmpanel.api.refusal"
local rows = require "smmpanel.api.rows"
local services = require "smmpanel.api.services"
local unwrap = require "smmpanel.api.unwrap"

local is_list, unclear = refusal.is_list, refusal.unclear

local MISSING = { kind = "response", code = "missing", text = "the panel left this id out of its answer" }

--- Makes the entry of an id without a record, for the table of a list call.
---@param action string
---@param id string as sent
---@param failure smmpanel.Failure
---@return table
function answers.entry(action, id, failure)
  local row = actions[action]
  local entry = { error = failure.text, code = failure.code }
  if row.own then entry[row.own] = ids.value(id) end
  if not row.reads and (failure.kind == "response" or failure.uncertain) then entry.uncertain = true end
  return entry
end

local function not_records(value)
  return unclear("%s instead of a record", argerror.describe(value))
end

local function empty(value) return type(value) == "table" and next(value) == nil end

local function row_record(asking, id, found, twice)
  if twice[id] then return nil, unclear("the answer has two records for this id") end
  if found[id] == nil then return nil, MISSING end
  return records.read(asking, found[id], id)
end

-- ---- one record -------------------------------------------------------------------------------

local read_one

-- Reads the contents of an object's wrappers. The first refusal in one of them is the result.
local function read_wrapped(asking, id, object, depth)
  local refused
  for _, inner in ipairs(unwrap.inner(object, asking.row.is == "state" and asking.row.one or nil)) do
    local record, failure = read_one(asking, id, inner, depth + 1)
    if record then return record end
    if failure.kind == "panel" and not failure.bare and not refused then refused = failure end
  end
  return nil, refused
end

local function read_list(asking, id, list)
  if id then
    local found, twice = rows.of(asking, { id }, list)
    if not found then return nil, twice end
    return row_record(asking, id, found, twice)
  end
  if refusal.length(list) == 1 then return read_one(asking, id, list[1], 1) end
  return nil, not_records(list)
end

local function read_object(asking, id, object, depth)
  local failure = refusal.of(asking, object)
  if failure then return nil, failure end
  if id and object[id] ~= nil then return records.read(asking, object[id], id) end
  local refused
  -- The `status` of an envelope is not the status of the order.
  if depth < unwrap.DEPTH and not refusal.has_data(asking, object) and not (asking.row.is ~= "state"
    and records.holds(asking, object)) then
    local record
    record, refused = read_wrapped(asking, id, object, depth)
    if record then return record end
  end
  if refused then return nil, refused end
  return records.read(asking, object, id, asking.row.is ~= "state") -- records.read may find the state by another name
end

-- Reads an object, a list of one object, or either in wrappers.
function read_one(asking, id, value, depth)
  value = unwrap.list(value)
  if refusal.filled(value) then return nil, records.bare_text(asking, value) end
  if type(value) ~= "table" then return nil, not_records(value) end
  if next(value) == nil then return nil, id and MISSING or not_records(value) end
  if is_list(value) then return read_list(asking, id, value) end
  return read_object(asking, id, value, depth)
end

-- Reads several orders of one `add`, each in its own object.
local function read_several(asking, list)
  local several = {}
  for i = 1, refusal.length(list) do
    local record = read_one(asking, nil, list[i], 1)
    if not (record and records.is_id(record.order)) then return nil end
    several[i] = record.order
  end
  return { order = several[1], orders = several }
end

local function read_action(asking, value)
  if not asking.row.several then return read_one(asking, nil, value, 0) end
  value = unwrap.list(value)
  local many = type(value) == "table" and is_list(value) and refusal.length(value) > 1
  local made = many and read_several(asking, value)
  if made then return made end
  return read_one(asking, nil, value, 0)
end

-- ---- a record for each id ---------------------------------------------------------------------

-- Codes that concern one order or refill, not the request.
local OF_ONE_ID = { bad_order = true, bad_refill = true, not_refillable = true, not_cancellable = true, missing = true }

local function entries_of(asking, asked, found, twice)
  local entries, any = {}, false
  for _, id in ipairs(asked) do
    local record, why = row_record(asking, id, found, twice)
    entries[id] = record or answers.entry(asking.action, id, why)
    any = any or record ~= nil or why.kind == "panel"
  end
  return entries, nil, not any and unclear("the answer has no record") or nil
end

-- Reads an answer without ids to a list of one id. A failure that concerns the order is its entry; any other failure is
-- one of the whole request.
local function read_single(asking, id, value)
  local record, failure = read_one(asking, id, value, 0)
  if record then return { [id] = record } end
  if failure.kind == "panel" and not OF_ONE_ID[failure.code] then return nil, failure end
  return { [id] = answers.entry(asking.action, id, failure) }, nil, not OF_ONE_ID[failure.code] and failure or nil
end

-- Opens a list of one object that is keyed by the ids.
local function opened(asked, value)
  value = unwrap.list(value)
  local only = type(value) == "table" and is_list(value) and refusal.length(value) == 1 and value[1]
  return type(only) == "table" and not is_list(only) and rows.keyed(asked, only) and only or value
end

local function read_rows(asking, asked, value, depth)
  value = opened(asked, value)
  if refusal.filled(value) then return nil, records.bare_text(asking, value) end
  if type(value) ~= "table" then return nil, unclear("%s instead of records", argerror.describe(value)) end
  if next(value) == nil then return entries_of(asking, asked, {}, {}) end
  if is_list(value) then
    local found, twice = rows.of(asking, asked, value)
    if not found then return nil, twice end
    return entries_of(asking, asked, found, twice)
  end
  if rows.keyed(asked, value) then return entries_of(asking, asked, value, {}) end
  local failure = refusal.of(asking, value)
  if failure then return nil, failure end
  for _, inner in ipairs(depth < unwrap.DEPTH and unwrap.inner(value, asking.row.many) or {}) do
    local entries, why, whole = read_rows(asking, asked, inner, depth + 1)
    if entries or why.kind == "panel" and not why.bare then return entries, why, whole end
  end
  local words = refusal.words(value)
  return nil, unclear("the answer has none of the requested ids%s", words and ": " .. words or "")
end

local function read_many(asking, asked, value)
  local inner = unwrap.list(value)
  local flat = #asked == 1 and not (type(inner) == "table" and (is_list(inner) or empty(inner)
    or rows.keyed(asked, inner)))
  if flat then return read_single(asking, asked[1], value) end
  return read_rows(asking, asked, value, 0)
end

-- ---- the whole --------------------------------------------------------------------------------

local function read_services(asking, value)
  if refusal.filled(value) then return nil, records.bare_text(asking, value) end
  if type(value) ~= "table" then return nil, unclear("%s instead of records", argerror.describe(value)) end
  local failure = not is_list(value) and refusal.of(asking, value)
  if failure then return nil, failure end
  return services.read(asking, value)
end

-- For an action that only this panel has: returns the answer unchanged, unless it is a refusal.
local function read_any(asking, value)
  if type(value) == "table" and next(value) ~= nil and not is_list(value) then
    local failure = refusal.of(asking, value)
    if failure then return nil, failure end
  end
  return value
end

local function read(asking, asked, value)
  if asking.action == "services" then return read_services(asking, value) end
  if asked == nil then return read_action(asking, value) end
  if type(asked) == "table" then return read_many(asking, asked, value) end
  return read_one(asking, asked, value, 0)
end

--- Interprets a decoded answer.
---@param action string
---@param asked nil|string|string[] the requested id, or ids; nil for actions without ids
---@param value any the decoded document
---@param how? { raw: boolean?, codes: (fun(said: string): string?)? } raw: the document, unchanged
---@return any record, entries by id text, or list of services; nil for an error
---@return smmpanel.Failure?
---@return smmpanel.Failure? whole if no entry is about an id: the failure of the whole answer under an HTTP error
function answers.read(action, asked, value, how)
  local asking = { action = action, row = actions[action], codes = how and how.codes }
  if how and how.raw then return read_any(asking, value) end
  local record, failure, whole = read(asking, asked, value)
  local lost = not record and failure.code == "shape" and type(value) == "table" and not is_list(value)
  if lost and keys.fold(value) then return read(asking, asked, value) end
  return record, failure, whole
end

--- Returns the text of an object that is not a record: under an HTTP error it is the panel's refusal.
---@param action string
---@param value any
---@param codes? fun(said: string): string?
---@return smmpanel.Failure?
function answers.words(action, value, codes)
  local object = type(value) == "table" and next(value) ~= nil and not is_list(value) and value
  local said = object and refusal.words(object) or refusal.filled(value) and value
  local failure = said and refusal.said({ action = action, row = actions[action], codes = codes }, said)
  return failure and (object or failure.code ~= "unknown") and failure or nil
end

return answers
