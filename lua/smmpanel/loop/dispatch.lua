--- Between the engine and the hosts: a request suspends whoever made it until `step` finds that it has ended.
-- @module smmpanel.loop.dispatch

local core = require "smmpanel.core"

local loop = {}

local waiting = {} -- transfer -> { gate, scope, transfers }, until it ends
local watches = {} -- scope -> { host, descriptor, count }: as long as requests of that loop are in flight

-- After a fork the descriptor is another one; what watches the parent's is the parent's, and ending it here
-- would end it there.
local function leave(scope)
  local watch = watches[scope]
  watch.count = watch.count - 1
  if watch.count > 0 then return end
  watches[scope] = nil
  if watch.host.unwatch and watch.descriptor == core.descriptor() then watch.host.unwatch(scope) end
end

--- Feeds what has arrived to the decoders and wakes those whose requests have ended. Never blocks.
---@param bytes? integer how much to decode at most (16 kB)
function loop.step(bytes)
  for _, transfer in ipairs(core.step(bytes) or {}) do
    local entry = waiting[transfer]
    if entry then
      waiting[transfer], entry.transfers[transfer] = nil, nil
      leave(entry.scope)
      entry.gate:open()
    end
  end
end

--- Whether nobody waits for an answer.
---@return boolean
function loop.is_idle()
  return next(waiting) == nil
end

local function enter(entry, host)
  local scope, descriptor = host.scope and host.scope() or host, core.descriptor()
  local watch = watches[scope] or { host = host, count = 0 }
  watches[scope], entry.scope = watch, scope
  watch.count = watch.count + 1
  if watch.descriptor == descriptor then return end
  watch.descriptor = descriptor
  if host.watch then host.watch(descriptor, loop.step, scope) end
end

--- One request and its answer.
---@param host table
---@param client userdata
---@param request table for core.start
---@param transfers table<userdata, true> it is in there as long as it is in flight, for whoever cancels
---@return table outcome
function loop.run(host, client, request, transfers)
  local transfer, word, why = core.start(client, request)
  if not transfer then
    return { word = word, text = why, sent = false, http_status = 0, json = "empty", bytes = 0, seconds = 0 }
  end
  local gate = host.gate()
  local entry = { gate = gate, transfers = transfers }
  -- First of all, for a host may step while it begins to watch, and the answer may be there by then.
  waiting[transfer], transfers[transfer] = entry, true
  enter(entry, host)
  -- Interrupted by the user: it ends as cancelled, and so it is known whether it was sent.
  while gate:wait() == false do transfer:cancel() end
  return transfer:result()
end

return loop
