--- Polling until orders are final: in full batches, each order no more often than asked, each change reported
-- once.
-- @module smmpanel.watch

local core = require "smmpanel.core"
local errors = require "smmpanel.errors"
local loops = require "smmpanel.loop"

local watch = {}

local PATIENCE = 0.1 -- of the interval: so long an order that is due waits for others to fill the batch
local LOOK_AGAIN = 1 -- seconds until an idle poller looks whether others left or added some
local NOT_SENT_PAUSE = 1 -- seconds until orders are due again whose poll got no slot of the rate limit
local STORE_TRIES = 30 -- seconds, one try each, for a ledger that fails

--- Whether two records say the same, their lists of orders included. Pure.
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

--- Whether there is nothing left to wait for: a final state, or an order the panel does not know. Pure.
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

--- The error of a ledger that fails.
---@param failure { code: string, message: string }
---@return smmpanel.Error
function watch.failed(failure)
  return errors.new { kind = "ledger", code = failure.code, action = "watch", attempts = 0,
    message = failure.message }
end

-- A ledger that fails for a moment costs nothing but that moment.
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

-- Gives back the orders from this place on: they are due at once, for another or after a restart.
local function give_back(run, claim, first)
  local ids = {}
  for i = first, #claim.ids do ids[#ids + 1] = claim.ids[i] end
  later(run, claim, ids, 0)
end

-- It is reported before it is written down: a process that dies in between leaves it to be reported again, and
-- not unreported. A claim that was lost meanwhile (a stopped process, a clock that was set) is another's.
-- -> whether on_change returned, and what it threw
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

-- What a poll brought. A request that failed says nothing of its orders: it is no change, and what was known
-- stays. Where the claim was lost meanwhile, another polls them.
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
  local polled, err = run.poll(claim.ids, seconds)
  run.reason = err
  if err and (err.kind == "cancelled" or errors.is_authentication(err)) then
    for _, id in ipairs(claim.ids) do run.failed(id, polled[id]) end
    later(run, claim, claim.ids, 0)
    return finish(run, err)
  end
  if not_sent(err) then return later(run, claim, claim.ids, NOT_SENT_PAUSE) end
  take_in(run, claim, polled)
end

-- -> the seconds to wait; nil where it is over, for want of work or of time
local function pause(run, wait)
  if not wait and not run.wait_for_more then return nil end
  if run.shared then wait = math.min(wait or math.huge, LOOK_AGAIN) end
  local left = run.deadline and run.deadline - core.now()
  if not left or wait < left then return run.pollers > 1 and math.min(wait, LOOK_AGAIN) or wait end
  if run.wait_for_more and left > 0 then return left end
  run.err = run.err or too_late(run) -- what others have in flight may still come in time
end

-- One of several pollers.
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
---@field shared boolean whether others may work at it too
---@field is_final fun(status: any): boolean
---@field wait_for_more? boolean go on when there is nothing to watch
---@field interval number seconds
---@field deadline? number by core.now()
---@field lease number seconds that no poll outlasts
---@field batch_size integer
---@field pollers integer how many poll side by side
---@field loop table
---@field on_change fun(id: smmpanel.Id, record: table, previous: table?)
---@field key_of fun(id: string): smmpanel.Id the id as the caller knows it
---@field failed fun(id: string, record: table) a poll that brought nothing new
---@field poll fun(ids: string[], seconds: number?): table<string, table>, smmpanel.Error?

--- Polls.
---@param run smmpanel.Watching
---@return smmpanel.Error? why not all are final
function watch.run(run)
  local pollers = {}
  for i = 1, run.pollers do pollers[i] = function() poller(run) end end
  loops.side_by_side(run.loop, pollers, #pollers)
  return run.err
end

return watch
