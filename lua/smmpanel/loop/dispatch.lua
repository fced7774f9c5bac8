--- Connects the engine and the loops: a request suspends its coroutine until `step` finds that it has ended.
--
-- Once a request is sent its result must not be lost. So everything that may throw runs before `core.start`. `step`
-- handles all entries of its list even if one throws. A wait that throws cancels the request, and reports whether the
-- request was sent.
-- @module smmpanel.loop.dispatch

local core = require "smmpanel.core"
local guard = require "smmpanel.util.guard"

local dispatch = {}

local waiting = {} -- transfer -> { signal, scope, transfers }, until it ends
local watches = {} -- scope -> { loop, descriptor, signals = the set of those in flight }, until there is none

local LAST_WAIT = 0.002 -- seconds between two checks of a request that was cancelled

-- Plain Lua 5.1 cannot suspend a coroutine inside pcall: there an error in a wait reaches the caller.
local may_wait_in_pcall = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

-- If the engine cannot start there is nothing to watch, and core.start reports the reason.
local function descriptor_or_nil()
  local ok, descriptor = guard.call(core.descriptor)
  return ok and descriptor or nil
end

-- After a fork the descriptor is a new one. The watcher of the old one belongs to the parent, and ending it here would
-- end it in the parent too.
local function leave(scope, signal)
  local watch = watches[scope]
  if not watch then return end
  watch.signals[signal] = nil
  if next(watch.signals) then return end
  watches[scope] = nil
  if not watch.loop.unwatch or not watch.descriptor then return end
  if watch.descriptor == descriptor_or_nil() then watch.loop.unwatch(scope) end
end

local function watch_for(loop, signal)
  local scope, descriptor = loop.scope and loop.scope() or loop, loop.watch and descriptor_or_nil()
  local watch = watches[scope] or { loop = loop, signals = {} }
  if descriptor and watch.descriptor ~= descriptor then
    loop.watch(descriptor, dispatch.step, scope)
    watch.descriptor = descriptor
  end
  watches[scope] = watch
  watch.signals[signal] = true
  return scope
end

-- If Ctrl-C throws here, the next step calls it again.
local function finish(transfer)
  local entry = waiting[transfer]
  if not entry then return end
  local left, why = guard.call(leave, entry.scope, entry.signal)
  local opened, thrown = guard.call(entry.signal.open, entry.signal)
  entry.transfers[transfer] = nil
  waiting[transfer] = nil
  if not left then error(why, 0) end
  if not opened then error(thrown, 0) end
end

-- After a step whose list was lost.
local function all_ended()
  local list = {}
  for transfer in pairs(waiting) do
    if transfer:has_ended() then list[#list + 1] = transfer end
  end
  return list
end

local is_left = false -- Ctrl-C may leave a step anywhere, and so before all of its list was handled

--- Decodes the data that has arrived and wakes the coroutines whose requests have ended. Never blocks. Rethrows the
-- first error of a coroutine after all of them were woken.
---@param bytes? integer the most bytes to decode (16 kB)
function dispatch.step(bytes)
  local is_lost = is_left
  is_left = true
  local ok, ended, thrown = pcall(core.step, bytes)
  if not ok then is_lost, thrown = true, ended end
  local is_handled = true
  for _, transfer in ipairs(is_lost and all_ended() or ended or {}) do
    local finished, err = pcall(finish, transfer)
    if not finished then is_handled, thrown = false, thrown or err end
  end
  is_left = not is_handled
  if thrown then error(thrown, 0) end
end

--- Steps as long as there is data, for about this many seconds; for loops that do not watch the descriptor.
---@param seconds number
function dispatch.step_for(seconds)
  local ends_at = core.now() + seconds
  repeat dispatch.step() until not core.wait(0) or core.now() >= ends_at
end

--- Returns whether no request is in flight.
---@return boolean
function dispatch.is_idle()
  return next(waiting) == nil
end

local function not_started(code, why)
  return { code = code, text = why, sent = false, http_status = 0, json = "empty", bytes = 0, seconds = 0 }
end

-- The user interrupted the wait: cancel the request, so that its result says whether it was sent.
local function wait(signal, transfer, seconds)
  while signal:wait(seconds) == false do transfer:cancel() end
end

-- Waits without the loop; a cancelled request ends immediately.
local function cancel_now(transfer)
  transfer:cancel()
  while waiting[transfer] do
    pcall(dispatch.step)
    if waiting[transfer] then core.wait(LAST_WAIT) end
  end
end

local interrupt -- Ctrl-C that came together with an answer: thrown away with it, it would not stop the next request

local function outcome_of(signal, transfer, seconds)
  if not may_wait_in_pcall and coroutine.running() then
    wait(signal, transfer, seconds)
    return transfer:result()
  end
  local waited, thrown = pcall(wait, signal, transfer, seconds)
  if not waited then cancel_now(transfer) end
  local outcome = transfer:result()
  if waited then return outcome end
  if outcome.code == "cancelled" then
    outcome.text = "the wait for the answer was interrupted: " .. tostring(thrown)
  elseif guard.is_interrupt(thrown) then
    interrupt = thrown
  end
  return outcome
end

local function register(transfer, entry)
  waiting[transfer] = entry
  entry.transfers[transfer] = true
end

--- Makes one request and waits for its outcome.
---@param loop table
---@param client userdata
---@param request smmpanel.Call for core.start
---@param transfers table<userdata, true> contains the transfer while it is in flight, so that it can be cancelled
---@return table outcome
function dispatch.run(loop, client, request, transfers)
  if interrupt then
    interrupt = nil
    return not_started("cancelled", "interrupted before it was sent")
  end
  local signal = loop.signal()
  local entry = { signal = signal, scope = false, transfers = transfers }
  local scope = watch_for(loop, signal)
  entry.scope = scope
  local started, transfer, code, why = pcall(core.start, client, request)
  if not started or not transfer then
    leave(scope, signal)
    if not started then error(transfer, 0) end
    return not_started(code, why)
  end
  local registered, thrown = pcall(register, transfer, entry)
  if not registered then -- out of memory: nothing can wait for the transfer
    waiting[transfer] = nil
    leave(scope, signal)
    transfer:cancel()
    error(thrown, 0)
  end
  return outcome_of(signal, transfer, request.deadline - core.now())
end

return dispatch
