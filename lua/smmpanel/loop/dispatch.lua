--- Between the engine and the hosts: a request suspends whoever made it until `step` finds that it has ended.
-- @module smmpanel.loop.dispatch

local core = require "smmpanel.core"

local dispatch = {}

local waiting = {} -- transfer -> { signal, scope, transfers }, until it ends
local watches = {} -- scope -> { loop, descriptor, count }: as long as requests of that dispatch are in flight

-- After a fork the descriptor is another one; what watches the parent's is the parent's, and ending it here
-- would end it there.
local function leave(scope)
  local watch = watches[scope]
  watch.count = watch.count - 1
  if watch.count > 0 then return end
  watches[scope] = nil
  if watch.loop.unwatch and watch.descriptor == core.descriptor() then watch.loop.unwatch(scope) end
end

--- Feeds what has arrived to the decoders and wakes those whose requests have ended. Never blocks.
---@param bytes? integer how much to decode at most (16 kB)
function dispatch.step(bytes)
  for _, transfer in ipairs(core.step(bytes) or {}) do
    local entry = waiting[transfer]
    if entry then
      waiting[transfer], entry.transfers[transfer] = nil, nil
      leave(entry.scope)
      entry.signal:open()
    end
  end
end

--- Whether nobody waits for an answer.
---@return boolean
function dispatch.is_idle()
  return next(waiting) == nil
end

local function enter(entry, loop)
  local scope, descriptor = loop.scope and loop.scope() or loop, core.descriptor()
  local watch = watches[scope] or { loop = loop, count = 0 }
  watches[scope], entry.scope = watch, scope
  watch.count = watch.count + 1
  if watch.descriptor == descriptor then return end
  watch.descriptor = descriptor
  if loop.watch then loop.watch(descriptor, dispatch.step, scope) end
end

--- One request and its answer.
---@param loop table
---@param client userdata
---@param request table for core.start
---@param transfers table<userdata, true> it is in there as long as it is in flight, for whoever cancels
---@return table outcome
function dispatch.run(loop, client, request, transfers)
  local transfer, code, why = core.start(client, request)
  if not transfer then
    return { code = code, text = why, sent = false, http_status = 0, json = "empty", bytes = 0, seconds = 0 }
  end
  local signal = loop.signal()
  local entry = { signal = signal, transfers = transfers }
  -- First of all, for a loop may step while it begins to watch, and the answer may be there by then.
  waiting[transfer], transfers[transfer] = entry, true
  enter(entry, loop)
  -- Interrupted by the user: it ends as cancelled, and so it is known whether it was sent.
  while signal:wait() == false do transfer:cancel() end
  return transfer:result()
end

return dispatch
