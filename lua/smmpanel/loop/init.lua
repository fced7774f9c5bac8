--- How a client waits: for an answer, for a pause to end, for several functions. One small file for each event
-- loop, above the one engine.
--
-- A loop is a table of functions. `docs/event-loops.md` shows a whole one.
--
--     name            for messages
--     active(suspendable)
--                     optional: whether a call made now can wait here without blocking others. `suspendable` says
--                     whether the running coroutine can be suspended at this place. Where it returns false, the
--                     call blocks, as in plain Lua; it may also throw. Absent: `suspendable` decides
--     signal()        returns a new signal: one coroutine waits at it, and it is opened once. May throw
--       signal:wait(seconds)
--                     returns once the signal is open; at once where it was opened before. Returns false where
--                     the user interrupts it; it may then be waited at again. `seconds` is how long the request
--                     may take; a loop may ignore it
--       signal:open() may be called from any coroutine and outside all, before the wait and after it, and again;
--                     it may resume the waiting coroutine right away
--     sleep(seconds)  suspends the running coroutine
--     spawn(f, done)  runs f() in a coroutine of its own, now or soon; then done(true), or
--                     done(false, what f threw)
--     detach(f)       optional, where a coroutine may be killed from outside: runs f() where it cannot be, waits
--                     for it and returns what it returned
--     begin()         optional: called before each request is made; may wait
--     reap(handle)    optional: called with what spawn returned, once it has ended
--     scope()         optional, where a process may have several such loops: the one that runs now
--     watch(descriptor, step, scope)
--                     optional: from now on call step() whenever the descriptor is readable. Called before the
--                     first of the requests in flight starts, and again where the descriptor is another. Must not
--                     suspend; where it throws, nothing was sent
--     unwatch(scope)  optional: the last request has ended; nothing of ours may keep the loop alive
--
-- A loop without `watch` calls step() of `smmpanel.loop.dispatch` itself, as `blocking` does while it waits.
-- @module smmpanel.loop

local loops = {}

local argerror = require "smmpanel.util.argerror"
local suspendable = require "smmpanel.loop.suspendable"

-- Whether the program has it at all; only then is it loaded.
local HAS = {
  ngx = function() return rawget(_G, "ngx") ~= nil end,
  tarantool = function() return rawget(_G, "_TARANTOOL") ~= nil end,
  haproxy = function() return type(rawget(_G, "core")) == "table" and rawget(_G, "core").register_task ~= nil end,
  cqueues = function() return package.loaded.cqueues ~= nil end,
  copas = function() return package.loaded.copas ~= nil end,
  glib = function() return package.loaded.lgi ~= nil end,
  uv = function() return rawget(_G, "vim") ~= nil or package.loaded.luv ~= nil end,
  frame = function() return rawget(_G, "love") ~= nil or rawget(_G, "minetest") ~= nil end,
  blocking = function() return true end,
}

-- In the order in which `auto` asks them; blocking is the last resort and is always there.
local NAMES = { "ngx", "tarantool", "haproxy", "cqueues", "copas", "uv", "glib", "frame", "blocking" }

local known = {}
for _, name in ipairs(NAMES) do known[name] = true end

local NEEDED = { "signal", "sleep", "spawn" }

local function load_loop(name)
  return require("smmpanel.loop." .. name)
end

local function is_active(loop)
  if loop.active then return loop.active(suspendable.here()) end
  return suspendable.here()
end

--- Throws where the option `loop` names no loop, or a table that is none.
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

--- The loop that a call made now, at this place, waits in. Asked before anything is sent.
---@param choice string|table the option
---@return table
function loops.pick(choice)
  if choice == "auto" then
    for _, name in ipairs(NAMES) do
      local loop = HAS[name]() and load_loop(name)
      if loop and is_active(loop) then return loop end
    end
  end
  local loop = type(choice) == "table" and choice or load_loop(choice)
  return is_active(loop) and loop or load_loop "blocking"
end

--- Runs functions side by side, at most `limit` at a time, and returns when all have ended. What one threw
-- is thrown again then, the first of several.
---@param loop table
---@param functions (fun())[]
---@param limit integer
function loops.side_by_side(loop, functions, limit)
  if #functions == 1 then return functions[1]() end
  local signal, begun, running, thrown = loop.signal(), 0, math.min(limit, #functions), nil
  local handles = {}
  local function work()
    while begun < #functions do
      begun = begun + 1
      functions[begun]()
    end
  end
  local function done(ok, err)
    thrown = thrown or not ok and { err } or nil
    running = running - 1
    if running == 0 then signal:open() end
  end
  for i = 1, running do handles[i] = loop.spawn(work, done) end
  if #functions > 0 and signal:wait() == false then
    begun = #functions
    error("interrupted", 0)
  end
  for i = 1, loop.reap and #handles or 0 do loop.reap(handles[i]) end
  if thrown then error(thrown[1], 0) end
end

-- Plain Lua 5.1 cannot suspend a coroutine inside pcall, and what a user gives may well wait for something.
local may_wait_in_pcall = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

--- pcall of a function that may wait, in any Lua.
---@param loop table
---@param f function
---@param ... any what f is called with
---@return boolean ok
---@return any thrown
function loops.try(loop, f, ...)
  if may_wait_in_pcall then return pcall(f, ...) end
  local arguments, count, signal, ok, thrown = { ... }, select("#", ...), loop.signal(), nil, nil
  loop.spawn(function() f(unpack(arguments, 1, count)) end, function(...)
    ok, thrown = ...
    signal:open()
  end)
  while signal:wait() == false do end -- luacheck: ignore 542
  return ok, thrown
end

return loops
