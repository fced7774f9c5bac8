-- A custom event loop, as docs/event-loops.md shows it: the specs run its exact text.
local core = require "smmpanel.core"
local dispatch = require "smmpanel.loop.dispatch"
local process = require "spec.support.process"
local sandbox_server = require "smmpanel.sandbox.server"
local sandbox_support = require "spec.support.sandbox"
local system = require "spec.support.system"

local function example()
  local text = system.read "docs/event-loops.md"
  return assert(text:match "```lua\n(%-%- A whole loop of your own.-)```", "the documents show no loop of one's own")
end

describe("a custom loop", function()
  it("runs calls, all and batches as in the documents' example", function()
    local sandbox = assert(sandbox_server.start { tls = false })
    finally(sandbox.stop)
    local path = os.tmpname()
    system.write(path, example(), [[
      local panel = smmpanel.new { url = os.getenv "SPEC_URL", key = os.getenv "SPEC_KEY", loop = loop }
      go(function()
        local results = smmpanel.all({ function() return panel:balance() end,
          function() return panel:status({ 1, 2, 100 }, { batch_size = 1 }) end }, { loop = loop })
        print("balance " .. results[1].balance, results[2][100].status)
      end)
      go(function() print(assert(panel:balance()).currency) end)
      go(function()
        local ok, err = pcall(function()
          for _ in coroutine.wrap(function() coroutine.yield(panel:balance()) end) do ok = true end
        end)
        print(ok, err:match "a generator's loop")
      end)
      run()
    ]])
    local said = system.output(("SPEC_URL='%s?fault=latency:0.1' SPEC_KEY=%s timeout 20 %s %s 2>&1"):format(
      sandbox.url, sandbox.key, process.lua(), path))
    os.remove(path)
    local lines = {}
    for line in said:gmatch "[^\n]+" do lines[#lines + 1] = line end
    table.sort(lines) -- they run concurrently: either may end first
    assert.same({ "USD", "balance 100.84292\tIn progress", "false\ta generator's loop" }, lines)
  end)

  -- A loop that runs the engine itself while a call waits, and that a test can break.
  local function make_loop(broken)
    local loop = { active = function() return true end, sleep = function() end, spawn = function() end }
    function loop.signal()
      local signal = {}
      function signal:open()
        if broken.open then error("open broke", 0) end
        self.is_open = true
      end
      function signal:wait(seconds)
        loop.seconds = seconds
        while not self.is_open do
          if broken.wait then broken.wait() end
          core.wait(0.1)
          dispatch.step()
        end
      end
      return signal
    end
    function loop.watch() if broken.watch then error("watch broke", 0) end end
    function loop.unwatch() if broken.unwatch then error("unwatch broke", 0) end end
    return loop
  end

  local ORDER = { service = 1, link = "https://example.com/x", quantity = 100 }

  describe("in a call", function()
    local sandbox

    lazy_setup(function() sandbox = sandbox_support.start { tls = false } end)
    lazy_teardown(function() if sandbox then sandbox.stop() end end)

    it("waits until the deadline at most", function()
      local loop = make_loop {}
      assert(sandbox.panel("", { loop = loop, name = "seconds", timeout = 20 }):balance())
      assert.is_true(loop.seconds > 0 and loop.seconds <= 20)
    end)

    it("throws in watch: nothing is sent, and the next call works", function()
      local broken = { watch = true }
      local panel = sandbox.panel("", { loop = make_loop(broken), name = "watch" })
      assert.has_error(function() panel:add(ORDER) end, "watch broke")
      assert.equal(0, sandbox.counts("watch").requests)
      broken.watch = false
      assert.is_truthy(panel:add(ORDER).order)
      assert.equal(1, sandbox.counts("watch").requests)
      assert.is_true(dispatch.is_idle())
    end)

    it("throws in a wait: the order is reported as uncertain", function()
      local broken = {}
      function broken.wait()
        for _ = 1, 100 do
          if sandbox.counts("wait").requests > 0 then break end
        end
        error("wait broke", 0)
      end
      local panel = sandbox.panel("latency:20", { loop = make_loop(broken), name = "wait" })
      local made, err = panel:add(ORDER)
      assert.is_nil(made)
      assert.same({ "cancelled", true }, { err.kind, err.uncertain })
      assert.matches("wait broke", err.message, 1, true)
      assert.is_true(dispatch.is_idle())
      broken.wait = nil
      assert.equal("USD", assert(sandbox.panel("", { loop = make_loop(broken) }):balance()).currency)
    end)

    it("throws in unwatch: the answer arrives nevertheless", function()
      local panel = sandbox.panel("", { loop = make_loop { unwatch = true } })
      local made, err = panel:add(ORDER)
      assert.is_truthy(made, tostring(err))
      assert.is_true(dispatch.is_idle())
    end)

    -- One watcher stayed for each such request.
    it("has no memory to register a request that has started: its watcher is removed", function()
      local watched = 0
      local loop = make_loop {}
      function loop.watch() watched = watched + 1 end
      function loop.unwatch() watched = watched - 1 end
      local client = core.client { url = sandbox.url, key = sandbox.key, max_body = 1e6, connect_timeout = 5 }
      local full = setmetatable({}, { __newindex = function() error("not enough memory", 0) end })
      for _ = 1, 3 do
        local request = { action = "balance", decimals = "number", deadline = core.now() + 5 }
        assert.has_error(function() dispatch.run(loop, client, request, full) end, "not enough memory")
        assert.equal(0, watched)
        assert.is_true(dispatch.is_idle())
      end
      assert.equal("USD", assert(sandbox.panel("", { loop = make_loop {} }):balance()).currency)
    end)

    it("throws when one signal opens: the others of that step get their answers", function()
      local ended, calls = {}, {}
      local function call(name)
        local loop = make_loop {}
        function loop.signal()
          local signal = {}
          function signal:wait() while not self.is_open do coroutine.yield() end end
          function signal:open()
            self.is_open = true
            if name == "first" then error("open broke", 0) end
          end
          return signal
        end
        return coroutine.create(function()
          ended[name] = sandbox.panel("latency:0.1", { loop = loop }):balance()
        end)
      end
      for _, name in ipairs { "first", "second", "third" } do calls[name] = call(name) end
      for _, co in pairs(calls) do assert(coroutine.resume(co)) end
      local thrown
      for _ = 1, 100 do
        core.wait(0.1)
        local ok, err = pcall(dispatch.step)
        thrown = thrown or not ok and err
        if dispatch.is_idle() then break end
      end
      assert.equal("open broke", thrown)
      for _, co in pairs(calls) do coroutine.resume(co) end
      for _, name in ipairs { "first", "second", "third" } do assert.equal("USD", ended[name].currency) end
    end)
  end)
end)
