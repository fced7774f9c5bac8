--- Polls orders until they are final. Polls in full batches, polls an order at most once per interval, and reports
-- each change once.
-- @module smmpanel.watch

local core = require "smmpanel.core"
local errors = require "smmpanel.errors"
local loops = require "smmpanel.loop"

local watch = {}

local PATIENCE = 0.1 -- fraction of the interval that a due order waits for others to fill the batch
local LOOK_AGAIN = 1 -- seconds until an idle poller checks for orders that other processes left or added
local NOT_SENT_PAUSE = 1 -- seconds until orders are due again whose poll got no slot of the rate limit
local STORE_TRIES = 30 -- attempts when the ledger fails, one per second

--- Returns whether two records are equal, their lists of orders included. Pure.
---@param a table?
---@param b table?
---@return boolean
function watch.same(a, b)
  if a == nil or b == nil then return a == b end
  for name, value in pairs(a) do
    local other = b[name]
    local lists = type(value) == "table" and type(other) == "table"
    if lists and not watch.same(value, other) or not lists and value ~= other then return false end
  end
  for name in pairs(b) do
    if a[name] == nil then return false end
  end
  return true
end

--- Returns whether an order needs no more polling: its state is final, or the panel does not know it. Pure.
---@param record table?
---@param is_final fun(status: any): boolean
---@return boolean
function watch.settled(record, is_final)
  if not record then return false end
  if record.error then return record.code == "bad_order" and not errors.is(record.cause) end
  return is_final(record.status)
end

local function too_late(run)
  local message = "the deadline passed before all orders were final"
  if run.reason then message = message .. "; the last poll failed: " .. run.reason.message end
  return errors.new { kind = "timeout", code = "timeout", action = "status", attempts = 0, message = message,
    cause = run.reason }
end

--- Makes the error for a ledger that fails.
---@param failure { code: string, message: string }
---@return smmpanel.Error
function watch.failed(failure)
  return errors.new { kind = "ledger", code = failure.code, action = "watch", attempts = 0,
    message = failure.message }
end

-- Retries a step on the ledger, so that a short failure of the ledger does not end the watch.
local function insist(run, step)
  for try = 1, STORE_TRIES do
    local a, b, c = step()
    if a ~= nil or b == nil then return a, b, c end
    if try == STORE_TRIES or run.ended then return nil, b end
    run.loop.sleep(1)
  end
end

local function finish(run, err)
  run.ended, run.err = true, run.err or err
end

local function later(run, claim, ids, seconds)
  if #ids == 0 then return end
  local ok, failure = insist(run, function() return run.work:unchanged(claim, ids, seconds) end)
  if not ok then finish(run, watch.failed(failure)) end
end

-- Releases the orders of a claim from this index on. They are due immediately, for another process or after a restart.
local function give_back(run, claim, first)
  local ids = {}
  for i = first, #claim.ids do ids[#ids + 1] = claim.ids[i] end
  later(run, claim, ids, 0)
end

-- Reports a change, then stores it. In this order a process that dies in between causes a second report, not a
-- missing one. If the claim was lost meanwhile (the process was suspended, the clock was set), another process
-- reports it.
-- -> whether on_change returned; else what it threw
local function change(run, claim, id, record)
  local held, failure = insist(run, function() return run.work:holds(claim, id) end)
  if failure then finish(run, watch.failed(failure)) end
  if not held then return true end
  local ok, thrown = loops.try(run.loop, run.on_change, run.key_of(id), record, claim.seen[id])
  if not ok then return false, thrown end
  local seconds = not watch.settled(record, run.is_final) and run.interval or nil
  ok, failure = insist(run, function() return run.work:changed(claim, id, record, seconds) end)
  if not ok then finish(run, watch.failed(failure)) end
  return true
end

-- Handles the result of a poll. A failed request says nothing about its orders: it is not a change, and the last
-- records stay. If the claim was lost meanwhile, another process polls these orders.
local function take_in(run, claim, polled)
  local same, place, ok, thrown = {}, 1, true, nil
  while ok and place <= #claim.ids and not run.ended do
    local id = claim.ids[place]
    local record = polled[id]
    if core.now() >= claim.lost then return end
    if errors.is(record.cause) or watch.same(record, claim.seen[id]) then
      same[#same + 1] = id
      run.failed(id, record)
    else
      ok, thrown = change(run, claim, id, record)
    end
    if ok then place = place + 1 end
  end
  later(run, claim, same, run.interval)
  give_back(run, claim, place)
  if ok then return end
  finish(run)
  error(thrown, 0)
end

local function not_sent(err)
  return err and err.attempts == 0 and (err.code == "rate" or err.code == "limiter")
end

local function poll(run, claim)
  local seconds = run.deadline and math.max(0.001, run.deadline - core.now())
  claim.lost = core.now() + run.lease
  local polled, err, is_cut = run.poll(claim.ids, seconds)
  if not (is_cut and run.reason) then run.reason = err end
  if err and (err.kind == "cancelled" or errors.is_authentication(err)) then
    for _, id in ipairs(claim.ids) do run.failed(id, polled[id]) end
    later(run, claim, claim.ids, 0)
    return finish(run, err)
  end
  if not_sent(err) then return later(run, claim, claim.ids, NOT_SENT_PAUSE) end
  take_in(run, claim, polled)
end

-- -> the seconds to wait; nil at the end: no orders remain, or the deadline has passed
local function pause(run, wait)
  if not wait and not run.wait_for_more then return nil end
  if run.shared then wait = math.min(wait or math.huge, LOOK_AGAIN) end
  local left = run.deadline and run.deadline - core.now()
  if not left or wait < left then return run.pollers > 1 and math.min(wait, LOOK_AGAIN) or wait end
  if run.wait_for_more and left > 0 then return left end
  run.err = run.err or too_late(run) -- polls of other pollers in flight may still finish in time
end

-- The main loop of one poller; several run concurrently.
local function poller(run)
  while not run.ended do
    local claim, failure, wait = insist(run, function()
      return run.work:claim(run.batch_size, run.interval * PATIENCE, run.lease)
    end)
    if failure then return finish(run, watch.failed(failure)) end
    if claim and run.deadline and core.now() >= run.deadline then
      run.err = run.err or too_late(run)
      return later(run, claim, claim.ids, 0)
    elseif claim then
      poll(run, claim)
    else
      wait = pause(run, wait)
      if not wait then return end
      run.loop.sleep(wait)
    end
  end
end

---@class smmpanel.Watching
---@field work table see smmpanel.watch.queue
---@field shared boolean whether other processes may share the set
---@field is_final fun(status: any): boolean
---@field wait_for_more? boolean continue when there is nothing to watch
---@field interval number seconds
---@field deadline? number by core.now()
---@field lease number seconds, longer than any poll
---@field batch_size integer
---@field pollers integer the number of concurrent pollers
---@field loop table the event loop
---@field on_change fun(id: smmpanel.Id, record: table, previous: table?)
---@field key_of fun(id: string): smmpanel.Id returns the id as the caller wrote it
---@field failed fun(id: string, record: table) called for a poll without a change
---@field poll fun(ids: string[], seconds: number?): table<string, table>, smmpanel.Error?, boolean? cut by the deadline

--- Polls until all orders are final, or the deadline.
---@param run smmpanel.Watching
---@return smmpanel.Error? why not all orders are final
function watch.run(run)
  -- After Ctrl-C no further poll starts, and no change is reported.
  loops.workers(run.loop, run.pollers, function() poller(run) end, function() run.ended = true end)
  return run.err
end

return watch
