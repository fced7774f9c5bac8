--- After Ctrl-C: waits for the responses to the requests that were sent, because they show what was done.
-- @module smmpanel.cli.interrupt

local interrupt = {}

local core = require "smmpanel.core"
local smmpanel = require "smmpanel"

local LONGEST = 15 -- seconds; requests without an answer by then are uncertain
local STEP = 0.05

local Work = {}
Work.__index = Work

local function nothing() end

--- Runs a function in a coroutine. After Ctrl-C has interrupted it, `wait` lets the coroutine finish.
---@param f fun()
function Work:run(f)
  local function work()
    self.thread = coroutine.running()
    f()
    self.over = true
  end
  smmpanel.all { work, nothing } -- `all` runs a single function without a coroutine
end

-- Whether answers can still arrive: LuaJIT throws at Ctrl-C wherever it is, even inside the coroutine.
local function is_open(self)
  return self.thread ~= nil and not self.over and coroutine.status(self.thread) ~= "dead"
end

--- Returns whether the function was started. If it was not, nothing was sent.
---@return boolean
function Work:has_begun()
  return self.thread ~= nil
end

--- Waits until the function has returned or the time is up. Another Ctrl-C ends the program at once.
---@param context smmpanel.cli.Context
function Work:wait(context)
  if not is_open(self) then return end
  context:say "stopping: waiting for the answers to sent requests; Ctrl-C again stops at once"
  local last = core.now() + LONGEST
  -- The wait drives the event loop, so the interrupted coroutines continue.
  while is_open(self) and core.now() < last do smmpanel.sleep(STEP) end
end

--- Returns an object for work that Ctrl-C must stop in an orderly way.
---@return table work
function interrupt.new()
  return setmetatable({ over = false }, Work)
end

return interrupt
