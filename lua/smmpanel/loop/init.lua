--- How a client waits in an event loop: for a response, for a time, for several functions. One small file adapts
-- each event loop to the one engine.
--
-- A loop is a table of functions. `docs/event-loops.md` shows a complete one.
--
--     name            text for messages
--     active(suspendable)
--                     optional: returns whether a call made now can wait in this loop without blocking others.
--                     `suspendable` is whether the running coroutine can be suspended at this point. If the result
--                     is false, the call blocks, as in plain Lua. May throw. Default: returns `suspendable`
--     check_resumer() optional: throws unless the loop itself resumes the running coroutine, which may be a generator
--                     inside a coroutine of the loop. Called for each public call, before anything is sent, if the
--                     coroutine can be suspended. May suspend it
--     signal()        returns a new signal, which is opened once and has one waiting coroutine. May throw
--       signal:wait(seconds)
--                     returns when the signal is open; immediately if it was opened before. Returns false if the
--                     user interrupts it; it may then be called again. `seconds` is the most that the request may
--                     take; a loop may ignore it
--       signal:open() may be called in any coroutine or in none, before or after the wait, and more than once; it
--                     may resume the waiting coroutine before it returns
--     sleep(seconds)  suspends the running coroutine
--     spawn(f, done)  runs f() in a new coroutine, now or soon; then calls done(true), or done(false, err) if f
--                     threw err. May return a handle. After Ctrl-C it may call done again
--     detach(f)       optional, for loops that may kill a coroutine: runs f() where it cannot be killed, waits for
--                     it and returns its results
--     begin()         optional: called before each request is made; may wait
--     reap(handle)    optional: called with a handle from spawn after its coroutine has ended
--     scope()         optional, for processes with several such loops: returns the loop that runs now
--     watch(descriptor, step, scope)
--                     optional: from now on calls step() whenever the descriptor is readable. Called before the
--                     first request starts when none is in flight, and again if the descriptor changes. Must not
--                     suspend. If it throws, nothing is sent
--     unwatch(scope)  optional: the last request has ended; our watcher must no longer keep the loop alive
--
-- A loop without `watch` calls step() of `smmpanel.loop.dispatch` itself, as `blocking` does while it waits.
-- @module smmpanel.loop

local loops = {}

local argerror = require "smmpanel.util.argerror"
local groups = require "smmpanel.loop.groups"
local guard = require "smmpanel.util.guard"
local host = require "smmpanel.util.host"
local suspendable = require "smmpanel.loop.suspendable"
local uninterrupted = require "smmpanel.loop.uninterrupted"

-- The loops of programs that contain Lua, and the modules of the others. An adapter is loaded if its loop is there.
local IS_HOST = { ngx = host.nginx, tarantool = rawget(_G, "_TARANTOOL") ~= nil, haproxy = host.haproxy,
  uv = rawget(_G, "vim") ~= nil, frame = host.frames, blocking = true }
local MODULE = { cqueues = "cqueues", copas = "copas", glib = "lgi", uv = "luv" }

-- The order in which `auto` tries them; `blocking` comes last because it always works.
local NAMES = { "ngx", "tarantool", "haproxy", "cqueues", "copas", "uv", "glib", "frame", "blocking" }

