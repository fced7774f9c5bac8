--- The errors of the ledger and their messages. Pure.
-- @module smmpanel.ledger.failures

local argerror = require "smmpanel.util.argerror"
local errors = require "smmpanel.errors"

local failures = {}

--- Makes an error of kind `ledger` about a ref.
---@param action string
---@param ref? string
---@param code string
---@param message string
---@param more? table further fields
---@return smmpanel.Error
function failures.new(action, ref, code, message, more)
  local err = { kind = "ledger", code = code, action = action, attempts = 0, ref = ref, message = message }
  for name, value in pairs(more or {}) do err[name] = value end
  return errors.new(err)
end

local function add(...) return failures.new("add", ...) end

local LOOK = "check the panel, then call panel:resolve(ref, order_id), or panel:resolve(ref, false) if it has none"

function failures.in_progress(ref, left)
  local said = "another process is placing '%s' and had no answer before the deadline; it may take %.0f more "
    .. "seconds: call add again with this ref"
  return add(ref, "in_progress", said:format(ref, math.ceil(left)))
end

function failures.uncertain(ref, attempt)
  local said = "attempt %.0f at '%s' has no answer, and the outcome is unknown: " .. LOOK
  return add(ref, "uncertain", said:format(attempt or 1, ref), { uncertain = true, attempt = attempt })
end

function failures.mismatch(ref)
  local said = "'%s' was used for another order, or on another panel: use a different ref for this one"
  return add(ref, "mismatch", said:format(ref))
end

local OTHER_ACCOUNT = "the ledger has '%s' under another API key or account name of this panel. If the key was "
  .. "changed, call panel:adopt_account() (or run smmpanel ledger adopt): it joins both keys to one account. If it "
  .. "is another account, give each panel its own account = \"name\", or its own ledger"

function failures.other_account(action, ref)
  return failures.new(action, ref, "other_account", OTHER_ACCOUNT:format(ref))
end

--- Makes the error for a store that could not reserve the ref; nothing was sent.
function failures.not_taken(ref, failure, is_free)
  local said = failure.message .. " (nothing was sent)"
  if not is_free then
    said = said .. ("; if '%s' is pending later, panel:resolve(ref, false) frees it"):format(ref)
  end
  return add(ref, failure.code, said)
end

function failures.unreadable(ref, why, answer)
  return add(ref, "corrupt", ("the stored answer for '%s' cannot be read (%s): %s"):format(ref, why, answer))
end

--- Returns an order's name for messages.
---@param made table
---@return string
function failures.order_text(made)
  return made.order and ("order " .. argerror.plain(made.order)) or "an order without an id"
end

--- Makes the error for an order that was placed but could not be stored. The error contains the order.
function failures.not_kept(ref, made, code, message)
  local said = "the panel made %s for '%s', but the ledger could not store it: %s; call panel:resolve(ref, %s)"
  said = said:format(failures.order_text(made), ref, message, argerror.plain(made.order or "order_id"))
  return add(ref, code, said, { uncertain = true, order = made.order, answer = made })
end

function failures.too_early(ref, seconds, pid)
  local said = "the panel may still be working on '%s' for %.0f seconds: try again later (force = true overrides)"
  local stopped = "process %s is stopped in the middle of '%s' and could continue: continue or end the process first "
    .. "(force = true overrides)"
  said = pid and stopped:format(pid, ref) or said:format(ref, math.ceil(seconds))
  return failures.new("resolve", ref, "too_early", said, { seconds = seconds })
end

function failures.other_attempt(ref, asked, now)
  local said = "attempt %.0f at '%s' is not the open attempt, which is %.0f: check the panel again"
  return failures.new("resolve", ref, "other_attempt", said:format(asked, ref, now), { attempt = now })
end

function failures.other_ref(ref, made, holder)
  local said = "%s already belongs to '%s': look up the order of '%s' at the panel (force = true overrides)"
  return failures.new("resolve", ref, "other_ref", said:format(failures.order_text(made), holder, ref))
end

function failures.unknown(ref)
  return failures.new("resolve", ref, "unknown", ("the ledger has no open attempt at '%s'"):format(ref))
end

function failures.settled(ref, other)
  local said = ("'%s' is already resolved: %s"):format(ref, failures.order_text(other))
  return failures.new("resolve", ref, "settled", said, { answer = other })
end

return failures
