--- Polling until orders are final.
-- @module smmpanel.watch

local core = require "smmpanel.core"
local errors = require "smmpanel.errors"
local states = require "smmpanel.states"

local watch = {}

--- Whether two records say the same. Pure.
---@param a table?
---@param b table?
---@return boolean
function watch.same(a, b)
  if a == nil or b == nil then return a == b end
  for name, value in pairs(a) do
    if type(value) ~= "table" and b[name] ~= value then return false end
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
  if record.error then return record.code == "bad_order" and not record.cause end
  return states.is_final(record.status)
end

-- Takes over what a poll brought; -> the ids still to be watched. A failed request says nothing of its
-- orders: it is no change, and what was known stays.
local function take(last, open, polled, on_change)
  local still = {}
  for _, id in ipairs(open) do
    local record, previous = polled[id], last[id]
    local known = previous and not previous.cause and previous or nil
    if record.cause then
      last[id] = known or record
    else
      last[id] = record
      if not watch.same(record, known) then on_change(id, record, known) end
    end
    if not watch.settled(last[id]) then still[#still + 1] = id end
  end
  return still
end

-- Each id once, under the key that it was given with first.
local function distinct(asked)
  local list = {}
  for _, id in ipairs(asked.texts) do list[#list + 1] = asked.keys[id][1] end
  return list
end

local function too_late()
  return errors.new { kind = "timeout", code = "timeout", action = "status", attempts = 0,
    message = "the time was over before all were final" }
end

--- Polls.
---@param asked smmpanel.Ids
---@param options { interval: number?, timeout: number?, on_change: function? }
---@param host table
---@param poll fun(open: smmpanel.Id[], seconds: number?): table, smmpanel.Error?
---@return table<smmpanel.Id, table> last
---@return smmpanel.Error? why not all are final
function watch.run(asked, options, host, poll)
  local interval, on_change = options.interval or 60, options.on_change or function() end
  local deadline = options.timeout and core.now() + options.timeout
  local last, open = {}, distinct(asked)
  while #open > 0 do
    local begun = core.now()
    local polled, err = poll(open, deadline and math.max(0.001, deadline - begun))
    open = take(last, open, polled, on_change)
    if err and (err.kind == "cancelled" or errors.is_authentication(err)) then return last, err end
    local next_poll = begun + interval
    if #open > 0 and deadline and next_poll >= deadline then return last, err or too_late() end
    if #open > 0 then host.sleep(math.max(0, next_poll - core.now())) end
  end
  return last
end

return watch
