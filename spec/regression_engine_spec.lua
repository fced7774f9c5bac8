-- Defects that were found in the engine and the binding, each named as it was seen.
local core = require "smmpanel.core"
local process = require "spec.support.process"
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"
local system = require "spec.support.system"

local GOOD = raw.answer '{"balance":"1.5","currency":"USD"}'

-- Runs a chunk in a separate Lua process without a handler for its end. Returns its output and its exit.
local function run(chunk)
  local file = system.write(os.tmpname(), chunk)
  local program = process.sanitized() .. process.lua()
  local text = system.output(("%s %s 2>&1; echo \" exit $?\""):format(program, file))
  os.remove(file)
  return text
end

describe("regression:", function()
  local server
  setup(function() server = raw.start() end)
  teardown(function() server.stop() end)

  local function start(script, more)
    local options = { url = server.url(script), key = "key", max_body = 1e6, connect_timeout = 5, user_agent = "x" }
    for name, value in pairs(more or {}) do options[name] = value end
    return core.start(core.client(options), { action = "balance", deadline = core.now() + 5, write = false })
  end

  it("a program that the host starts inherited the connection", function()
    if not io.open "/proc/self/fd" then return pending "needs /proc" end
    local panel = smmpanel.new { url = server.url { GOOD }, key = "key", retries = 0 }
    -- The thread has its own sockets, on which nothing was sent; it makes them for the first request.
    local closing = server.url { raw.answer('{"balance":"1"}', "Connection: close\r\n") }
    assert(smmpanel.new { url = closing, key = "key" }:balance())
    local before = system.output "ls -l /proc/self/fd"
    local waiting = start { raw.WAIT }
    assert(panel:balance())
    local after = system.output "ls -l /proc/self/fd"
    local function sockets(s) return select(2, s:gsub("socket:", "")) end
    assert.equal(sockets(before), sockets(after))
    waiting:cancel()
    core.wait(5)
    core.step()
  end)

  it("a finalizer that ran after the transfer's, while the state closed, crashed", function()
    local said = run(([[
      local core = require "smmpanel.core"
      local function last(f)
        if not newproxy then return setmetatable({}, { __gc = f }) end
        local proxy = newproxy(true)
        getmetatable(proxy).__gc = f
        return proxy
      end
      local kept = last(function()
        for _ = 1, 20 do core.wait(0.05) core.step() end
        transfer:cancel()
        transfer:result()
        print "survived"
      end)
      client = core.client { url = %q, key = "k", max_body = 1e6, connect_timeout = 5, user_agent = "x" }
      transfer = core.start(client, { action = "balance", deadline = core.now() + 5 })
      _G.kept = kept
    ]]):format(server.url { 0.05, GOOD }))
    assert.equal("survived\n exit 0\n", said)
  end)

  it("a finalizer that ran after the engine's, while the state closed, started another thread", function()
    local said = run [[
      local early
      local function finalizer()
        local core = package.loaded["smmpanel.core"]
        local ok, why = pcall(core.descriptor)
        print(ok, (tostring(why):gsub("^.*started: ", "")))
      end
      if newproxy then
        early = newproxy(true)
        getmetatable(early).__gc = finalizer
      else
        early = setmetatable({}, { __gc = finalizer })
      end
      local core = require "smmpanel.core"
      core.descriptor()
      _G.early = early
    ]]
    assert.equal("false\tthe Lua state is closing\n exit 0\n", said)
  end)

  it("a header that was not a string was sent as arbitrary memory", function()
    local ok, why = pcall(start, { GOOD }, { headers = { 12345 } })
    assert.is_false(ok)
    assert.truthy(why:find("a header must be a string", 1, true))
  end)

  it("a step of a negative, endless or odd size was undefined", function()
    local waiting = start { GOOD }
    for _, bytes in ipairs { -1, -math.huge, 0 / 0, 0, 1e300, math.huge } do
      core.wait(0.05)
      for _, transfer in ipairs(core.step(bytes) or {}) do
        if transfer == waiting then waiting = nil end
      end
    end
    assert.is_nil(waiting)
  end)

  it("an unsolicited answer was accepted as that of the next order", function()
    local socket = require "socket"
    local order = { service = 1, link = "https://x.example", quantity = 1 }
    local function new(script) return smmpanel.new { url = server.url(script), key = "key", retries = 0 } end
    local twice = new { raw.answer '{"order":1}', 0.05, raw.answer '{"order":1}', raw.WAIT }
    local next_one = new { raw.answer('{"order":2}', "Connection: close\r\n") }
    for _ = 1, 2 do
      assert.equal(1, assert(twice:add(order)).order)
      socket.sleep(2) -- until the second answer has come, on a busy machine too
      assert.equal(2, assert(next_one:add(order)).order)
    end
  end)

  it("a proxy's refusal of the tunnel was called a reset", function()
    local proxy = raw.start()
    -- the proxy's script is in the request line's path, which a CONNECT has not: it closes at once
    local panel = smmpanel.new { url = "https://panel.example/api", key = "key", retries = 0, timeout = 5,
      proxy = "http://127.0.0.1:" .. proxy.port }
    local value, err = panel:add { service = 1, link = "https://x.example", quantity = 1 }
    proxy.stop()
    assert.is_nil(value)
    assert.equal("connect", err.code)
    assert.is_nil(err.uncertain)
  end)

  it("a forked child waited for its parent's request", function()
    local has_posix, unistd = pcall(require, "posix.unistd")
    if not has_posix or os.getenv "TSAN_OPTIONS" then return pending "needs luaposix, and no threads watched" end
    local waiting = start { raw.WAIT }
    local before = core.now()
    io.stdout:flush()
    local child = unistd.fork()
    if child == 0 then
      local word, ended = "nothing"
      repeat
        core.wait(30)
        ended = core.step()
      until ended or core.now() - before > 40
      if ended and ended[1] == waiting then word = waiting:result().code end
      unistd._exit(word == "cancelled" and core.now() - before < 20 and 0 or 1)
    end
    local _, how, code = require "posix.sys.wait".wait(child)
    assert.equal("exited 0", how .. " " .. code)
    waiting:cancel()
    repeat core.wait(5) until core.step()
  end)

  it("every seventh read on a kept connection that the panel was closing failed", function()
    local script = { GOOD, 0.2, raw.RESET } -- the next request comes while it is open, and is not answered
    local panel = smmpanel.new { url = server.url(script), key = "key", retries = 0 }
    for _ = 1, 20 do assert(panel:balance()) end
  end)

  it("a finalizer that called step while an answer was read crashed", function()
    local list = "[" .. ('{"service":1,"name":"x"},'):rep(4000) .. "0]"
    local said = run(([[
      local core = require "smmpanel.core"
      local told, on = {}, true
      local function step() for _, transfer in ipairs(core.step(1e9) or {}) do told[transfer] = true end end
      local arm
      local function finalize() if on then step() arm() end end
      function arm()
        if not newproxy then return setmetatable({}, { __gc = finalize }) end
        getmetatable(newproxy(true)).__gc = finalize
      end
      collectgarbage("setpause", 1) collectgarbage("setstepmul", 1000)
      arm()
      local client = core.client { url = "%s", key = "k", max_body = 1e7, connect_timeout = 5, user_agent = "x" }
      local whole = 0
      for _ = 1, 60 do
        local transfer = assert(core.start(client, { action = "services", deadline = core.now() + 30 }))
        repeat core.wait(1) step() until told[transfer]
        local result = transfer:result()
        if result.json == "whole" then whole = whole + 1 else print(result.json, result.json_error, result.text) end
      end
      on = false
      print(whole .. " whole")]]):format(server.url { raw.answer(list) }))
    assert.equal("60 whole\n exit 0\n", said)
  end)

  it("a request that was cancelled before it began had the figures of the previous one", function()
    local client = core.client { url = server.url { raw.answer("{}", "Retry-After: 77\r\n", "429 Slow") },
      key = "key", max_body = 1e6, connect_timeout = 5, user_agent = "x" }
    local function result_of(transfer)
      local ended
      repeat core.wait(5) ended = core.step() until ended
      return ended[1] == transfer and transfer:result()
    end
    local before_it_began = 0
    for _ = 1, 50 do
      assert.equal(77, result_of(core.start(client, { action = "balance", deadline = core.now() + 5 })).retry_after)
      local transfer = core.start(client, { action = "balance", deadline = core.now() + 5 })
      transfer:cancel()
      local result = result_of(transfer)
      if not result.sent then -- else the thread was faster
        before_it_began = before_it_began + 1
        assert.same({ "cancelled", 0 }, { result.code, result.http_status })
        assert.is_nil(result.retry_after)
      end
    end
    assert.is_true(before_it_began > 0)
  end)

  it("a call that waited to share a connection outlived its deadline", function()
    local silent = assert(require "socket".bind("127.0.0.1", 0))
    local url = ("https://127.0.0.1:%d/"):format(select(2, silent:getsockname()))
    local client = core.client { url = url, key = "key", max_body = 1e6, connect_timeout = 30, user_agent = "x" }
    local first = core.start(client, { action = "balance", deadline = core.now() + 30 })
    local second = core.start(client, { action = "balance", deadline = core.now() + 0.3 })
    local before, ended = core.now(), {}
    repeat
      core.wait(5)
      for _, transfer in ipairs(core.step() or {}) do ended[transfer] = true end
    until ended[second] or ended[first]
    assert.is_nil(ended[first])
    assert.equal("timeout", second:result().code)
    assert.is_true(core.now() - before < 15)
    first:cancel()
    repeat core.wait(5) until core.step()
    silent:close()
  end)

  it("an error thrown while a request was made left LuaJIT on another thread, where it crashed", function()
    local client = core.client { url = "http://127.0.0.1:1/", key = "k", max_body = 1e6, connect_timeout = 5,
      user_agent = "x" }
    local sum = 0
    for _ = 1, 50 do
      assert.is_false(pcall(core.start, client, { action = "add", deadline = core.now() + 5, fields = { "a", print } }))
      for i = 1, 300 do sum = sum + i % 7 end -- hot: compiled
    end
    assert.is_true(sum > 0)
  end)
end)
