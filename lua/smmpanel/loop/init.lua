--- What a client runs under: how to wait there, sleep, and run several. One small file a host, over the one
-- engine.
--
-- A host is a table:
--
--     name            for messages
--     active()        whether a call made now, in the running coroutine, can wait here without blocking
--                     others (absent: always). Where it cannot, the call blocks, as in plain Lua.
--     gate()          a new gate: something that one coroutine waits at, and that is opened once
--       gate:wait()     returns once it is open; at once where it was opened before. Returns false where
--                       the user interrupts it; it may then be waited at again
--       gate:open()     may be called from any coroutine and outside all, before the wait and after it,
--                       and again; it may resume the one who waits right away
--     sleep(seconds)  suspends the running coroutine
--     spawn(f, done)  runs f() in a coroutine of its own, now or soon; then done(true), or
--                     done(false, what f threw)
--     begin()         optional: called before each request is made; may wait
--     reap(handle)    optional: what spawn returned, once it has ended
--     scope()         optional, where a process may have several such loops: the one that runs now
--     watch(descriptor, step, scope)
--                     optional: from now on call step() whenever the descriptor is readable. Called when the
--                     first of the requests in flight begins, and again where the descriptor is another
--     unwatch(scope)  optional: the last of them has ended; nothing of ours may keep the loop alive
--
-- A host without `watch` calls step() of `smmpanel.loop` itself, as `blocking` does while it waits.
-- @module smmpanel.loop

local hosts = {}

local usage = require "smmpanel.util.argerror"

-- Whether the program has it at all; only then is it loaded.
local HAS = {
  ngx = function() return rawget(_G, "ngx") ~= nil end,
  cqueues = function() return package.loaded.cqueues ~= nil end,
  copas = function() return package.loaded.copas ~= nil end,
  uv = function() return rawget(_G, "vim") ~= nil or package.loaded.luv ~= nil end,
  frame = function() return rawget(_G, "love") ~= nil end,
  blocking = function() return true end,
}

-- In the order in which `auto` asks them; blocking is the last resort and is always there.
local NAMES = { "ngx", "cqueues", "copas", "uv", "frame", "blocking" }

local known = {}
for _, name in ipairs(NAMES) do known[name] = true end

local NEEDED = { "gate", "sleep", "spawn" }

local function load_host(name)
  return require("smmpanel.loop." .. name)
end

local function is_active(host)
  return host.active == nil or host.active()
end

--- Throws where the option `host` names no host, or a table that is none.
---@param where string the public function's name
---@param choice string|table
function hosts.check(where, choice)
  if type(choice) == "table" then
    for _, name in ipairs(NEEDED) do
      if type(choice[name]) ~= "function" then
        usage.throw(where, "host must have a function '%s', got %s", name, usage.describe(choice[name]))
      end
    end
  elseif choice ~= "auto" and not known[choice] then
    usage.throw(where, "unknown host %s; %s", usage.describe(choice), usage.hint(choice, known))
  end
end

--- The host that a call made now runs under.
---@param choice string|table the option
---@return table
function hosts.pick(choice)
  if choice == "auto" then
    for _, name in ipairs(NAMES) do
      local host = HAS[name]() and load_host(name)
      if host and is_active(host) then return host end
    end
  end
  local host = type(choice) == "table" and choice or load_host(choice)
  return is_active(host) and host or load_host "blocking"
end

--- Runs functions side by side, at most `limit` at a time, and returns when all have ended. What one threw
-- is thrown again then, the first of several.
---@param host table
---@param functions (fun())[]
---@param limit integer
function hosts.side_by_side(host, functions, limit)
  if #functions == 1 then return functions[1]() end
  local gate, begun, running, thrown = host.gate(), 0, math.min(limit, #functions), nil
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
    if running == 0 then gate:open() end
  end
  for i = 1, running do handles[i] = host.spawn(work, done) end
  if #functions > 0 and gate:wait() == false then
    begun = #functions
    error("interrupted", 0)
  end
  for i = 1, host.reap and #handles or 0 do host.reap(handles[i]) end
  if thrown then error(thrown[1], 0) end
end

-- Plain Lua 5.1 cannot suspend a coroutine inside pcall, and what a user gives may well wait for something.
local may_wait_in_pcall = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

--- Calls one of several that run side by side. What it throws is thrown on, once `ending` has told the others.
---@param ending fun()
---@param f function
---@param ... any what f is called with
function hosts.or_end(ending, f, ...)
  if not may_wait_in_pcall then return f(...) end
  local ok, thrown = pcall(f, ...)
  if ok then return end
  ending()
  error(thrown, 0)
end

return hosts
