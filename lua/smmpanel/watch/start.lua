--- Starts a watch: of one call's orders in this process, or of a named set in the ledger.
-- @module smmpanel.watch.start

local start = {}

local account = require "smmpanel.ledger.account"
local argerror = require "smmpanel.util.argerror"
local by_ids = require "smmpanel.call.by_ids"
local core = require "smmpanel.core"
local events = require "smmpanel.call.events"
local ids = require "smmpanel.api.ids"
local json = require "smmpanel.util.json"
local loops = require "smmpanel.loop"
local queue = require "smmpanel.watch.queue"
local request = require "smmpanel.call.request"
local schemas = require "smmpanel.api.schemas"
local state = require "smmpanel.call.state"
local states = require "smmpanel.api.states"
local watch = require "smmpanel.watch"

-- Returns a function that maps an id to the caller's key for it: the key as given, or the id as records have it.
local function names_of(asked)
  return function(id)
    local keys = asked and asked.keys[id]
    return keys and keys[1] or ids.value(id)
  end
end

-- Returns the last record of each order, by the keys as given.
local function results_of(asked, seen, failed)
  local last = {}
  for id, keys in pairs(asked.keys) do
    for _, key in ipairs(keys) do last[key] = seen[id] or failed[id] end
  end
  return last
end

local LEASE_MARGIN = 15 -- seconds that a claim lasts longer than its poll

local function new_watching(own, given, asked, set)
  local defaults = own.options
  local timeout, batch_size = defaults.timeout, given.batch_size or defaults.batch_size
  local deadline = given.timeout and core.now() + given.timeout
  return {
    work = set, interval = given.interval or 60, deadline = deadline,
    lease = timeout + LEASE_MARGIN, batch_size = batch_size, pollers = given.concurrency or defaults.concurrency,
    loop = loops.pick(defaults.loop), key_of = names_of(asked), on_change = given.on_change or function() end,
    failed = function() end, is_final = function(status) return states.is_final_class(own.class_of(status)) end,
    poll = function(open, seconds)
      local options = { timeout = math.min(seconds or math.huge, timeout), retries = given.retries,
        decimals = given.decimals, batch_size = batch_size }
      local call = request.new(own, "status", options)
      call.bulk = true
      local polled, err = by_ids.list(own, call, ids.read("panel:watch", open), options)
      -- A poll that the watch's own deadline cut short has not failed. The engine counts whole milliseconds.
      local is_cut = err and err.kind == "timeout" and deadline and core.now() + 0.01 >= deadline
      if err and not is_cut then events.poll_failed(own, open, err) end
      return polled, err, is_cut
    end,
  }
end

--- Watches in this process, for the duration of the call.
---@param own table the panel's state
---@param given smmpanel.WatchOptions
---@param asked smmpanel.Ids
---@param x smmpanel.Id|smmpanel.Id[] as the caller gave it
---@return table last the last records by id; for one id its record
---@return smmpanel.Error?
function start.here(own, given, asked, x)
  local set, failed = queue.new(core.now), {}
  set:add(asked.texts)
  local run = new_watching(own, given, asked, set)
  run.pollers = math.min(run.pollers, math.ceil(#asked.texts / run.batch_size))
  run.lease = math.huge -- no other process can claim these orders
  function run.failed(id, record) failed[id] = record end
  local err = watch.run(run)
  local last = results_of(asked, set.seen, failed)
  if asked.single then return last[x], err end
  return last, err
end

-- The ledger stores money as text, so that processes with different `decimals` do not see it as a change.
local function with_numbers(on_change)
  local function numbers(record)
    if not record or record.error then return record end
    return json.decode_record(json.encode(record), schemas.status, "number")
  end
  return function(id, record, previous) return on_change(id, numbers(record), numbers(previous)) end
end

local SLICE = 1000 -- ids

-- Adds in slices and pauses after each for as long as it took, so that other processes can use the ledger in between.
local function add_to(run, texts)
  local from = 1
  while true do
    local slice, began = {}, core.now()
    for i = from, math.min(from + SLICE - 1, #texts) do slice[#slice + 1] = texts[i] end
    local ok, failure = run.work:add(slice)
    from = from + SLICE
    if not ok or from > #texts then return failure end
    run.loop.sleep(math.max(0.001, core.now() - began))
  end
end

--- Watches a named set in the ledger, which all processes that watch this name share.
---@param own table the panel's state
---@param where string the public function's name
---@param given smmpanel.WatchOptions
---@param asked? smmpanel.Ids orders to add
---@return smmpanel.Error?
function start.named(own, where, given, asked)
  local ledger = state.ledger(own, where)
  if type(ledger.work) ~= "function" then argerror.throw(where, "this ledger cannot store watched orders") end
  local owner, failure = account.owner(ledger, own)
  if not owner then return watch.failed(failure) end
  local set = ledger:work(given.name, { owner = owner })
  local run = new_watching(own, setmetatable({ decimals = "string" }, { __index = given }), asked, set)
  if (given.decimals or own.options.decimals) == "number" then run.on_change = with_numbers(run.on_change) end
  failure = add_to(run, asked and asked.texts or {})
  if failure then return watch.failed(failure) end
  run.shared, run.wait_for_more = true, given.wait_for_more
  return watch.run(run)
end

return start
