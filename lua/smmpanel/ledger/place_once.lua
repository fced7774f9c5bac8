--- An order with a ref is placed at most once. The steps, in this order: wait for a slot in the rate limit,
-- take the ref, send, store the answer, then return it to the caller. The network, the store, the clock and the sleep
-- are arguments.
-- @module smmpanel.ledger.place_once

local place_once = {}

local core = require "smmpanel.core"
local errors = require "smmpanel.errors"
local failures = require "smmpanel.ledger.failures"
local lease = require "smmpanel.ledger.lease"
local process = require "smmpanel.ledger.process"
local json = require "smmpanel.util.json"
local schemas = require "smmpanel.api.schemas"

-- Polynomials over three primes. The products stay below 2^53, so every Lua computes the same.
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

--- Returns an order's fingerprint: a hash of the panel and the form's fields, independent of their order. Pure; does
-- not include the key.
---@param site string the panel's host, without the default port
---@param flat table names and values of the form alternately
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

-- Makes a token. It ends with a colon and the idempotency field if the ref is sent in one.
local function token(repeatable)
  local function half() return ("%08x"):format(math.floor(core.random() * 2 ^ 32)) end
  return half() .. half() .. half() .. (repeatable and ":" .. repeatable or "")
end

-- The order's fields as pending() returns them.
local function wanted_of(flat)
  local fields = {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return json.encode(fields)
end

-- ---- waiting ---------------------------------------------------------------------------------

local FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1 -- seconds between two reads of the store

-- Returns a function that sleeps longer each time, up to `till`. It returns whether there was time left.
local function back_off(call, till)
  local pause = FIRST_PAUSE
  return function()
    local left = till - call.now()
    if left <= 0 then return false end
    call.sleep(math.min(pause * (0.5 + core.random()), left))
    pause = math.min(pause * 2, LONGEST_PAUSE)
    return true
  end
end

-- Retrying does not help for these.
local LASTING = { store_changed = true, corrupt = true, closed = true }

-- Retries a step that must not be lost, until the deadline plus the margin.
local function insist(call, step)
  local wait = back_off(call, call.deadline() + lease.MARGIN)
  while true do
    local result, more = step()
    if result or LASTING[more.code] or not wait() then return result, more end
  end
end

-- ---- taking ----------------------------------------------------------------------------------

-- Entries whose take failed, by their store. The take may have succeeded if only its reply was lost.
local orphans = setmetatable({}, { __mode = "k" })

-- -> whether all were freed, and why not. Each entry is removed before the store call, because other coroutines may run
-- meanwhile.
local function free_orphans(store)
  local list = orphans[store] or {}
  while list[1] do
    local orphan = table.remove(list)
    local ok, failure = store:free(orphan)
    if not ok then
      list[#list + 1] = orphan
      return false, failure
    end
  end
  return true
end

local function not_taken(store, entry, failure)
  if failure.code == "store_changed" then return failures.not_taken(entry.ref, failure, true) end
  local list = orphans[store] or {}
  orphans[store] = list
  -- A copy: this entry may be taken again by the same call.
  list[#list + 1] = { ref = entry.ref, owner = entry.owner, token = entry.token }
  return failures.not_taken(entry.ref, failure, (free_orphans(store)))
end

local function recorded(ref, answer, decimals)
  local made, why = json.decode_record(answer, schemas.add, decimals)
  if made then return made end
  return nil, failures.unreadable(ref, why, answer)
end

-- Earlier versions included the default port in the fingerprint, if the URL had it.
local USUAL_PORTS = { ":443", ":80" }

local function is_same_order(call, entry, row)
  if not row.fingerprint or row.fingerprint == entry.fingerprint then return true end
  for _, port in ipairs(USUAL_PORTS) do
    if place_once.fingerprint(call.site .. port, call.fields) == row.fingerprint then return true end
  end
  return false
end

local NOTHING_MADE = { free = true, not_made = true }

-- What an existing attempt means for this call.
-- -> "free": take the ref; "wait", seconds: the order is being placed; "end", made, err
local function judge(call, entry, row)
  if not row then return "free" end
  if not row.ours then return "end", nil, failures.other_account("add", entry.ref) end
  if NOTHING_MADE[row.state] then return "free" end
  if not is_same_order(call, entry, row) then return "end", nil, failures.mismatch(entry.ref) end
  if row.answer then return "end", recorded(entry.ref, row.answer, call.decimals) end
  local state, left = lease.state(row, process.here())
  if state == "sending" then return "wait", left end
  if call.repeatable and row.token and row.token:match ":(.*)$" == call.repeatable then
    entry.over = row.token -- sent with the same idempotency key: the panel makes one order of both
    return "free"
  end
  return "end", nil, failures.uncertain(entry.ref, row.attempt)
end

-- Waits while another process is placing it. That process may store its answer and end after the row was read, so an
-- open row is read again before it counts as uncertain.
-- -> "free", or "end", made, err
local function wait_for_end(store, call, entry, row)
  local wait, is_last = back_off(call, call.deadline()), false
  while true do
    local verdict, made, err = judge(call, entry, row)
    local is_open = err ~= nil and err.code == "uncertain" and row.state == "open"
    if verdict ~= "wait" and (is_last or not is_open) then return verdict, made, err end
    is_last = is_open
    if verdict == "wait" and not wait() then return "end", nil, failures.in_progress(entry.ref, made) end
    local found, failure = store:find(entry)
    if found == nil then return "end", nil, failures.not_taken(entry.ref, failure, true) end
    row = found
  end
end

-- A store that has just failed in this way fails the next step too, after the same wait.
local AWAY = { unavailable = true, busy = true }

-- -> nil if this call has taken the ref; or true, made, err
local function take(store, call, entry)
  local ok, why = free_orphans(store)
  if not ok and AWAY[why.code] then return true, nil, failures.not_taken(entry.ref, why, true) end
  entry.token = token(call.repeatable)
  local seconds = call.deadline() - call.now()
  entry.placer = process.placer(seconds + lease.MARGIN)
  local state, more = store:take(entry)
  if not state then return true, nil, not_taken(store, entry, more) end
  if state == "taken" then
    entry.attempt, entry.is_held = more, true
    return nil
  end
  local verdict, made, err = wait_for_end(store, call, entry, more)
  if verdict == "end" then return true, made, err end
  if call.now() >= call.deadline() then return true, nil, failures.in_progress(entry.ref, 0) end
  return take(store, call, entry)
end

-- ---- storing the answer ----------------------------------------------------------------------

--- Returns an order's id as a number, if a double holds it exactly; 0 for any other id.
---@param made table
---@return number? number nil if there is no id
function place_once.number(made)
  if made.order == nil then return nil end
  local number = tonumber(made.order)
  return number and number % 1 == 0 and number > 0 and number < 2 ^ 53 and number or 0
end

local function keep(store, call, entry, made)
  local written, number = json.encode(made), place_once.number(made)
  local state, more = insist(call, function() return store:keep(entry, written, number) end)
  if state == "kept" then return made end
  if not state then return nil, failures.not_kept(entry.ref, made, more.code, more.message) end
  local other = state == "settled" and json.decode_record(more, schemas.add)
  if other and other.order == made.order then return made end
  local said = other and "it was resolved in the meantime as " .. failures.order_text(other)
    or "another attempt was started"
  return nil, failures.not_kept(entry.ref, made, "conflict",
    said .. ", so there may be two orders: check the panel")
end

-- The order was not placed, or the outcome is unknown. If this attempt repeats one without an answer, that
-- outcome stays unknown, whatever this one returned. If the store fails now, the entry stays pending, which is safe.
local function give_up(store, call, entry, err)
  if entry.over and not err.uncertain then
    err.uncertain = true
    err.message = err.message .. "; an earlier attempt had no answer, so whether it was made is not known"
  end
  local step = err.uncertain and store.doubt or store.free
  local ok, failure = insist(call, function() return step(store, entry) end)
  err.ref, err.attempt = entry.ref, entry.attempt
  entry.is_held = not ok
  if not ok then
    err.pending = failure.message
  elseif err.uncertain and err.answer and err.answer.order then
    store:note(entry, json.encode { verdict = "unknown", reason = err.code, order = err.answer.order, at = os.time() })
  end
  return nil, err
end

-- The wait for the store may have exceeded the deadline.
local function too_late(ref)
  return errors.new { kind = "timeout", code = "timeout", action = "add", attempts = 0, ref = ref,
    message = "the deadline passed before the request was sent" }
end

-- Looks the ref up before waiting for the rate limit, because a stored answer needs no slot.
-- -> "free", or "end", made, err
local function look(store, call, entry)
  local row, failure = store:find(entry)
  if row == nil then return "end", nil, failures.not_taken(entry.ref, failure, true) end
  return wait_for_end(store, call, entry, row)
end

---@class smmpanel.Hold the ref, while the call waits to send again what was not sent
---@field release fun(err: smmpanel.Error): boolean, boolean frees the ref -> whether to continue, whether it is free
---@field take_again fun(): true?, table?, smmpanel.Error? true, made, err if the call has ended

-- A released attempt is over: a step of it that Redis runs late must not touch the next one, which has its own token.
local function hold_of(store, call, entry)
  return {
    release = function(err)
      if entry.over then return true, false end
      give_up(store, call, entry, err)
      return not entry.is_held, true
    end,
    take_again = function() return take(store, call, entry) end,
  }
end

---@class smmpanel.OnceCall
---@field ref string
---@field owner fun(): smmpanel.LedgerOwner?, table? returns the owner of the ref
---@field site string the panel's host, without the default port
---@field fields table of the form
---@field decimals string
---@field admit? fun(): smmpanel.Error? waits until the order may be sent
---@field may_wait? boolean whether admit can take time, or reserve a cost
---@field deadline fun(): number by now()
---@field now fun(): number
---@field sleep fun(seconds: number)
---@field repeatable? string the form field that the panel uses as an idempotency key

--- Places an order, unless its ref was used.
---@param store smmpanel.Ledger
---@param call smmpanel.OnceCall
---@param send fun(hold: smmpanel.Hold): table?, smmpanel.Error?
---@return table? made
---@return smmpanel.Error?
function place_once.add(store, call, send)
  local owner, failure = call.owner()
  if not owner then return nil, failures.not_taken(call.ref, failure, true) end
  local entry = {
    ref = call.ref, owner = owner, wanted = wanted_of(call.fields),
    fingerprint = place_once.fingerprint(call.site, call.fields),
  }
  if call.may_wait then
    local verdict, made, err = look(store, call, entry)
    if verdict == "end" then return made, err end
  end
  local refused = call.admit and call.admit()
  if refused then
    refused.ref = call.ref
    return nil, refused
  end
  local ended, made, err = take(store, call, entry)
  if ended then return made, err end
  if call.now() >= call.deadline() then return give_up(store, call, entry, too_late(call.ref)) end
  made, err = send(hold_of(store, call, entry))
  if not entry.is_held then return made, err end
  if made then return keep(store, call, entry, made) end
  return give_up(store, call, entry, err)
end

return place_once
