--- nginx with its Lua module. A handler cannot wait for a foreign descriptor, but a cosocket can connect to a
-- unix socket, on which the engine then writes its one byte. A light thread of its own, in a timer that
-- belongs to no request, reads it and steps; each call waits at a semaphore.
-- @module smmpanel.loop.ngx

local core = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"
local semaphore = require "ngx.semaphore"
local argerror = require "smmpanel.util.argerror"

local ngx = ngx
local loop = { name = "ngx" }

-- The dispatcher looks this often whether it is still needed; a worker that is told to leave waits for it.
local IDLE_SECONDS = 0.25
local DAY_SECONDS = 24 * 60 * 60
local WAIT_SECONDS = 5 -- between two looks whether there is a dispatcher

local MAY_WAIT = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}

-- There is no coroutine.isyieldable here, and to find out by yielding would be too late: the request is sent
-- by then. No C function but these two lets a coroutine be suspended below it.
local TRANSPARENT = { [pcall] = true, [xpcall] = true }

local function is_below_c()
  local level = 2
  local frame = debug.getinfo(level, "Sf")
  while frame do
    if frame.what == "C" and not TRANSPARENT[frame.func] then return true end
    level = level + 1
    frame = debug.getinfo(level, "Sf")
  end
  return false
end

-- While the configuration is read there is nobody to hold up.
function loop.active()
  local phase = ngx.get_phase()
  if phase == "init" then return false end
  if not MAY_WAIT[phase] then
    argerror.throw("smmpanel", "a call cannot wait for its answer in %s_by_lua, for nothing may wait there: " ..
      "make it in a timer, ngx.timer.at(0, function() ... end)", phase)
  end
  if is_below_c() then
    argerror.throw("smmpanel", "a call cannot wait for its answer here, for it is made through a C function " ..
      "(as require, table.sort or string.gsub are): make it outside")
  end
  return true
end

-- ---- the dispatcher ----------------------------------------------------------------------------

local running = false

local function connect()
  local path, _, why = core.listen()
  if not path then return nil, why end
  local socket = ngx.socket.tcp()
  local ok, problem = socket:connect("unix:" .. path)
  if not ok then return nil, problem end
  if not core.accept() then return nil, "the engine does not answer" end
  return socket
end

-- Not the reading is given little time: nginx would write into its error log that it was over.
local function read_until_idle(socket)
  local stirred, why
  socket:settimeout(DAY_SECONDS * 1000)
  local reader = ngx.thread.spawn(function()
    local byte
    repeat
      byte, why = socket:receive(1)
      stirred = true
      dispatch.step()
    until not byte
  end)
  repeat
    stirred = false
    ngx.sleep(IDLE_SECONDS)
  until why or dispatch.is_idle() and (not stirred or ngx.worker.exiting())
  ngx.thread.kill(reader)
  return not why, why
end

local function run_dispatcher()
  local ok, why
  local socket, problem = connect()
  if socket then
    ok, why = read_until_idle(socket)
    socket:close()
  end
  running = false
  if not ok then ngx.log(ngx.ERR, "smmpanel: the dispatcher ended: ", why or problem) end
end

local function ensure_dispatcher()
  if running then return end
  running = true
  local ok, why = ngx.timer.at(0, run_dispatcher)
  if ok then return end
  running = false
  ngx.log(ngx.ERR, "smmpanel: the dispatcher cannot start: ", why)
end

-- ---- waiting -------------------------------------------------------------------------------------

local Signal = {}
Signal.__index = Signal

function Signal:open()
  self.is_open = true
  self.semaphore:post(1)
end

function Signal:wait()
  while not self.is_open do
    self.semaphore:wait(WAIT_SECONDS)
    if not self.is_open then ensure_dispatcher() end
  end
end

function loop.signal()
  return setmetatable({ is_open = false, semaphore = assert(semaphore.new(0)) }, Signal)
end

loop.sleep = ngx.sleep

loop.detach = require "smmpanel.loop.ngx_detached"

function loop.spawn(f, done)
  return ngx.thread.spawn(function() done(pcall(f)) end)
end

--- A light thread that has ended is kept until its parent asks for it.
function loop.reap(thread)
  ngx.thread.wait(thread)
end

function loop.watch()
  ensure_dispatcher()
end

return loop
