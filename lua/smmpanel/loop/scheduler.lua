--- A scheduler for coroutines, for event loops that have callbacks or frames but no coroutines.
-- @module smmpanel.loop.scheduler

local resumer = require "smmpanel.loop.resumer"

local scheduler = {}

local Scheduler = {}
Scheduler.__index = Scheduler

local Signal = {}
Signal.__index = Signal

--- Makes a scheduler.
---@param ask_for_turn fun() called when the first coroutine becomes ready; must arrange for a later call of `run`
---@return table
function scheduler.new(ask_for_turn)
  return setmetatable({ ready = {}, done_of = {}, ask_for_turn = ask_for_turn }, Scheduler)
end

local function make_ready(self, co)
  self.ready[#self.ready + 1] = co
  if #self.ready == 1 then self.ask_for_turn() end
end

local function resume(self, co)
  local ok, err = coroutine.resume(co)
  if coroutine.status(co) ~= "dead" then return end
  local done = self.done_of[co]
  self.done_of[co] = nil
  if done then
    done(ok, err)
  elseif not ok then
    return debug.traceback(co, tostring(err))
  end
end

--- Resumes the ready coroutines. Those that become ready meanwhile run in the next turn, and so do the remaining ones
-- once `is_enough` returns true.
---@param report fun(traceback: string) called with the error of a coroutine that nothing waits for
---@param is_enough? fun(): boolean
function Scheduler:run(report, is_enough)
  local round = self.ready
  self.ready = {}
  for i, co in ipairs(round) do
    if i > 1 and is_enough and is_enough() then
      make_ready(self, co)
    elseif coroutine.status(co) == "suspended" then -- the program may have closed it
      local traceback = resume(self, co)
      if traceback then report(traceback) end
    end
  end
end

--- Runs f in a new coroutine.
---@param f fun()
---@param done fun(ok: boolean, err: any)
function Scheduler:spawn(f, done)
  local co = coroutine.create(f)
  self.done_of[co] = done
  make_ready(self, co)
end

--- Makes a signal, see smmpanel.loop.
---@return table
function Scheduler:signal()
  return setmetatable({ is_open = false, scheduler = self }, Signal)
end

function Signal:open()
  if self.is_open then return end
  self.is_open = true
  if self.waiting then make_ready(self.scheduler, self.waiting) end
end

function Signal:wait()
  if self.is_open then return end
  self.waiting = coroutine.running()
  coroutine.yield(resumer.waits)
  self.waiting = nil
  if not self.is_open then resumer.too_early() end
end

return scheduler
