-- Defects of the engine's thread and of the data it shares with the program, each named as it was seen.
local core = require "smmpanel.core"
local process = require "spec.support.process"
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"
local system = require "spec.support.system"

local run = system.output

-- The file that was loaded as the core.
local function library()
  for template in package.cpath:gmatch "[^;]+" do
    local name = template:gsub("%?", "smmpanel/core")
    local file = io.open(name)
    if file then
      file:close()
      return name
    end
  end
end

describe("regression:", function()
  local echo, url, raw_server
  setup(function()
    echo, raw_server = process.start(process.lua() .. " spec/support/echo_server.lua"), raw.start()
    url = ("http://127.0.0.1:%s/"):format(echo.line)
  end)
  teardown(function()
    echo.stop()
    raw_server.stop()
  end)

  local function result_of(client_url, more)
    local options = { url = client_url, key = "key", max_body = 1e6, connect_timeout = 5, user_agent = "x" }
    for name, value in pairs(more or {}) do options[name] = value end
    local transfer = assert(core.start(core.client(options), {
      action = "balance", deadline = core.now() + 10, timings = true }))
    repeat core.wait(1) until core.step()
    return transfer:result()
  end

  it("a function of a program that embeds Lua was called in place of the module's own", function()
    if os.getenv "SANITIZER_CPATH" then return pending "the sanitizer exports names too" end
    local names = run("nm -D --defined-only " .. library() .. " 2>/dev/null")
    if names == "" then return pending "needs nm" end
    assert.same({ "luaopen_smmpanel_core" }, { names:match "^%x+ T (%S+)\n$" })
  end)

  it("a header without a value was not sent", function()
    local panel = smmpanel.new { url = url, key = "key", headers = { ["X-Empty"] = "", ["X-Full"] = "y" } }
    local head = assert(panel:balance()).currency
    assert.truthy(head:find("\nX%-Empty: ?\n"), head)
    assert.truthy(head:find("\nX-Full: y\n", 1, true), head)
  end)

  it("an invalid URL was tried three times", function()
    local value, err = smmpanel.new({ url = "http://[bad/", key = "key", retries = 2 }):balance()
    assert.is_nil(value)
    assert.same({ "network", "bad_url", 1 }, { err.kind, err.code, err.attempts })
  end)

  it("the reset of the panel's rate limit was not known", function()
    assert.equal(7, result_of(url).rate_reset)
    local moment = raw.answer("{}", ("X-RateLimit-Reset: %d\r\n"):format(os.time() + 50))
    local seconds = result_of(raw_server.url { moment }).rate_reset
    assert.is_true(seconds > 20 and seconds <= 50)
    for _, odd in ipairs { "x", "-5", "", "nan", ("9"):rep(50), "5x" } do
      assert.is_nil(result_of(raw_server.url { raw.answer("{}", "X-RateLimit-Reset: " .. odd .. "\r\n") }).rate_reset)
    end
  end)

  it("Cloudflare's id of a request was not known", function()
    assert.equal("8f1c2a-FRA", result_of(raw_server.url { raw.answer("{}", "CF-RAY: 8f1c2a-FRA\r\n") }).cf_ray)
    for _, odd in ipairs { "a\27[31m", "a b", ("x"):rep(41) } do
      assert.is_nil(result_of(raw_server.url { raw.answer("{}", "CF-RAY: " .. odd .. "\r\n") }).cf_ray)
    end
  end)

  it("the times of the steps of a call were not known", function()
    local steps = { raw.answer "{}", raw.WAIT }
    local first = result_of(raw_server.url(steps))
    result_of(url)
    assert.is_true(first.timings.connect > 0 and first.timings.connect <= first.timings.first_byte)
    assert.is_true(first.timings.first_byte <= first.timings.total and first.timings.tls == 0)
    local second = result_of(url)
    assert.is_false(first.reused)
    assert.is_true(second.reused and second.timings.connect == 0 and second.timings.first_byte > 0)
  end)

  it("the program's crash handler did not see a crash in the thread", function()
    if not io.open "/proc/self/task" then return pending "needs /proc" end
    -- The thread has ended a call, so the signals that it began with are its own. The main thread is left out: until
    -- the shell runs, the C library blocks all signals there.
    local chunk = ([[
      require("smmpanel").new({ url = %q, key = "key" }):balance()
      os.execute 'for task in /proc/$PPID/task/*; do [ "${task##*/}" = $PPID ] || cat $task/status; done'
    ]]):format(url)
    local script = os.tmpname()
    system.write(script, chunk)
    local threads, blocked = 0, 0
    for mask in run(process.lua() .. " " .. script):gmatch "SigBlk:%s*(%x+)" do
      threads = threads + 1
      if math.floor(tonumber(mask:sub(-4), 16) / 2 ^ 10) % 2 == 1 then blocked = blocked + 1 end -- SIGSEGV is 11
    end
    os.remove(script)
    assert.is_true(threads >= 1)
    assert.equal(0, blocked)
  end)
end)
