--- How a command ends early: with an exit code and a sentence.
-- @module smmpanel.cli.fail

local fail = {}

local smmpanel = require "smmpanel"

fail.SOME, fail.USAGE, fail.PANEL, fail.NETWORK, fail.INTERRUPTED = 1, 2, 3, 4, 130

local Failure = { __tostring = function(failure) return failure.message end }

--- Ends the command. Does not return.
---@param code integer
---@param message string
---@param ... any for the message's format
function fail.with(code, message, ...)
  if select("#", ...) > 0 then message = message:format(...) end
  error(setmetatable({ code = code, message = message }, Failure), 0)
end

--- Ends the command as wrong usage. Does not return.
---@param message string
---@param ... any
function fail.usage(message, ...)
  fail.with(fail.USAGE, message, ...)
end

local CODES = { network = fail.NETWORK, timeout = fail.NETWORK, panel = fail.PANEL, http = fail.PANEL,
  response = fail.PANEL }

--- The exit code of an error of the client.
---@param err smmpanel.Error
---@return integer
function fail.code(err)
  return CODES[err.kind] or fail.SOME
end

--- Ends the command with an error of the client. Does not return.
---@param err smmpanel.Error
function fail.client(err)
  fail.with(fail.code(err), (tostring(err):gsub("^smmpanel: ", "")))
end

--- Ends the command with what the client threw: what it says of a wrong argument, or what else it was.
---@param thrown any
---@param before? string said before it
function fail.thrown(thrown, before)
  local wrong = smmpanel.argument_error(thrown)
  if not wrong then error(thrown, 0) end
  fail.usage("%s%s", before or "", wrong.message)
end

--- Whether a value that was thrown is one of these ends.
---@param thrown any
---@return boolean
function fail.is(thrown)
  return getmetatable(thrown) == Failure
end

return fail
