--- nginx with its Lua module. A handler cannot wait for the engine's descriptor, but a cosocket can connect to a unix
-- socket, to which the engine then writes its notifications. A dispatcher reads them and steps: a light thread in a
-- timer that belongs to no request. Each call waits on a semaphore.
--
-- The dispatcher may be missing: nginx has no timer or memory for it, there is no directory for the socket, or the
-- worker is exiting. Then the waiting calls step by the clock, one of them at a time.
-- @module smmpanel.loop.ngx

local core = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"
local semaphore = require "ngx.semaphore"
local argerror = require "smmpanel.util.argerror"

local ngx = ngx
local loop = { name = "ngx" }

-- The dispatcher checks this often whether it is still needed; a worker that exits waits for it.
local IDLE_SECONDS = 0.25
local DAY_SECONDS = 24 * 60 * 60

local SILENT_SECONDS = 2 -- a dispatcher without a sign of life for so long counts as dead
local LONGEST_WAIT = 1 -- seconds of one wait on a semaphore while there is a dispatcher
local POLL_SECONDS = 0.005 -- between two steps of the one call that steps by the clock
local SPARE_SECONDS = 0.05 -- between two checks by the other calls
local RETRY_SECONDS = 5 -- between two attempts to start a dispatcher, after a failure
local REPORT_SECONDS = 60 -- between two error log lines about it

local MAY_WAIT = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}

-- While nginx reads its configuration a call may block, because nothing else runs yet.
function loop.active(suspendable)
  local phase = ngx.get_phase()
  if phase == "init" then return false end
  if not MAY_WAIT[phase] then
    argerror.throw("smmpanel", "a call cannot wait for its answer in %s_by_lua, which cannot yield: " ..
      "make it in a timer, ngx.timer.at(0, function() ... end)", phase)
  end
  if not suspendable then
    argerror.throw("smmpanel", "a call cannot wait for its answer inside a C function " ..
      "(such as require, table.sort or string.gsub), a finalizer or a debug hook: make it outside")
  end
  return true
end

-- ---- the dispatcher ----------------------------------------------------------------------------

local generation = 0 -- of the current dispatcher; an older dispatcher ends when it finds a later number
local seen_at -- the last sign of life of the current dispatcher; nil if there is none
local retry_at, report_at = 0, 0

local function is_running()
  return seen_at ~= nil and core.now() - seen_at < SILENT_SECONDS
end

local function report(why)
  local now = core.now()
  if now < report_at then return end
  report_at = now + REPORT_SECONDS
  ngx.log(ngx.ERR, "smmpanel: there is no dispatcher, calls step by the clock: ", why)
end

local function connect()
  local path, _, why = core.listen()
  if not path then return nil, "cannot create a unix socket (is TMPDIR writable?): " .. why end
  local socket = ngx.socket.tcp()
  local ok, problem = socket:connect("unix:" .. path)
  if not ok then return nil, problem end
  if not core.accept() then return nil, "the engine does not answer" end
  return socket
end

-- The byte has been read, and the engine sends another one only after a step that did not throw. So the step is
-- repeated until it does not throw.
local function step()
  local ok, thrown = pcall(dispatch.step)
  while not ok do
    report(thrown)
    ngx.sleep(POLL_SECONDS)
    ok, thrown = pcall(dispatch.step)
  end
end

-- The read itself has no short timeout, because nginx would write each timeout to its error log.
local function read_until_idle(socket, mine)
  local stirred, why
  socket:settimeout(DAY_SECONDS * 1000)
  local reader = ngx.thread.spawn(function()
    local byte
    repeat
      byte, why = socket:receive(1)
      stirred = true
      step()
    until not byte
  end)
  repeat
    stirred, seen_at = false, core.now()
    ngx.sleep(IDLE_SECONDS)
  until why or generation ~= mine or dispatch.is_idle() and (not stirred or ngx.worker.exiting())
  ngx.thread.kill(reader)
  return why
end

local function work(mine)
  local socket, why = connect()
  if not socket then return why end
  seen_at = core.now()
  why = read_until_idle(socket, mine)
  socket:close()
  return why
end

-- A timer that nginx starts late, after another dispatcher was started, does nothing.
local function run_dispatcher(_, mine)
  if generation ~= mine then return end
  local ok, why = pcall(work, mine)
  if generation ~= mine then return end
  seen_at, retry_at = nil, 0
  if ok and not why or ngx.worker.exiting() then return end
  retry_at = core.now() + RETRY_SECONDS
  report(tostring(why))
end

-- nginx may never run the timer (lua_max_running_timers), and reports that only in its log.
local function ensure_dispatcher()
  local now = core.now()
  if is_running() or now < retry_at then return end
  generation, seen_at, retry_at = generation + 1, nil, now + RETRY_SECONDS
  local ok, why = ngx.timer.at(0, run_dispatcher, generation)
  if not ok and not ngx.worker.exiting() then report(why) end
end

-- ---- waiting -------------------------------------------------------------------------------------

local Signal = {}
Signal.__index = Signal

local stepping -- the signal whose call steps by the clock, if there is no dispatcher

function Signal:open()
  self.is_open = true
  self.semaphore:post(1)
end

-- Semaphores are reused by later calls if their count is back at 0.
local spare, spares, SPARES_MAX = {}, 0, 64

local function take_semaphore()
  if spares == 0 then return assert(semaphore.new(0)) end
  local one = spare[spares]
  spare[spares], spares = nil, spares - 1
  return one
end

local function give_back(one)
  if spares == SPARES_MAX or one:count() ~= 0 then return end
  spares = spares + 1
  spare[spares] = one
end

-- The seconds to wait on the semaphore before the call steps itself, so that it never depends only on a dispatcher.
local function slice(self, ends_at)
  if is_running() then return math.max(POLL_SECONDS, math.min(LONGEST_WAIT, ends_at - core.now())) end
  ensure_dispatcher()
  stepping = stepping or self
  return stepping == self and POLL_SECONDS or SPARE_SECONDS
end

local function look(self)
  if stepping and stepping ~= self and stepping.is_open then stepping = nil end
  local ok, thrown = pcall(dispatch.step)
  if not ok then report(thrown) end
end

--- Waits at most as long as the request may take, and steps after each wait that ended without the signal.
function Signal:wait(seconds)
  local ends_at = core.now() + (seconds or DAY_SECONDS)
  while not self.is_open do
    self.semaphore:wait(slice(self, ends_at))
    if not self.is_open then look(self) end
  end
  if stepping == self then stepping = nil end
  give_back(self.semaphore)
end

function loop.signal()
  return setmetatable({ is_open = false, semaphore = take_semaphore() }, Signal)
end

loop.sleep = ngx.sleep

loop.detach = require "smmpanel.loop.ngx_detached"

function loop.spawn(f, done)
  return ngx.thread.spawn(function() done(pcall(f)) end)
end

--- Frees a light thread that has ended: nginx keeps it until its parent waits for it.
function loop.reap(thread)
  ngx.thread.wait(thread)
end

function loop.watch()
  ensure_dispatcher()
end

return loop