local known, possible = {}, {} -- possible: the names of the loops that this program can have
for _, name in ipairs(NAMES) do
  known[name] = true
  if IS_HOST[name] or MODULE[name] then possible[#possible + 1] = name end
end

local NEEDED = { "signal", "sleep", "spawn" }

local loaded = {} -- name -> our adapter

local function load_loop(name)
  local loop = loaded[name] or require("smmpanel.loop." .. name)
  loaded[name] = loop
  return loop
end

-- A task may run after HAProxy has changed its root.
if host.haproxy then
  load_loop "haproxy"
  load_loop "blocking"
end

local function is_active(loop, can_suspend)
  if loop.active then return loop.active(can_suspend) end
  return can_suspend
end

--- Throws if the option `loop` is an unknown name, or a table without the functions of a loop.
---@param where string the public function's name
---@param choice string|table
function loops.check(where, choice)
  if type(choice) == "table" then
    for _, name in ipairs(NEEDED) do
      if type(choice[name]) ~= "function" then
        argerror.throw(where, "loop must have a function '%s', got %s", name, argerror.describe(choice[name]))
      end
    end
  elseif choice ~= "auto" and not known[choice] then
    argerror.throw(where, "unknown loop %s; %s", argerror.describe(choice), argerror.hint(choice, known))
  end
end

local function active_loop(choice, can_suspend)
  if choice == "auto" then
    local modules = package.loaded
    for _, name in ipairs(possible) do
      local loop = (IS_HOST[name] or modules[MODULE[name]]) and load_loop(name)
      if loop and is_active(loop, can_suspend) then return loop end
    end
  end
  local loop = type(choice) == "table" and choice or load_loop(choice)
  return is_active(loop, can_suspend) and loop or load_loop "blocking"
end

--- Returns the loop that a call made now waits in. Called before anything is sent; may suspend the coroutine.
---@param choice string|table the option
---@return table
function loops.pick(choice)
  uninterrupted()
  local can_suspend = suspendable.here()
  local loop = active_loop(choice, can_suspend)
  if can_suspend and loop.check_resumer then loop.check_resumer() end
  return loop
end

-- Plain Lua 5.1 cannot suspend a coroutine inside pcall, and a user's callback may suspend.
local may_wait_in_pcall = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

local function is_without_pcall()
  return not may_wait_in_pcall and coroutine.running() ~= nil
end

--- A pcall whose function may suspend, in any Lua.
---@param loop table
---@param f function
---@param ... any arguments of f
---@return boolean ok
---@return any thrown
function loops.try(loop, f, ...)
  if not is_without_pcall() then return pcall(f, ...) end
  local arguments, count, signal, ok, thrown = { ... }, select("#", ...), loop.signal(), nil, nil
  local group = groups.here()
  loop.spawn(function()
    groups.join(group)
    f(unpack(arguments, 1, count))
  end, function(...)
    ok, thrown = ...
    signal:open()
  end)
  while signal:wait() == false do end -- luacheck: ignore 542
  return ok, thrown
end

-- Runs the functions in a group of coroutines, and waits for all. If Ctrl-C throws in `done`, the loop calls
-- it again.
local function run_group(group, loop, functions, limit)
  local signal, begun, thrown = loop.signal(), 0, nil
  local running, handles = {}, {} -- running: true until the coroutine begins, then the coroutine
  local function work_of(i)
    return function()
      running[i] = groups.join(group)
      while begun < #functions and not group.is_left do
        begun = begun + 1
        functions[begun]()
      end
    end
  end
  local function done_of(i)
    return function(ok, err)
      thrown = thrown or not ok and { err } or nil
      if not ok and guard.is_interrupt(err) then group.is_left = true end
      groups.leave(running[i])
      running[i] = nil
      if next(running) == nil then signal:open() end
    end
  end
  for i = 1, math.min(limit, #functions) do running[i] = true end
  for i = 1, #running do handles[i] = loop.spawn(work_of(i), done_of(i)) end
  if #functions > 0 and signal:wait() == false then
    group.is_left = true
    error("interrupted", 0)
  end
  for i = 1, loop.reap and #handles or 0 do loop.reap(handles[i]) end
  if thrown then error(thrown[1], 0) end
end

--- Runs functions concurrently, at most `limit` at a time, and returns when all have ended. If any of them throws, the
-- first error is rethrown then. After Ctrl-C it throws at once, and none of them sends anything more.
---@param loop table
---@param functions (fun())[]
---@param limit integer
---@param stop? fun() called before an error is rethrown
function loops.side_by_side(loop, functions, limit, stop)
  if #functions == 1 then return functions[1]() end
  local group = groups.new()
  -- A coroutine of Lua 5.1: Ctrl-C throws in the main program only.
  if is_without_pcall() then return run_group(group, loop, functions, limit) end
  local ok, thrown = pcall(run_group, group, loop, functions, limit)
  if ok then return end
  group.is_left = true
  if stop then stop() end
  error(thrown, 0)
end

--- Runs `work` in several workers side by side, and returns when all have ended. If any of them throws, the first error
-- is rethrown then. Calls `stop` as soon as one throws, and after Ctrl-C: the workers' coroutines still exist then, and
-- a later call continues them.
---@param loop table
---@param count integer
---@param work fun() must start nothing more after `stop`
---@param stop fun()
function loops.workers(loop, count, work, stop)
  local function worker()
    local ok, thrown = loops.try(loop, work)
    if ok then return end
    stop()
    error(thrown, 0)
  end
  local workers = {}
  for i = 1, count do workers[i] = worker end
  loops.side_by_side(loop, workers, count, stop)
end

local FIRST_NAP, LONGEST_NAP = 0.005, 0.1 -- seconds between two checks whether the call in front has returned

--- Returns a function that calls f for one caller at a time; the others wait. An iterator of the user's that waits
-- itself is not ready for a second call. If f threw, the others get nil.
---@param loop table
---@param f fun(): any, any without arguments
---@return fun(): any, any
function loops.in_turn(loop, f)
  local busy, over = false, false
  return function()
    local nap = FIRST_NAP
    while busy do
      loop.sleep(nap)
      nap = math.min(2 * nap, LONGEST_NAP)
    end
    if over then return nil end
    local first, second
    busy = true
    local ok, thrown = loops.try(loop, function() first, second = f() end)
    busy, over = false, not ok
    if not ok then error(thrown, 0) end
    return first, second
  end
end

return loops
