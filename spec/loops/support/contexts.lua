-- The places in a program from which a call can be made, tested in the running loop. Prints a line for each:
-- "context NAME: " and "suspends", "blocks" or "throws MESSAGE". The server counts the requests under each NAME.
local contexts = {}

local scenario = require "spec.loops.support.scenario"

local list = {}

local function context(name, run) list[#list + 1] = { name = name, run = run } end

context("direct", function(f) f() end)
context("pcall", function(f) assert(pcall(f)) end)
context("xpcall", function(f) assert(xpcall(f, tostring)) end)
context("metamethod", function(f) return setmetatable({}, { __index = function() f() return true end }).x end)
context("iterator", function(f)
  for _ in function(_, last) if not last then f() return true end end do end -- luacheck: ignore 512
end)
context("gsub", function(f) string.gsub("x", "x", function() f() end) end)
context("sort", function(f)
  local called
  table.sort({ 2, 1 }, function(a, b)
    if not called then called = true f() end
    return a < b
  end)
end)
context("tostring", function(f) tostring(setmetatable({}, { __tostring = function() f() return "" end })) end)
context("require", function(f)
  package.preload.spec_context = function() f() return true end
  local ok, err = pcall(require, "spec_context")
  package.preload.spec_context, package.loaded.spec_context = nil, nil
  assert(ok, err)
end)
context("load", function(f)
  local called
  assert(load(function()
    if called then return nil end
    called = true
    f()
    return "return 1"
  end))
end)
context("__close", _VERSION == "Lua 5.4" and function(f)
  assert(load [[local f = ... local x <close> = setmetatable({}, { __close = function() f() end })]])(f)
end)

local function finalized(f)
  if rawget(_G, "newproxy") then
    getmetatable(newproxy(true)).__gc = f -- luacheck: ignore
  else
    setmetatable({}, { __gc = f })
  end
end

-- LuaJIT and 5.4 ignore an error in a finalizer.
local function kept(f)
  local thrown
  return function()
    local ok, err = pcall(f)
    if not ok then thrown = err end
  end, function() if thrown then error(thrown, 0) end end
end

context("__gc called", function(f)
  local inside, check = kept(f)
  finalized(inside)
  collectgarbage()
  collectgarbage()
  check()
end)
context("__gc automatic", function(f)
  local called
  local inside, check = kept(function() called = true f() end)
  finalized(inside)
  local holder
  for i = 1, 5e6 do
    holder = { i, holder and 1 }
    if i % 1000 == 0 and called then break end
  end
  assert(called, "the finalizer did not run")
  check()
end)
context("hook", function(f)
  local inside, check = kept(f)
  debug.sethook(function()
    debug.sethook()
    inside()
  end, "l")
  local _ = 1
  debug.sethook()
  check()
end)
context("FFI callback", pcall(require, "ffi") and function(f)
  local ffi = require "ffi"
  pcall(ffi.cdef, [[
    typedef int (*spec_compare)(const void *, const void *);
    void qsort(void *, size_t, size_t, spec_compare);
  ]])
  local inside, check = kept(f)
  local called
  local compare = ffi.cast("spec_compare", function()
    if not called then called = true inside() end
    return 0
  end)
  ffi.C.qsort(ffi.new("int[2]"), 2, 4, compare)
  compare:free()
  check()
end or nil)
context("generator", function(f)
  local rounds = 0
  for value in coroutine.wrap(function() f() coroutine.yield "a row" end) do
    assert(value == "a row", "the loop gets " .. type(value) .. ": " .. tostring(value.status))
    rounds = rounds + 1
  end
  assert(rounds == 1, rounds .. " rounds")
end)
context("generator, values unused", function(f)
  local rounds = 0
  for _ in coroutine.wrap(function() f() coroutine.yield "a row" end) do rounds = rounds + 1 end
  assert(rounds == 1, rounds .. " rounds")
end)

-- Plain Lua 5.1 cannot suspend inside pcall.
local try = pcall
if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
  function try(f, ...)
    f(...)
    return true
  end
end

--- Tries all of them, in a coroutine of the loop.
---@param ticks fun(): integer how often other work of the loop ran
---@param say? fun(line: string)
function contexts.run(ticks, say)
  say = say or function(line) io.stdout:write(line, "\n") end
  for _, one in ipairs(list) do
    if one.run then
      local panel = scenario.panel("latency:0.1&name=" .. os.getenv "SPEC_NAME" .. one.name:gsub("%W", "_"))
      local before, after, currency
      local ok, err = (one.name:find "^generator" and pcall or try)(one.run, function()
        before = ticks()
        local balance, problem = panel:balance()
        currency, after = balance and balance.currency or problem.message, ticks()
      end)
      local waited = after and after > before and "suspends" or "blocks"
      local said = ok and currency == "USD" and waited or "throws " .. tostring(err or currency)
      say(("context %s: %s"):format(one.name, said))
    end
  end
end

return contexts
