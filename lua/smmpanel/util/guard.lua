--- A pcall that does not catch Ctrl-C. `lua` and `luajit` throw "interrupted!" from a hook at any point. Code that
-- treats it as an ordinary failure would continue, and send the order that the user meant to stop.
-- @module smmpanel.util.guard

local guard = {}

--- Returns whether a thrown value is the interpreter's error for Ctrl-C.
---@param thrown any
---@return boolean
function guard.is_interrupt(thrown)
  return type(thrown) == "string" and thrown:find "interrupted!?$" ~= nil
end

local function result(ok, ...)
  if not ok and guard.is_interrupt((...)) then error((...), 0) end
  return ok, ...
end

--- Like pcall, but rethrows Ctrl-C.
---@param f function
---@param ... any
---@return boolean ok
---@return any ...
function guard.call(f, ...)
  return result(pcall(f, ...))
end

return guard
