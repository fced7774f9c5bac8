--- An order with a ref is placed at most once: the ref is taken before anything is sent, the answer is kept
-- before the caller has it. Knows no network and no store: both come in from outside.
-- @module smmpanel.ledger.place_once

local place_once = {}

local checks = require "smmpanel.util.checks"
local core = require "smmpanel.core"
local errors = require "smmpanel.errors"
local ids = require "smmpanel.api.ids"
local record = require "smmpanel.ledger.record"
local argerror = require "smmpanel.util.argerror"

-- Polynomials over three primes. The products stay below 2^53, so every Lua has the same.
local PRIMES = { 1073741789, 1073741783, 1073741741 }
local BASES = { 1000003, 2097143, 3145721 }

local function hash(s)
  local a, b, c = 1, 1, 1
  local p, q, r = PRIMES[1], PRIMES[2], PRIMES[3]
  local x, y, z = BASES[1], BASES[2], BASES[3]
  for i = 1, #s do
    local byte = s:byte(i)
    a, b, c = (a * x + byte) % p, (b * y + byte) % q, (c * z + byte) % r
  end
  return ("%08x%08x%08x"):format(a, b, c)
end

--- What tells one order from another: the panel and the fields as they are sent, in any order. Pure; without
-- the key.
---@param site string the panel's host
---@param flat table names and values in turn, of the form
---@return string
function place_once.fingerprint(site, flat)
  local names, values, sorted = {}, {}, {}
  for i = 1, #flat, 2 do
    names[#names + 1] = flat[i]
    values[flat[i]] = flat[i + 1]
  end
  table.sort(names)
  for i, name in ipairs(names) do sorted[2 * i - 1], sorted[2 * i] = name, values[name] end
  return "1-" .. hash(site .. "\n" .. core.form(sorted, "\n"))
end

local function token()
  local function half() return ("%08x"):format(math.floor(core.random() * 2 ^ 32)) end
  return half() .. half() .. half()
end

-- The order as pending() shows it. A text that is no UTF-8 could not be read back: it is left out.
local function wanted_of(flat)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  local json = record.encode(fields)
  return record.decode(json) and json or "{}"
end

local function failed(ref, code, message, more)
  local err = { kind = "ledger", code = code, action = "add", attempts = 0, ref = ref, message = message }
  for name, value in pairs(more or {}) do err[name] = value end
  return errors.new(err)
end

local SETTLE = "look at the panel, then panel:resolve(ref, order_id), or (ref, false) if it has none"

local function sending(ref, left)
  local said = "another may be placing '%s' now, for %.0f more seconds; if it has no answer then, %s"
  return failed(ref, "uncertain", said:format(ref, math.ceil(left), SETTLE), { uncertain = true })
end

local function uncertain(ref)
  local said = "'%s' was begun, and whether the order was made is not known: %s"
  return failed(ref, "uncertain", said:format(ref, SETTLE), { uncertain = true })
end

local function mismatch(ref)
  local said = "'%s' was taken for another order, or on another panel: give this one a ref of its own"
  return failed(ref, "mismatch", said:format(ref))
end

-- The store could not take the ref. It may have done so all the same, if its answer was lost.
local function not_taken(ref, failure)
  local said = "%s (nothing was sent; should '%s' be pending now, panel:resolve(ref, false) frees it)"
  return failed(ref, failure.code, said:format(failure.message, ref))
end

local function recorded(ref, answer, decimals)
  local made, why = record.decode(answer, "add", decimals)
  if made then return made end
  local said = "the answer kept for '%s' cannot be read (%s): %s"
  return nil, failed(ref, "corrupt", said:format(ref, why, answer))
end

local function order_text(made)
  return made.order and ("order " .. tostring(made.order)) or "an order without an id"
end

-- The order was made, and the store could not keep that. Nothing is lost if the caller looks at the error.
local function not_kept(entry, made, code, message)
  local said = "the panel made %s for '%s', but the ledger could not keep that: %s; panel:resolve(ref, %s)"
  said = said:format(order_text(made), entry.ref, message, tostring(made.order or "order_id"))
  return nil, failed(entry.ref, code, said, { uncertain = true, order = made.order, answer = made })
end

local function keep(store, entry, made)
  local state, more = store:keep(entry, record.encode(made))
  if state == "kept" then return made end
  if not state then return not_kept(entry, made, more.code, more.message) end
  local other = state == "settled" and record.decode(more)
  if other and other.order == made.order then return made end
  local said = other and "it was settled meanwhile as " .. order_text(other) or "another has taken the ref"
  return not_kept(entry, made, "conflict", said .. ", so there may be two orders: look at the panel")
end

-- Not made, or perhaps made. Where the store fails now, the entry stays: it is pending, which is safe.
local function give_up(store, entry, err)
  local ok, failure
  if err.uncertain then
    ok, failure = store:doubt(entry)
  else
    ok, failure = store:free(entry)
  end
  err.ref = entry.ref
  if not ok then err.pending = failure.message end
  return nil, err
end

local function not_ours(ref, state, more, decimals)
  if state == "done" then return recorded(ref, more, decimals) end
  if state == "sending" then return nil, sending(ref, more) end
  if state == "mismatch" then return nil, mismatch(ref) end
  return nil, uncertain(ref)
end

--- Places an order, unless its ref was used. `call.admit` waits until the order may be sent, sets `call.seconds`
-- anew, and returns the error where it may not.
---@param store smmpanel.Ledger
---@param call { ref: string, site: string, fields: table, seconds: number, decimals: string, admit: fun(call)? }
---@param send fun(): table?, smmpanel.Error?
---@return table? made
---@return smmpanel.Error?
function place_once.add(store, call, send)
  local refused = call.admit and call.admit(call)
  if refused then
    refused.ref = call.ref
    return nil, refused
  end
  local entry = {
    ref = call.ref, token = token(), fingerprint = place_once.fingerprint(call.site, call.fields),
    wanted = wanted_of(call.fields), seconds = call.seconds,
  }
  local state, more = store:take(entry)
  if not state then return nil, not_taken(call.ref, more) end
  if state ~= "taken" then return not_ours(call.ref, state, more, call.decimals) end
  local made, err = send()
  if not made then return give_up(store, entry, err) end
  return keep(store, entry, made)
end

--- What is open: taken, and without an answer.
---@param store smmpanel.Ledger
---@return { ref: string, state: "sending"|"uncertain", since: number?, left: number, order: table? }[]?
---@return smmpanel.Error?
function place_once.pending(store)
  local list, failure = store:pending()
  if not list then
    return nil, errors.new { kind = "ledger", code = failure.code, action = "pending", attempts = 0,
      message = failure.message }
  end
  for _, entry in ipairs(list) do
    entry.order = entry.wanted and record.decode(entry.wanted) or nil
    entry.wanted = nil
  end
  return list
end

local function answer_of(where, order_id)
  if order_id == false then return nil end
  if order_id == nil or order_id == true then
    argerror.throw(where, "needs the order's id, or false where none was made; got %s", tostring(order_id))
  end
  return { order = ids.value(ids.text(where, order_id)) }
end

local function unresolved(ref, code, message, more)
  local err = failed(ref, code, message, more)
  err.action = "resolve"
  return nil, err
end

local function settled(ref, answer, json)
  local other = record.decode(json) or {}
  if answer and other.order == answer.order then return true end
  local said = ("'%s' is settled already: %s"):format(ref, order_text(other))
  return unresolved(ref, "settled", said, { answer = other })
end

--- Settles a pending ref.
---@param where string the public function's name
---@param store smmpanel.Ledger
---@param ref string
---@param order_id smmpanel.Id|false
---@return true?
---@return smmpanel.Error?
function place_once.resolve(where, store, ref, order_id)
  local wrong = checks.ref(ref)
  if wrong then argerror.throw(where, "the ref must be %s, got %s", wrong, argerror.describe(ref)) end
  local answer = answer_of(where, order_id)
  local state, more = store:resolve(ref, answer and record.encode(answer))
  if state == "resolved" then return true end
  if not state then return unresolved(ref, more.code, more.message) end
  if state == "settled" then return settled(ref, answer, more) end
  if state == "unknown" then
    return unresolved(ref, "unknown", ("the ledger knows no ref '%s'"):format(ref))
  end
  local said = "who took '%s' may still be sending for %.0f seconds: try again then"
  return unresolved(ref, "uncertain", said:format(ref, math.ceil(more)), { uncertain = true })
end

return place_once
