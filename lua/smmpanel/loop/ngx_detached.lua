--- Runs a function in a timer of nginx, so that it does not end with the request: with `lua_check_client_abort on`,
-- nginx kills the coroutines of a request whose client has gone.
-- @module smmpanel.loop.ngx_detached

local semaphore = require "ngx.semaphore"

local ngx = ngx

-- nginx runs 256 timers of a worker at a time (lua_max_running_timers), and silently drops further ones.
local RUNNING_MAX = 128
local START_SECONDS = 1 -- a timer that has not started by then was dropped
local WAIT_SECONDS = 60 -- the longest single wait for the result

local running = 0

local function pack(...) return { n = select("#", ...), ... } end

local function start(_, job, f)
  if job.started then return end
  job.started, running = true, running + 1
  job.results = pack(pcall(f))
  running = running - 1
  job.ended:post(1)
end

local function results_of(job)
  while not job.results do job.ended:wait(WAIT_SECONDS) end
  if not job.results[1] then error(job.results[2], 0) end
  return unpack(job.results, 2, job.results.n)
end

-- The timer must not use closures of this coroutine: when nginx kills the coroutine, the variables that its closures
-- share with it are destroyed. `f` must have been made by a function that has returned.

--- Runs a function so that the end of the current request does not end it, and waits for it. If nginx has no timer, the
-- function runs in the request.
---@param f function
---@return any ... the results of f; an error in f is rethrown
return function(f)
  if ngx.get_phase() == "timer" or running >= RUNNING_MAX then return f() end
  local job = { ended = assert(semaphore.new(0)) }
  if not ngx.timer.at(0, start, job, f) then return f() end
  job.ended:wait(START_SECONDS)
  if job.started then return results_of(job) end
  job.started = true
  return f()
end
