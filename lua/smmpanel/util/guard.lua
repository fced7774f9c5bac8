--- pcall that lets Ctrl-C through. `lua` and `luajit` throw "interrupted!" from a hook, wherever the program is:
-- a pcall that takes it for a failure of its own goes on, and sends the order that the user meant to stop.
-- @module smmpanel.util.guard

local guard = {}

--- Whether a value that was thrown is the interpreter's answer to Ctrl-C.
---@param thrown any
---@return boolean
function guard.is_interrupt(thrown)
  return type(thrown) == "string" and thrown:find "interrupted!?$" ~= nil
end

local function result(ok, ...)
  if not ok and guard.is_interrupt((...)) then error((...), 0) end
  return ok, ...
end

--- pcall, except that Ctrl-C is thrown on.
---@param f function
---@param ... any
---@return boolean ok
---@return any ...
function guard.call(f, ...)
  return result(pcall(f, ...))
end

return guard
