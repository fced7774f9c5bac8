--- Determines whether the running coroutine can be suspended at the current point. All loops use this rule. A call
-- checks it before anything is sent, because a yield that fails later would lose the response.
-- @module smmpanel.loop.suspendable

local suspendable = {}

local core = require "smmpanel.core"

-- nginx replaces the coroutine table by one without isyieldable; the core calls LuaJIT's C function.
local is_yieldable = coroutine.isyieldable or core.is_yieldable

-- ---- Lua 5.1 and 5.2 have no such function: inspect the stack, as far as it is visible --------------------

local is_51 = _VERSION == "Lua 5.1"

-- In 5.2 a yield can cross these C functions, metamethods and iterators.
local TRANSPARENT = is_51 and {} or { [pcall] = true, [xpcall] = true, [dofile] = true }

-- For an iterator or a metamethod Lua 5.1 shows no C function on the stack, only that the call has no name. A call like
-- `(f())()` has no name either, so there a call blocks although it need not.
local function is_called_by_c(frame, caller)
  if frame.what == "C" then return not TRANSPARENT[frame.func] end
  if not is_51 or frame.what == "tail" then return false end
  if not caller or caller.what == "C" or caller.what == "tail" then return false end
  return frame.namewhat == "" or frame.name == "(for generator)"
end

local function shows_a_c_call()
  local level = 3 -- the caller of `can_yield`
  local frame = debug.getinfo(level, "Sfn")
  while frame do
    local caller = debug.getinfo(level + 1, "Sfn")
    if is_called_by_c(frame, caller) then return true end
    level, frame = level + 1, caller
  end
  return false
end

--- Returns whether this runs in a debug hook, or in a finalizer called by the collector: Lua runs no hooks there.
---@return boolean
function suspendable.is_in_hook_or_finalizer()
  local hook, mask, count = debug.gethook()
  if hook ~= nil and type(hook) ~= "function" then return false end -- a hook in C could not be restored
  local hooked = false
  debug.sethook(function() hooked = true end, "", 1)
  debug.sethook(hook, mask, count)
  return not hooked
end

local function stack_allows()
  return not shows_a_c_call() and not suspendable.is_in_hook_or_finalizer()
end

-- ---------------------------------------------------------------------------------------------------------

local can_yield = is_yieldable or stack_allows

--- Returns whether the caller runs in a coroutine that can be suspended now.
---@return boolean
function suspendable.here()
  local co, is_main = coroutine.running()
  return co ~= nil and not is_main and (can_yield()) -- parentheses: a tail call would change the levels
end

return suspendable
