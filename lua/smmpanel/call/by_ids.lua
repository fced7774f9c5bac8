--- The calls that are about ids: one id is one request, a list is cut into several.
-- @module smmpanel.call.by_ids

local by_ids = {}

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

--- Asks about a list of ids.
---@param own table what the panel keeps
---@param call smmpanel.Call
---@param asked smmpanel.Ids
---@param given smmpanel.CallOptions
---@return table entries by the ids as given
---@return smmpanel.Error? err of the first request that failed as a whole
function by_ids.list(own, call, asked, given)
  local field = actions[call.action].many
  local function send(texts)
    return request.run(own, with(call, { asked = texts, fields = { field, texts }, separator = "," }))
  end
  local function progress(done, total)
    events.notify(own, "on_progress", given.on_progress, done, total)
  end
  local batch_size = given.batch_size or own.options.batch_size
  call.bulk = call.bulk or #asked.texts > batch_size
  return batch.run(call.action, asked, {
    loop = call.loop, batch_size = batch_size, concurrency = given.concurrency or own.options.concurrency,
  }, send, progress)
end

--- status, refill, refill_status, cancel.
---@param panel smmpanel.Panel
---@param action string
---@param x smmpanel.Id|smmpanel.Id[]
---@param given? smmpanel.CallOptions
---@return table? record of one id; entries of a list
---@return smmpanel.Error?
function by_ids.run(panel, action, x, given)
  local where = "panel:" .. action
  local own = state.open(panel, where)
  local asked = ids.read(where, x)
  given = options.list(where, given)
  local call = request.new(own, action, given)
  if asked.single then return one_id(own, call, asked.texts[1]) end
  return by_ids.list(own, call, asked, given)
end

return by_ids
