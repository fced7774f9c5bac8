--- After Ctrl-C: waits for the responses to the requests that were sent, because they show what was done.
-- @module smmpanel.cli.interrupt

local interrupt = {}

local core = require "smmpanel.core"
local smmpanel = require "smmpanel"

local LONGEST = 15 -- seconds; what has no answer by then is in doubt
local STEP = 0.05

local Work = {}
Work.__index = Work

local function nothing() end

--- Runs a function in a coroutine, which goes on in `wait` when Ctrl-C has ended this.
---@param f fun()
function Work:run(f)
  local function work()
    self.thread = coroutine.running()
    f()
    self.over = true
  end
  smmpanel.all { work, nothing } -- a function alone would not get a coroutine
end

-- Whether answers can still come: LuaJIT throws wherever it is when Ctrl-C comes, also in the coroutine.
local function is_open(self)
  return self.thread ~= nil and not self.over and coroutine.status(self.thread) ~= "dead"
end

--- Waits until it has ended by itself, or takes too long. Another Ctrl-C ends the program at once.
---@param context smmpanel.cli.Context
function Work:wait(context)
  if not is_open(self) then return end
  context:say "stopping: waiting for the answers to sent requests; Ctrl-C again stops at once"
  local last = core.now() + LONGEST
  -- Who waits here lets the coroutines go on that were interrupted.
  while is_open(self) and core.now() < last do smmpanel.sleep(STEP) end
end

--- Something that Ctrl-C is to stop in good order.
---@return table work
function interrupt.new()
  return setmetatable({ over = false }, Work)
end

return interrupt
