--- After Ctrl-C: the answers to what was sent already tell what was done, so they are waited for.
-- @module smmpanel.cli.interrupt

local interrupt = {}

local core = require "smmpanel.core"
local loops = require "smmpanel.loop"
local smmpanel = require "smmpanel"

local LONGEST = 15 -- seconds; what has no answer by then is in doubt
local STEP = 0.05

local function nothing() end

--- Runs functions side by side, each in a coroutine, which goes on in `wait` when Ctrl-C has ended this.
---@param functions (fun())[]
function interrupt.run(functions)
  -- A function alone would not get a coroutine.
  if #functions == 1 then functions = { functions[1], nothing } end
  smmpanel.all(functions)
end

local Sent = {}
Sent.__index = Sent

--- The running coroutine waits for an answer now.
function Sent:begin() self.waiting[coroutine.running()] = true end

--- It has it.
function Sent:finish() self.waiting[coroutine.running()] = nil end

-- -> how many can still get their answer, and how many were ended by Ctrl-C: LuaJIT throws wherever it is.
function Sent:count()
  local open, ended = 0, 0
  for co in pairs(self.waiting) do
    if coroutine.status(co) == "dead" then ended = ended + 1 else open = open + 1 end
  end
  return open, ended
end

--- Whether Ctrl-C has ended one of them: then the others are to send no more.
---@return boolean
function Sent:is_broken()
  return select(2, self:count()) > 0
end

--- Who waits for an answer.
---@return table
function interrupt.sent()
  return setmetatable({ waiting = {} }, Sent)
end

--- Waits for the answers, or until it takes too long. Another Ctrl-C ends the program at once.
---@param context smmpanel.cli.Context
---@param sent table
function interrupt.wait(context, sent)
  if sent:count() == 0 then return end
  context:say "stopping: waiting for the answers to what was sent; Ctrl-C again ends it"
  local loop, over = loops.pick "auto", core.now() + LONGEST
  -- Who waits here lets the coroutines go on that were interrupted.
  while sent:count() > 0 and core.now() < over do loop.sleep(STEP) end
end

return interrupt
