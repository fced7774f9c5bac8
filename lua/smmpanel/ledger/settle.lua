--- Refs without an answer: lists them, and records a person's decision about them.
-- @module smmpanel.ledger.settle

local settle = {}

local argerror = require "smmpanel.util.argerror"
local failures = require "smmpanel.ledger.failures"
local ids = require "smmpanel.api.ids"
local lease = require "smmpanel.ledger.lease"
local place_once = require "smmpanel.ledger.place_once"
local process = require "smmpanel.ledger.process"
local json = require "smmpanel.util.json"
local schemas = require "smmpanel.api.schemas"

local ALL = 2 ^ 31

local function decoded(written)
  return written and json.decode_record(written, schemas.add) or nil
end

---@class smmpanel.Pending an order with a ref and without an answer
---@field ref string
---@field attempt integer the number of the attempt, from 1
---@field state "sending"|"uncertain"
---@field since? number unix time at which the ref was taken
---@field left number seconds for which the request may still be in flight
---@field too_early? number seconds until it may be resolved as not made
---@field order table the order's fields as sent
---@field evidence? table the last result of panel:investigate
---@field other_account? true the ref was taken under another key or name of this panel: see panel:adopt_account

---@class smmpanel.Known the ledger's entry of a ref
---@field ref string
---@field state "new"|"made"|"sending"|"uncertain" new: no order was placed under it
---@field made? smmpanel.Made
---@field attempt? integer
---@field order? table the order's fields as sent
---@field left? number seconds for which the request may still be in flight
---@field since? number unix time
---@field other_account? true the ref belongs to another account

--- Converts a row to the caller's form.
---@param row table the store's row
---@param here table
---@return smmpanel.Pending
function settle.view(row, here)
  local state, left = lease.state(row, here)
  return {
    ref = row.ref, attempt = row.attempt, state = state, left = left, since = row.since,
    too_early = (lease.too_early(row, here)), order = decoded(row.wanted),
    evidence = decoded(row.evidence), other_account = not row.ours or nil,
  }
end

--- Lists the refs that are taken and have no answer.
---@param store smmpanel.Ledger
---@param owner smmpanel.LedgerOwner
---@param given { after: string?, limit: integer? }
---@return smmpanel.Pending[]?
---@return smmpanel.Error?
function settle.pending(store, owner, given)
  local rows, failure = store:pending(owner, given.after, given.limit or ALL)
  if not rows then return nil, failures.new("pending", nil, failure.code, failure.message) end
  local here, list = process.here(), {}
  for i, row in ipairs(rows) do list[i] = settle.view(row, here) end
  return list
end

-- The states of an attempt that placed no order.
local FREED = { free = true, not_made = true }

--- Returns the ledger's entry of one ref.
---@param store smmpanel.Ledger
---@param owner smmpanel.LedgerOwner
---@param ref string
---@param decimals "number"|"string"
---@return smmpanel.Known?
---@return smmpanel.Error?
function settle.lookup(store, owner, ref, decimals)
  local row, failure = store:find { ref = ref, owner = owner }
  if row == nil then return nil, failures.new("lookup", ref, failure.code, failure.message) end
  if not row or FREED[row.state] then return { ref = ref, state = "new" } end
  local known = settle.view(row, process.here())
  if row.answer then
    known.state, known.left = "made", nil
    known.made = json.decode_record(row.answer, schemas.add, decimals)
  end
  return known
end

local function answer_of(where, order_id)
  if order_id == false then return nil end
  if order_id == nil or order_id == true then
    argerror.throw(where, "needs the order's id, or false if no order was made; got %s", tostring(order_id))
  end
  return { order = ids.value(ids.text(where, order_id)) }
end

local function settled(ref, answer, kept)
  local other = json.decode_record(kept, schemas.add) or {}
  if answer and other.order == answer.order then return true end
  return nil, failures.settled(ref, other)
end

--- Returns why this account cannot settle or investigate a ref; nil if it can, or if the ref is settled already.
---@param row table|false
---@param ref string
---@return smmpanel.Error?
function settle.refusal(row, ref)
  if not row then return failures.unknown(ref) end
  if not row.ours then return failures.other_account("resolve", ref) end
  if not row.answer and row.state ~= "open" and row.state ~= "doubt" then return failures.unknown(ref) end
end

-- Returns why the ref cannot be settled in this way, or now.
local function refusal_of(row, answer, given)
  local err = settle.refusal(row, given.ref)
  if err or row.answer then return err end
  if given.attempt and given.attempt ~= row.attempt then
    return failures.other_attempt(given.ref, given.attempt, row.attempt)
  end
  if answer or given.force then return nil end
  local left, pid = lease.too_early(row, process.here())
  if left then return failures.too_early(given.ref, left, pid) end
end

-- Refuses an id that belongs to another ref, because a mistyped id would hide that ref's order. Only numeric ids are
-- checked.
local function refusal_of_id(store, owner, answer, given)
  local number = answer and not given.force and place_once.number(answer) or 0
  if number == 0 then return nil end
  local rows, failure = store:made(owner, number - 1, number, ALL)
  if not rows then return failures.new("resolve", given.ref, failure.code, failure.message) end
  for _, row in ipairs(rows) do
    if row.made == number and row.ref ~= given.ref then return failures.other_ref(given.ref, answer, row.ref) end
  end
end

local function failed(ref, failure)
  return nil, failures.new("resolve", ref, failure.code, failure.message)
end

--- Settles a pending ref.
---@param where string the public function's name
---@param store smmpanel.Ledger
---@param owner smmpanel.LedgerOwner
---@param order_id smmpanel.Id|false
---@param given { ref: string, attempt: integer?, force: boolean? }
---@return true?
---@return smmpanel.Error?
function settle.resolve(where, store, owner, order_id, given)
  local answer, entry = answer_of(where, order_id), { ref = given.ref, owner = owner }
  local row, failure = store:find(entry)
  if row == nil then return failed(given.ref, failure) end
  local err = refusal_of(row, answer, given)
  if err then return nil, err end
  if row.answer then return settled(given.ref, answer, row.answer) end
  err = refusal_of_id(store, owner, answer, given)
  if err then return nil, err end
  entry.attempt = row.attempt
  local written = answer and json.encode(answer)
  local state, more = store:resolve(entry, written, answer and place_once.number(answer))
  if state == "resolved" then return true end
  if not state then return failed(given.ref, more) end
  if state == "settled" then return settled(given.ref, answer, more) end
  if state == "other_attempt" then return nil, failures.other_attempt(given.ref, entry.attempt, more) end
  return nil, failures.unknown(given.ref)
end

--- Declares that this key is the same account as the ledger's other keys of this panel.
---@param store smmpanel.Ledger
---@param owner smmpanel.LedgerOwner
---@return integer? count the number of accounts that were joined with it
---@return smmpanel.Error?
function settle.adopt(store, owner)
  local count, failure = store:adopt(owner)
  if not count then return nil, failures.new("adopt_account", nil, failure.code, failure.message) end
  return count
end

return settle
