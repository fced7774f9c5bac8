--- Between the engine and the hosts: a request suspends whoever made it until `step` finds that it has ended.
-- @module smmpanel.loop

local core = require "smmpanel.core"

local loop = {}

local waiting = {} -- transfer -> { gate, host }, until it ends
local in_flight = {} -- host -> how many of its requests are

local function leave(host)
  in_flight[host] = in_flight[host] - 1
  if in_flight[host] > 0 then return end
  in_flight[host] = nil
  if host.unwatch then host.unwatch() end
end

--- Feeds what has arrived to the decoders and wakes those whose requests have ended. Never blocks.
---@param bytes? integer how much to decode at most (64 kB)
function loop.step(bytes)
  for _, transfer in ipairs(core.step(bytes) or {}) do
    local entry = waiting[transfer]
    if entry then
      waiting[transfer] = nil
      leave(entry.host)
      entry.gate:open()
    end
  end
end

local function enter(host)
  in_flight[host] = (in_flight[host] or 0) + 1
  if in_flight[host] == 1 and host.watch then host.watch(core.descriptor(), loop.step) end
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
  waiting[transfer], transfers[transfer] = { gate = gate, host = host }, true
  enter(host)
  gate:wait()
  transfers[transfer] = nil
  return transfer:result()
end

return loop
