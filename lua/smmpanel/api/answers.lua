--- What a decoded answer means: every shape that PROTOCOL.md knows becomes the one documented record, or an
-- error. What is not one of them is an error too, never a guess. Pure.
-- @module smmpanel.api.answers

local answers = {}

local actions = require "smmpanel.api.actions"
local argerror = require "smmpanel.util.argerror"
local ids = require "smmpanel.api.ids"
local records = require "smmpanel.api.records"
local refusal = require "smmpanel.api.refusal"
local rows = require "smmpanel.api.rows"
local services = require "smmpanel.api.services"

local is_list, unclear = refusal.is_list, refusal.unclear

local MISSING = { kind = "response", code = "missing", text = "the panel left this id out of its answer" }

local function row_record(action, id, found, twice)
  if twice[id] then return nil, unclear("the answer has two records for this id") end
  if found[id] == nil then return nil, MISSING end
  return records.read(action, found[id], id)
end

--- The entry of an id that has no record, as it stands in the table of a list call.
---@param action string
---@param id string as sent
---@param failure smmpanel.Failure
---@return table
function answers.entry(action, id, failure)
  local row = actions[action]
  local entry = { error = failure.text, code = failure.code }
  if row.own then entry[row.own] = ids.value(id) end
  if not row.reads and failure.kind == "response" then entry.uncertain = true end
  return entry
end

-- The refusal of a request as a whole, or what else makes an answer no table of records.
local function whole_failure(action, value)
  if type(value) ~= "table" then
    return unclear("%s where records belong", argerror.describe(value))
  end
  return not is_list(value) and refusal.of(action, value) or nil
end

local function read_one(action, id, value)
  local failure = whole_failure(action, value)
  if failure then return nil, failure end
  local found, twice = rows.of(action, { id }, value)
  if not found then return nil, twice end
  return row_record(action, id, found, twice)
end

local function read_many(action, asked, value)
  local failure = whole_failure(action, value)
  if failure then return nil, failure end
  local found, twice = rows.of(action, asked, value)
  if not found then return nil, twice end
  local entries = {}
  for _, id in ipairs(asked) do
    local record, why = row_record(action, id, found, twice)
    entries[id] = record or answers.entry(action, id, why)
  end
  return entries
end

-- add, balance: an object, or a list of one.
local function read_object(action, value)
  if type(value) == "table" and is_list(value) and refusal.length(value) == 1 then value = value[1] end
  if type(value) ~= "table" then return nil, unclear("%s where a record belongs", argerror.describe(value)) end
  return records.read(action, value)
end

local function read_services(value)
  local failure = whole_failure("services", value)
  if failure then return nil, failure end
  return services.read(value)
end

-- An action of the panel's own: what it said, unless it is a refusal.
local function read_any(action, value)
  if type(value) == "table" and next(value) ~= nil and not is_list(value) then
    local failure = refusal.of(action, value)
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
  local said = type(value) == "table" and next(value) ~= nil and not is_list(value) and refusal.message(value)
  return said and refusal.said(said) or nil
end

return answers
