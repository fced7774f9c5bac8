-- Sleeping in programs without timers: the program calls `wake` in each turn of its loop.
local core = require "smmpanel.core"

local sleepers = {}

local ends = {} -- coroutine -> when its sleep ends

--- Suspends the running coroutine; `...` are the values that the program's loop expects from `coroutine.yield`.
---@param seconds number
function sleepers.sleep(seconds, ...)
  ends[coroutine.running()] = core.now() + seconds
  coroutine.yield(...)
end

--- Calls `resume` with each coroutine whose sleep is over.
---@param resume fun(co: thread)
function sleepers.wake(resume)
  local due = {}
  for co, at in pairs(ends) do
    if at <= core.now() then due[#due + 1] = co end
  end
  for _, co in ipairs(due) do
    ends[co] = nil
    resume(co)
  end
end

return sleepers
