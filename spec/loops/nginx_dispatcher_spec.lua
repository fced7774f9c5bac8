-- A call in nginx ends although there is no dispatcher for it: each case left calls waiting for ever. nginx has its own
-- Lua: these specs run once, with the 5.1 ABI.
-- luacheck: no max string line length
if _VERSION ~= "Lua 5.1" then return end

local nginx = require "spec.loops.support.nginx"
local sandbox_support = require "spec.support.sandbox"

local CLIENT = [[
  local smmpanel, core = require "smmpanel", require "smmpanel.core"
  spec = { panel = smmpanel.new { url = "%s", key = "%s", timeout = 3, retries = 0 },
           late = smmpanel.new { url = "%s", key = "%s", timeout = 0.5, retries = 0 } }
  local step, throws = core.step, 0
  function spec.fail(times) throws = times end
  function core.step(bytes)
    if throws > 0 then throws = throws - 1; error("not enough memory", 0) end
    return step(bytes)
  end
  function spec.currency(panel)
    local record, err = (panel or spec.panel):balance()
    return record and record.currency or err.code
  end
]]

local LOCATIONS = [[
  location = /call { content_by_lua_block { ngx.print(spec.currency()) } }
  location = /late { content_by_lua_block { ngx.print(spec.currency(spec.late)) } }
  location = /occupy { content_by_lua_block { ngx.timer.at(0, function() ngx.sleep(8) end); ngx.print "ok" } }
  location = /fail { content_by_lua_block { spec.fail(tonumber(ngx.var.arg_times)); ngx.print(spec.currency()) } }
  location = /hook { content_by_lua_block {
    local said
    debug.sethook(function() debug.sethook(); said = select(2, pcall(spec.currency)) end, "l")
    local _ = 1
    ngx.print(said) } }
  location = /finalizer { content_by_lua_block {
    local said
    jit.off()
    getmetatable(newproxy(true)).__gc = function() said = select(2, pcall(spec.currency)) end
    local kept
    for i = 1, 1e6 do kept = { i, kept and 1 }; if said then break end end
    ngx.print(tostring(said)) } }
]]

describe("in nginx, without a dispatcher,", function()
  local sandbox, server

  lazy_setup(function() sandbox = sandbox_support.start { tls = false } end)
  lazy_teardown(function() if sandbox then sandbox.stop() end end)
  after_each(function()
    if server then server:stop() end
    server = nil
  end)

  local function start(name, more)
    more = more or {}
    server = nginx.start { main = more.main, locations = LOCATIONS, http = more.http,
      init = CLIENT:format(sandbox.url_with("latency:0.05", name), sandbox.key, sandbox.url_with("latency:20", name),
        sandbox.key) }
  end

  local function times(count, path)
    local paths = {}
    for i = 1, count do paths[i] = path end
    return paths
  end

  local function all_are(expected, answers)
    for _, answer in ipairs(answers) do assert.same({ status = 200, body = expected }, answer) end
  end

  it("because nginx runs as many timers as it may", function()
    start("timers", { http = "lua_max_running_timers 1;" })
    server:get "/occupy"
    all_are("USD", server:at_once(times(20, "/call")))
    assert.same({ 200, "USD" }, { server:get "/call" })
    assert.same({ 200, "timeout" }, { server:get "/late" })
  end)

  it("because there is no directory for the socket", function()
    start("directory", { main = "env TMPDIR=/nonexistent;" })
    all_are("USD", server:at_once(times(20, "/call")))
    assert.same({ 200, "timeout" }, { server:get "/late" })
    assert.matches("is TMPDIR writable", server:log(), 1, true)
  end)

  it("because a step threw", function()
    start("step")
    for _, count in ipairs { 1, 2, 5 } do
      assert.same({ 200, "USD" }, { server:get("/fail?times=" .. count) })
      all_are("USD", server:at_once(times(20, "/call")))
    end
  end)

  for _, place in ipairs { "hook", "finalizer" } do
    it("a call made in a " .. place .. " throws before anything is sent", function()
      start(place)
      assert.matches("cannot wait for its answer inside", select(2, server:get("/" .. place)), 1, true)
      assert.equal(0, sandbox.counts(place).requests)
      assert.same({ 200, "USD" }, { server:get "/call" })
    end)
  end
end)
