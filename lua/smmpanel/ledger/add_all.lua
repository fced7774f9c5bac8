--- Places many orders with refs, several at a time. Each is placed at most once, so a run that was stopped or killed
-- can be repeated: orders that were placed are answered from the ledger, and the rest is sent.
-- @module smmpanel.ledger.add_all

local add_all = {}

local core = require "smmpanel.core"
local errors = require "smmpanel.errors"
local loops = require "smmpanel.loop"
local retry = require "smmpanel.call.retry"
local stopping = require "smmpanel.ledger.stopping"

local NAP = 0.05 -- seconds between two checks of a worker that waits for the end of a pause
local LONGEST_NAP = 1

local function entry(ref, err)
  return { ref = ref, error = err.message, code = err.code, cause = err, uncertain = err.uncertain }
end

-- For a ref that occurs twice: the error of one does not replace the order of the other; the run returns the error.
local function store(run, ref, made, err)
  local known = run.results[ref]
  if known and not known.error and err then
    run.duplicate = run.duplicate or err
    return
  end
  if known and known.error and made then run.duplicate = run.duplicate or known.cause end
  run.results[ref] = made or entry(ref, err)
end

local function deliver(run, ref, made, err)
  if run.on_answer then return run.on_answer(ref, made, err) end
  store(run, ref, made, err)
end

local function unsent(why)
  return errors.new { kind = "refused", code = "unsent", action = "add", attempts = 0, cause = why,
    message = "not sent: " .. why.message }
end

local function is_over(run)
  return run.stopped ~= nil or run.over
end

-- The panel answered 429: no order starts until the pause is over, and then half as many run at a time.
local function pause(run, err)
  local now = core.now()
  if now < run.paused_until then return end
  run.fruitless = run.fruitless + 1
  run.allowed = math.max(1, math.floor(run.allowed / 2))
  run.paused_until = now + math.min(err.retry_after or 2 ^ math.min(run.fruitless, 6), retry.HOLD_MAX)
end

-- -> whether to continue
local function wait_while_paused(run)
  while not is_over(run) do
    local left = run.paused_until - core.now()
    if left <= 0 and run.active < run.allowed or run.is_closed() then return true end
    run.loop.sleep(math.min(math.max(left, NAP), LONGEST_NAP))
  end
  return false
end

-- Makes one attempt at one order. -> whether its result is final
local function try(run, item)
  if not wait_while_paused(run) then
    if run.stopped then deliver(run, item.ref, nil, unsent(run.stopped)) end
    return true
  end
  run.active = run.active + 1
  local made, err = run.add(item)
  run.active = run.active - 1
  if made then run.fruitless = 0 end
  if stopping.is_rate_limit(err) and run.fruitless <= run.retries and not is_over(run) then
    pause(run, err)
    return false
  end
  if err and err.code == "stopped" then err = unsent(run.stopped or err) end
  run.stopped = run.stopped or run.streak:judge(err)
  run.done = run.done + 1
  deliver(run, item.ref, made, err)
  run.on_progress(run.done, run.total)
  return true
end

local function work(run)
  while not is_over(run) do
    local item, err = run.next_order()
    run.stopped = run.stopped or err
    if not item then return end
    while not run.over and not try(run, item) do end -- luacheck: ignore 542
  end
end

-- Reports the orders of a list that were not tried. -> their number
local function report_unsent(run)
  local count = 0
  for item in run.next_order do
    count = count + 1
    deliver(run, item.ref, nil, unsent(run.stopped))
  end
  return count
end

local function stopped(run)
  local err = run.stopped
  local message = err.message
  if not run.total then
    message = message .. "; the remaining orders were not read"
  else
    message = ("%s; %d orders were not sent"):format(message, report_unsent(run))
  end
  local final = {}
  for name, value in pairs(err) do final[name] = value end
  final.message, final.cause = message, err
  return errors.new(final)
end

---@class smmpanel.AddAllRun
---@field loop table
---@field concurrency integer
---@field retries integer the most pauses in a row without a placed order
---@field stop_after integer
---@field on_answer? fun(ref: string, made: table?, err: smmpanel.Error?)
---@field on_progress fun(done: integer, total: integer?)
---@field is_closed fun(): boolean
---@field add fun(item: smmpanel.RefOrder): table?, smmpanel.Error?

--- Places the orders.
---@param next_order fun(): smmpanel.RefOrder?, smmpanel.Error?
---@param total integer?
---@param run smmpanel.AddAllRun
---@return table<string, table> results by ref; empty with `on_answer`
---@return smmpanel.Error? why the run stopped
function add_all.run(next_order, total, run)
  run.next_order, run.total, run.results = next_order, total, {}
  run.done, run.active, run.allowed = 0, 0, run.concurrency
  run.paused_until, run.fruitless, run.streak = -math.huge, 0, stopping.streak(run.stop_after)
  -- An error in a caller's function ends the run: no further order starts.
  loops.workers(run.loop, math.min(run.concurrency, total or run.concurrency), function() work(run) end,
    function() run.over = true end)
  return run.results, run.stopped and stopped(run) or run.duplicate
end

--- Returns a function that returns whether the run has stopped; calls that wait for a slot then give up. It shares no
-- variable with the caller's coroutine, which may be killed.
---@param run smmpanel.AddAllRun
---@return fun(): boolean
function add_all.stop_check(run)
  return function() return is_over(run) end
end

return add_all
