--- Ends a command early, with an exit code and a message.
-- @module smmpanel.cli.fail

local fail = {}

local explain = require "smmpanel.cli.explain"
local smmpanel = require "smmpanel"

fail.SOME, fail.USAGE, fail.REFUSED, fail.NETWORK, fail.UNCERTAIN, fail.INTERRUPTED = 1, 2, 3, 4, 5, 130

local Failure = { __tostring = function(failure) return failure.message end }

--- Ends the command. Does not return.
---@param code integer
---@param message string
---@param ... any arguments of the format
function fail.with(code, message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  error(setmetatable({ code = code, message = message }, Failure), 0)
end

--- Ends the command because of wrong usage. Does not return.
---@param message string
---@param ... any
function fail.usage(message, ...)
  fail.with(fail.USAGE, message, ...)
end

local KINDS = { network = fail.NETWORK, timeout = fail.NETWORK, panel = fail.REFUSED, http = fail.REFUSED,
  response = fail.REFUSED, refused = fail.REFUSED }

local LEDGER = { mismatch = fail.REFUSED, other_account = fail.REFUSED, store_changed = fail.REFUSED,
  in_progress = fail.REFUSED, too_early = fail.REFUSED, other_attempt = fail.REFUSED, other_ref = fail.REFUSED }

--- Returns the exit code for an error of the client. An uncertain outcome is never reported as refused or unreachable.
---@param err smmpanel.Error
---@return integer
function fail.code(err)
  if err.uncertain then return fail.UNCERTAIN end
  if err.code == "cancelled" then return fail.INTERRUPTED end -- only Ctrl-C cancels a request here
  return KINDS[err.kind] or err.kind == "ledger" and LEDGER[err.code] or fail.SOME
end

--- Ends the command if a request was cancelled, which only Ctrl-C does here. For commands that continue after an error.
---@param err? smmpanel.Error
function fail.if_interrupted(err)
  if err and err.code == "cancelled" and not err.uncertain then error("interrupted!", 0) end
end

--- Ends the command with an error of the client. Does not return.
---@param err smmpanel.Error
function fail.client(err)
  fail.if_interrupted(err)
  fail.with(fail.code(err), "%s", explain.text(err))
end

--- Ends the command with an error that the client threw, such as a wrong argument.
---@param thrown any
---@param before? string printed before the message
function fail.thrown(thrown, before)
  local wrong = smmpanel.argument_error(thrown)
  if not wrong then error(thrown, 0) end
  fail.usage("%s%s", before or "", wrong.message)
end

--- Returns whether a thrown value comes from this module.
---@param thrown any
---@return boolean
function fail.is(thrown)
  return getmetatable(thrown) == Failure
end

return fail
