--- The calls about ids: one id is one request, a list is split into several requests.
-- @module smmpanel.call.by_ids

local by_ids = {}

local argerror = require "smmpanel.util.argerror"
local actions = require "smmpanel.api.actions"
local batch = require "smmpanel.call.batch"
local events = require "smmpanel.call.events"
local ids = require "smmpanel.api.ids"
local options = require "smmpanel.options"
local request = require "smmpanel.call.request"
local state = require "smmpanel.call.state"

local function one_id(own, call, id)
  call.asked, call.fields = id, { actions[call.action].one, id }
  return request.run(own, call)
end

local function with(call, more)
  for name, value in pairs(call) do
    if more[name] == nil then more[name] = value end
  end
  return more
end

local function sender(own, call)
  local row = actions[call.action]
  return function(texts)
    -- Some panels accept a single id only in its own field.
    local fields = #texts == 1 and { row.one, texts[1] } or { row.many, texts }
    return request.run(own, with(call, { asked = texts, fields = fields, separator = "," }))
  end
end

local function sizes(own, call, given)
  return { loop = call.loop, batch_size = given.batch_size or own.options.batch_size,
    concurrency = given.concurrency or own.options.concurrency }
end

-- Accepts a list or an iterator. Returns an iterator, and the number of ids if it is known.
local function source_of(where, x)
  if type(x) == "function" then return x end
  ids.read(where, x)
  local i = 0
  return function()
    i = i + 1
    return x[i]
  end, #x
end

-- Passes on each answer as it arrives, in the order of the ids.
local function stream(own, call, where, x, given)
  local next_id, total = source_of(where, x)
  local function progress(done)
    events.notify(own, "on_progress", given.on_progress, done, total)
  end
  call.bulk = true
  local err = batch.stream(call.action, next_id, function(list) return ids.read(where, list) end,
    sizes(own, call, given), sender(own, call), progress, given.on_answer)
  return {}, err
end

--- Sends the requests for a list of ids.
---@param own table the panel's state
---@param call smmpanel.Call
---@param asked smmpanel.Ids
---@param given smmpanel.CallOptions
---@return table entries by the ids as given
---@return smmpanel.Error? err of the first request that failed as a whole
function by_ids.list(own, call, asked, given)
  local how = sizes(own, call, given)
  local function progress(done, total)
    events.notify(own, "on_progress", given.on_progress, done, total)
  end
  call.bulk = call.bulk or #asked.texts > how.batch_size
  return batch.run(call.action, asked, how, sender(own, call), progress)
end

--- Converts entries by id to an array in the order of the ids. Each entry has the id as requested, even if the panel's
-- record has another, and contains only values that JSON has. Pure.
---@param action string
---@param asked smmpanel.Id[]
---@param entries table
---@return table[]
function by_ids.array(action, asked, entries)
  local name, array = actions[action].own or actions[action].one, {}
  for i, id in ipairs(asked) do
    local entry = {}
    for field, value in pairs(entries[id]) do entry[field] = value end
    entry[name], entry.cause = id, nil
    array[i] = entry
  end
  return array
end

local function check_kind(where, x, given)
  if type(x) == "function" and not given.on_answer then
    argerror.throw(where, "ids from a function need the option on_answer: each answer is given to it")
  end
  if given.on_answer and type(x) ~= "function" and type(x) ~= "table" then
    argerror.throw(where, "on_answer is for a list of ids, or a function that returns the next one")
  end
  if given.list and (given.on_answer or type(x) ~= "table") then
    argerror.throw(where, "the option list is for a list of ids, without on_answer")
  end
end

--- Calls status, refill, refill_status or cancel.
---@param panel smmpanel.Panel
---@param action string
---@param x smmpanel.Id|smmpanel.Id[]|fun(): smmpanel.Id?
---@param given? smmpanel.CallOptions
---@return table? record of one id; entries of a list
---@return smmpanel.Error?
function by_ids.run(panel, action, x, given)
  local where = "panel:" .. action
  local own = state.open(panel, where)
  given = options.list(where, given)
  local call = request.new(own, action, given)
  check_kind(where, x, given)
  if given.on_answer then return stream(own, call, where, x, given) end
  local asked = ids.read(where, x)
  if asked.single then return one_id(own, call, asked.texts[1]) end
  local entries, err = by_ids.list(own, call, asked, given)
  if given.list then entries = by_ids.array(action, x, entries) end
  return entries, err
end

return by_ids
