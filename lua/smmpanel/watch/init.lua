--- Polling until orders are final: in full batches, each order no more often than asked, each change told
-- once.
-- @module smmpanel.watch

local core = require "smmpanel.core"
local errors = require "smmpanel.errors"
local loops = require "smmpanel.loop"
local states = require "smmpanel.api.states"

local watch = {}

local PATIENCE = 0.1 -- of the interval: so long an order that is due waits for others to fill the batch
local LOOK_AGAIN = 1 -- seconds until one who has nothing to do looks whether others left or added some
local NOT_SENT_PAUSE = 1 -- seconds until orders come again whose poll was not sent for the rate budget
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
---@return boolean
function watch.settled(record)
  if not record then return false end
  if record.error then return record.code == "bad_order" and not errors.is(record.cause) end
  return states.is_final(record.status)
end

local function too_late()
  return errors.new { kind = "timeout", code = "timeout", action = "status", attempts = 0,
    message = "the time was over before all were final" }
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

local function tell(run, id, record, previous)
  loops.or_end(function() finish(run) end, run.on_change, run.key_of(id), record, previous)
end

-- It is told before it is written down: whoever dies in between leaves it to be told again, and not untold.
local function change(run, claim, id, record)
  tell(run, id, record, claim.seen[id])
  local seconds = not watch.settled(record) and run.interval or nil
  local ok, failure = insist(run, function() return run.work:changed(claim, id, record, seconds) end)
  if not ok then finish(run, watch.failed(failure)) end
end

local function later(run, claim, ids, seconds)
  if #ids == 0 then return end
  local ok, failure = insist(run, function() return run.work:unchanged(claim, ids, seconds) end)
  if not ok then finish(run, watch.failed(failure)) end
end

-- What a poll brought. A request that failed says nothing of its orders: it is no change, and what was known
-- stays. One who was stopped or slow for so long that he lost his claim leaves it: someone else has polled
-- them.
local function take_in(run, claim, polled)
  local same = {}
  for _, id in ipairs(claim.ids) do
    local record = polled[id]
    if run.ended or core.now() >= claim.lost then return end
    if errors.is(record.cause) or watch.same(record, claim.seen[id]) then
      same[#same + 1] = id
      run.failed(id, record)
    else
      change(run, claim, id, record)
    end
  end
  later(run, claim, same, run.interval)
end

local function not_sent(err)
  return err and err.attempts == 0 and (err.code == "rate" or err.code == "limiter")
end

local function poll(run, claim)
  local seconds = run.deadline and math.max(0.001, run.deadline - core.now())
  claim.lost = core.now() + run.lease
  local polled, err = run.poll(claim.ids, seconds)
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
  run.err = run.err or too_late() -- for this one: what others have in flight may still come in time
end

-- One of those that poll side by side.
local function poller(run)
  while not run.ended do
    local claim, failure, wait = insist(run, function()
      return run.work:claim(run.batch_size, run.interval * PATIENCE, run.lease)
    end)
    if failure then return finish(run, watch.failed(failure)) end
    if claim and run.deadline and core.now() >= run.deadline then
      run.err = run.err or too_late()
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
---@field work table see smmpanel.work
---@field shared boolean whether others may work at it too
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
