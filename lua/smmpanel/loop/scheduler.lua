--- Coroutines that are resumed by us, in turns: for hosts that have callbacks or frames and no coroutines of
-- their own.
-- @module smmpanel.loop.scheduler

local resumer = require "smmpanel.loop.resumer"

local scheduler = {}

local Scheduler = {}
Scheduler.__index = Scheduler

local Signal = {}
Signal.__index = Signal

--- A new set of coroutines.
---@param ask_for_turn fun() called when the first becomes ready; `run` is to be called soon, not within
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

--- Resumes those that are ready. Those that become so meanwhile have the next turn, and so have those left
-- when `is_enough` says so.
---@param report fun(traceback: string) given what a coroutine threw that nobody waits for
---@param is_enough? fun(): boolean
function Scheduler:run(report, is_enough)
  local round = self.ready
  self.ready = {}
  for i, co in ipairs(round) do
    if i > 1 and is_enough and is_enough() then
      make_ready(self, co)
    elseif coroutine.status(co) == "suspended" then -- it may have been closed
      local traceback = resume(self, co)
      if traceback then report(traceback) end
    end
  end
end

--- Runs f in a coroutine of its own.
---@param f fun()
---@param done fun(ok: boolean, err: any)
function Scheduler:spawn(f, done)
  local co = coroutine.create(f)
  self.done_of[co] = done
  make_ready(self, co)
end

--- A signal, as smmpanel.loop describes it.
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
