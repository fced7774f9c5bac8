--- Whether the running coroutine can be suspended where this is called. One rule for all loops: a call asks it
-- before anything is sent, because a yield that fails afterwards would lose the answer.
-- @module smmpanel.loop.suspendable

local suspendable = {}

local core = require "smmpanel.core"

-- nginx replaces the coroutine table by one without isyieldable; the core asks LuaJIT itself.
local is_yieldable = coroutine.isyieldable or core.is_yieldable

-- ---- Lua 5.1 and 5.2 have no such function: the stack tells, as far as it shows ---------------------------

local is_51 = _VERSION == "Lua 5.1"

-- In 5.2 a yield passes through these C functions, and through metamethods and iterators.
local TRANSPARENT = is_51 and {} or { [pcall] = true, [xpcall] = true, [dofile] = true }

-- Lua 5.1 shows no C function between an iterator or a metamethod and what they were called for, only that the
-- call has no name. So has `(f())()`, and there a call blocks although it need not.
local function is_called_by_c(frame, caller)
  if frame.what == "C" then return not TRANSPARENT[frame.func] end
  if not is_51 or frame.what == "tail" then return false end
  if not caller or caller.what == "C" or caller.what == "tail" then return false end
  return frame.namewhat == "" or frame.name == "(for generator)"
end

local function shows_a_c_call()
  local level = 3 -- whoever asks `can_yield`
  local frame = debug.getinfo(level, "Sfn")
  while frame do
    local caller = debug.getinfo(level + 1, "Sfn")
    if is_called_by_c(frame, caller) then return true end
    level, frame = level + 1, caller
  end
  return false
end

--- Whether this is called from a debug hook, or from a finalizer that the collector runs: Lua runs no hooks there.
---@return boolean
function suspendable.is_in_hook_or_finalizer()
  local hook, mask, count = debug.gethook()
  if hook ~= nil and type(hook) ~= "function" then return false end -- one of C: it could not be restored
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

--- Whether whoever calls this runs in a coroutine that can be suspended here.
---@return boolean
function suspendable.here()
  local co, is_main = coroutine.running()
  return co ~= nil and not is_main and (can_yield()) -- the parentheses keep the stack's levels
end

return suspendable
