--- Investigates whether an attempt without an answer placed its order. It only reads: the ledger, the panel's `status`,
-- and its catalogue for the price. smmpanel.ledger.verdict draws the conclusion.
-- @module smmpanel.ledger.investigate

local investigate = {}

local by_ids = require "smmpanel.call.by_ids"
local json = require "smmpanel.util.json"
local schemas = require "smmpanel.api.schemas"
local decimal = require "smmpanel.util.decimal"
local failures = require "smmpanel.ledger.failures"
local ids = require "smmpanel.api.ids"
local lease = require "smmpanel.ledger.lease"
local max_cost = require "smmpanel.ledger.max_cost"
local process = require "smmpanel.ledger.process"
local request = require "smmpanel.call.request"
local settle = require "smmpanel.ledger.settle"
local verdict = require "smmpanel.ledger.verdict"

local WHERE = "panel:investigate"
local IDS_PER_REQUEST = 100
local BELOW = 100 -- rows before the attempt, to check that order numbers grow
local HIGHEST = 2 ^ 53
local ALL = 2 ^ 31

local function failed(ref, failure)
  return nil, failures.new("investigate", ref, failure.code, failure.message)
end

-- Finds the orders around the attempt. -> window; nil, reason; nil, nil, failure
local function window_of(store, owner, row, limit)
  local others, failure = store:made(owner, -1, 0, 1)
  if not others then return nil, nil, failure end
  if others[1] then return nil, "ids_not_numbers" end
  local below, after
  below, failure = store:made(owner, 0, row.floor or 0, -BELOW)
  if not below then return nil, nil, failure end
  after, failure = store:made(owner, row.floor or 0, HIGHEST, limit + BELOW)
  if not after then return nil, nil, failure end
  return verdict.window(row, below, after)
end

local function status_call(own, given)
  return request.new(own, "status", { timeout = given.timeout, retries = given.retries, decimals = "string" })
end

