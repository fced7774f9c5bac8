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
  return setmetatable({
    ready = {}, -- signals and turns; the coroutine is in `waiting`, until the scheduler resumes it
    done_of = {}, -- spawned coroutine -> done
    known = setmetatable({}, { __mode = "k" }), -- coroutines that the scheduler resumes
    ask_for_turn = ask_for_turn,
  }, Scheduler)
end

local function make_ready(self, entry)
  self.ready[#self.ready + 1] = entry
  if #self.ready == 1 then self.ask_for_turn() end
end

-- Only the scheduler may resume the coroutine: it has removed `waiting` before.
local function suspend(entry, value)
  entry.waiting = coroutine.running()
  coroutine.yield(value)
  local is_early = entry.waiting ~= nil
  entry.waiting = nil
  if is_early or entry.is_misused then resumer.refuse() end
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
  for i, entry in ipairs(round) do
    local co = entry.waiting
    if i > 1 and is_enough and is_enough() then
      make_ready(self, entry)
    elseif co and coroutine.status(co) == "suspended" then -- the program may have resumed or closed it
      entry.waiting = nil
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
  self.done_of[co], self.known[co] = done, true
  make_ready(self, { waiting = co })
end

--- Throws unless the scheduler can resume the running coroutine. The first call in each coroutine suspends it for one
-- turn: if it is a generator, its consumer gets the value and resumes it instead.
function Scheduler:check_resumer()
  local co = coroutine.running()
  if self.known[co] then return end
  local turn = {}
  make_ready(self, turn)
  suspend(turn, resumer.probe(turn))
  self.known[co] = true
end

--- Makes a signal, see smmpanel.loop.
---@return table
function Scheduler:signal()
  return setmetatable({ is_open = false, scheduler = self }, Signal)
end

function Signal:open()
  if self.is_open then return end
  self.is_open = true
  if self.waiting then make_ready(self.scheduler, self) end
end

function Signal:wait()
  if not self.is_open then suspend(self, resumer.waits) end
end

return scheduler