-- Requests the numbers, with an order in each request that the panel must show.
-- -> records, hidden, whether those orders were shown, the number of requests; nil, failure if it was cancelled
local function read_all(own, given, list, controls)
  local records, hidden, all_shown, requests = {}, {}, true, 0
  for from = 1, #list, IDS_PER_REQUEST - 1 do
    local control = controls[#controls]
    local some = { control }
    for i = from, math.min(from + IDS_PER_REQUEST - 2, #list) do some[#some + 1] = list[i] end
    requests = requests + 1
    local answer, err = by_ids.list(own, status_call(own, given), ids.read(WHERE, some), { batch_size = #some })
    if err and err.kind == "cancelled" then return nil, err end
    all_shown = all_shown and answer[control] ~= nil and answer[control].code == nil
    for _, id in ipairs(some) do
      local entry = answer[id]
      if entry and entry.error == nil then
        records[id] = entry
      elseif entry and entry.code == "bad_order" then
        hidden[id] = true
      end
    end
  end
  return records, hidden, all_shown, requests
end

local function price_of(own, given, order)
  local list = max_cost.prices(own, given, status_call(own, given).loop.sleep)
  local cost = list and list:price(order)
  return cost and decimal.parse(cost) or nil
end

local function wanted_of(own, given, row)
  local order = row.wanted and json.decode_record(row.wanted, schemas.add) or {}
  return { order = order, price = price_of(own, given, order) }
end

-- The other open attempts: an order without a ref may belong to one of them.
local function others_of(own, given, store, owner, row)
  local rows, failure = store:pending(owner, nil, ALL)
  if not rows then return nil, failure end
  local list = {}
  for _, other in ipairs(rows) do
    if other.ref ~= row.ref and other.ours then list[#list + 1] = wanted_of(own, given, other) end
  end
  return list
end

local function facts_of(own, store, owner, row, given, window)
  local inside, outside = verdict.ids(window, given.max_requests * (IDS_PER_REQUEST - 1))
  if not inside then return nil, outside end
  local all = {}
  for _, list in ipairs { inside, outside } do
    for _, id in ipairs(list) do all[#all + 1] = id end
  end
  local facts = { inside = inside, outside = outside }
  facts.records, facts.hidden, facts.controls_shown, facts.requests = read_all(own, given, all, window.controls)
  if not facts.records then return nil, nil, facts.hidden end
  if not next(facts.records) then return facts end
  local failure
  facts.others, failure = others_of(own, given, store, owner, row)
  if not facts.others then return nil, nil, failure end
  facts.attempt = wanted_of(own, given, row)
  return facts
end

local function balance_in(row)
  local answer = row and row.answer and json.decode_record(row.answer, schemas.add, "string")
  local balance = answer and (answer.remaining_balance or answer.balance)
  return balance and decimal.parse(balance) or nil
end

-- The balance before and after, as the panel reported it: additional evidence, not used for the verdict.
local function balance_of(window)
  local before, after = balance_in(window.known[window.after]), balance_in(window.closing)
  if not before or not after then return nil end
  local spent = after < before and decimal.text(before - after) or "0"
  return { before = decimal.text(before), after = decimal.text(after), spent = spent }
end

-- The seconds for which the panel may still be working on it, or its process may still be sending it.
local function seconds_left(row)
  local here = process.here()
  local state, left = lease.state(row, here)
  return lease.too_early(row, here) or state == "sending" and left or nil
end

local function look(own, store, owner, row, given)
  local left = seconds_left(row)
  if left then return verdict.too_early(left) end
  local window, reason, failure = window_of(store, owner, row, given.max_requests * IDS_PER_REQUEST)
  if failure then return nil, failure end
  if not window then return verdict.unknown(reason) end
  local facts
  facts, reason, failure = facts_of(own, store, owner, row, given, window)
  if failure then return nil, failure end
  local found = facts and verdict.of(facts) or verdict.unknown(reason)
  found.after, found.before, found.requests = window.after, window.before, facts and facts.requests or 0
  found.balance = balance_of(window)
  return found
end

local function note(store, owner, row, found)
  return store:note({ ref = row.ref, owner = owner, attempt = row.attempt }, json.encode {
    verdict = found.verdict, reason = found.reason, order = found.order, after = found.after, before = found.before,
    candidates = found.candidates[1] and found.candidates or nil, balance = found.balance, at = os.time(),
  })
end

local function settle_it(store, owner, found)
  if found.verdict == "unknown" then return nil end
  local ok, err = settle.resolve(WHERE, store, owner, found.order or false,
    { ref = found.ref, attempt = found.attempt })
  found.settled = ok
  return err
end

---@class smmpanel.InvestigateOptions
---@field settle? boolean record the verdict if it is made or not made (false)
---@field max_requests? integer `status` requests, of 99 order numbers each (20)
---@field timeout? number seconds for each request
---@field retries? integer

---@class smmpanel.Investigation
---@field ref string
---@field attempt integer
---@field verdict "made"|"not_made"|"unknown"
---@field order? smmpanel.Id the order, if it was made
---@field reason? string a code, if the verdict is unknown
---@field message? string the reason as a sentence
---@field seconds? integer if it is too early: investigate again after so many
---@field candidates smmpanel.Id[] orders in the window without a ref
---@field after? number the largest order number known before the attempt
---@field before? number the number of the first order after the attempt
---@field requests? integer the number of `status` requests made
---@field balance? { before: string, after: string, spent: string } from the panel's responses to the orders
---@field settled? true the verdict was recorded

--- Investigates a ref.
---@param own table the panel's state
---@param store smmpanel.Ledger
---@param owner smmpanel.LedgerOwner
---@param ref string
---@param given { settle: boolean, max_requests: integer, timeout: number?, retries: integer? }
---@return smmpanel.Investigation?
---@return smmpanel.Error?
function investigate.run(own, store, owner, ref, given)
  local row, failure = store:find { ref = ref, owner = owner }
  if row == nil then return failed(ref, failure) end
  local err = settle.refusal(row, ref)
  if err then return nil, err end
  local found
  if row.answer then
    found = { verdict = "made", order = (json.decode_record(row.answer, schemas.add) or {}).order, candidates = {} }
  else
    found, failure = look(own, store, owner, row, given)
    if not found then return failed(ref, failure) end
    local ok, why = note(store, owner, row, found)
    if not ok then return failed(ref, why) end
  end
  found.ref, found.attempt = ref, row.attempt
  if given.settle and not row.answer then err = settle_it(store, owner, found) end
  return found, err
end

return investigate
