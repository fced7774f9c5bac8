-- Calls: what goes beyond one request and its answer.
local core = require "smmpanel.core"
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"

describe("a call", function()
  local sandbox
  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox.stop() end)

  local function order(more)
    local given = { service = 1, link = "https://example.com/", quantity = 50 }
    for name, value in pairs(more or {}) do given[name] = value end
    return given
  end

  -- Returns what a function writes to stderr.
  local function stderr_of(f)
    local before, written = io.stderr, {}
    io.stderr = { write = function(_, text) written[#written + 1] = text end } -- luacheck: ignore 122
    local ok, thrown = pcall(f)
    io.stderr = before -- luacheck: ignore 122
    assert(ok, thrown)
    return written
  end

  it("has its own options", function()
    assert(sandbox.panel("500@1", { name = "own", retries = 0 }):balance { retries = 1 })
    assert.is_nil((sandbox.panel("500", { retries = 1 }):balance { retries = 0 }))
    local begun = core.now()
    local _, err = sandbox.panel("stall"):balance { timeout = 0.2 }
    assert.equal("timeout", err.kind)
    assert.is_true(core.now() - begun < 30)
    assert.equal("100.84292", assert(sandbox.panel "":balance { decimals = "string" }).balance)
  end)

  it("reports each attempt to `on_event`", function()
    local events = {}
    local panel = sandbox.panel("503-html@1", { name = "observed", on_event = function(event)
      if event.type == "attempt" then events[#events + 1] = event end
    end })
    assert(panel:balance())
    assert.equal(2, #events)
    for i, status in ipairs { 503, 200 } do
      local event = events[i]
      assert.same({ "balance", i, status }, { event.action, event.attempt, event.http_status })
      assert.is_true(event.seconds >= 0 and event.bytes > 0)
    end
    assert.same({ "http", "server_error", 1 }, { events[1].err.kind, events[1].err.code,
      events[1].err.attempts })
    assert.is_nil(events[2].err)
  end)

  it("loses no answer if `on_event` or `on_progress` throws: stderr has the error, once", function()
    local panel = sandbox.panel("", { on_event = function() error "on_event is broken" end })
    local made, many
    local written = stderr_of(function()
      made = panel:add(order())
      many = panel:status({ made.order, 700001, 700002 }, {
        batch_size = 1, on_progress = function() error { "on_progress is broken" } end })
    end)
    assert.equal("USD", many[made.order].currency)
    assert.equal("bad_order", many[700002].code)
    assert.equal(2, #written)
    assert.is_truthy(written[1]:find("on_event is broken", 1, true))
    assert.is_truthy(written[2]:find("smmpanel: on_progress threw: ", 1, true))
  end)

  it("respects `rate`", function()
    local panel = sandbox.panel("", { rate = 20 })
    local begun = core.now()
    for _ = 1, 5 do assert(panel:balance()) end
    assert.is_true(core.now() - begun >= 0.2 - 0.01)
    local slow = sandbox.panel("", { rate = 0.1 })
    assert(slow:balance())
    local _, err = slow:balance { timeout = 1 }
    assert.same({ "timeout", "rate", 0 }, { err.kind, err.code, err.attempts })
  end)

  describe("of any action", function()
    it("returns the answer unchanged, with typed fields", function()
      local made = assert(sandbox.panel "":add(order()))
      assert.equal(made.order, assert(sandbox.panel "":call("add", order())).order - 1)
      local raw = assert(sandbox.panel "":call("status", { orders = { made.order, 700001 } }))
      assert.equal("USD", raw[tostring(made.order)].currency)
      assert.equal("Incorrect order ID", raw["700001"].error)
    end)
    it("refuses as the panel does", function()
      local value, err = sandbox.panel "":call "Services"
      assert.is_nil(value)
      assert.same({ "panel", "bad_request", "Services" }, { err.kind, err.code, err.action })
    end)
    it("counts as a write unless it is a known read", function()
      local _, err = sandbox.panel("500", { name = "call-write" }):call "vouchers"
      assert.is_true(err.uncertain)
      assert.equal(1, err.attempts)
      _, err = sandbox.panel("500", { name = "call-read", retries = 1 }):call "balance"
      assert.is_nil(err.uncertain)
      assert.equal(2, err.attempts)
    end)
    it("throws if action or fields are wrong", function()
      local panel = sandbox.panel ""
      for _, action in ipairs { "", "a\n", 5, {} } do assert.is_false(pcall(panel.call, panel, action)) end
      for _, fields in ipairs { 5, "a=b", { key = "x" }, { action = "x" }, { a = {} }, { "a" } } do
        assert.is_false(pcall(panel.call, panel, "x", fields))
      end
    end)
  end)

  describe("together with others, by smmpanel.all", function()
    it("waits concurrently, not one after another", function()
      local panel = sandbox.panel("latency:0.3", { name = "all" })
      local work = {}
      for i = 1, 10 do work[i] = function() return panel:balance() end end
      local results, errs = smmpanel.all(work)
      for i = 1, 10 do assert.equal("USD", results[i].currency) end
      assert.same({}, errs)
      assert.is_true(sandbox.counts("all").max_in_flight >= 5)
    end)
    it("returns each result under its key", function()
      local results, errs = smmpanel.all {
        good = function() return sandbox.panel "":balance() end,
        bad = function() return sandbox.panel("500", { retries = 0 }):balance() end,
        many = function() return sandbox.panel "":status { 100, 700001 } end,
        function() return false end,
      }
      assert.equal("USD", results.good.currency)
      assert.is_nil(results.bad)
      assert.equal(500, errs.bad.http_status)
      assert.equal("bad_order", results.many[700001].code)
      assert.is_false(results[1])
    end)
    it("of functions in a list", function()
      assert.same({}, (smmpanel.all {}))
      for _, wrong in ipairs { 5, { 5 }, { print, "x" } } do
        local ok, message = pcall(smmpanel.all, wrong)
        assert.is_false(ok)
        assert.is_truthy(message:find("smmpanel.all: ", 1, true))
      end
      assert.is_false(pcall(smmpanel.all))
    end)
    it("lets the others end when one throws", function()
      local record
      local ok, thrown = pcall(smmpanel.all, {
        function() error "mine" end,
        function() record = sandbox.panel("latency:0.1"):balance() end,
      })
      assert.is_false(ok)
      assert.is_truthy(thrown:find("mine", 1, true))
      assert.equal("USD", record.currency)
    end)
    it("also in a coroutine of the caller, where it blocks", function()
      local co = coroutine.create(function()
        local results = smmpanel.all {
          function() return sandbox.panel "":balance() end, function() return sandbox.panel "":balance() end }
        return results[1].currency .. results[2].currency
      end)
      local _, value = coroutine.resume(co)
      assert.equal("USDUSD", value)
    end)
  end)

  describe("when the panel is closed", function()
    it("ends as cancelled, and is uncertain if it may have been carried out", function()
      local panel = sandbox.panel("latency:20", { name = "closing" })
      local err
      smmpanel.all {
        function() err = select(2, panel:add(order())) end,
        function() assert(sandbox.panel("latency:0.3"):balance()) panel:close() end,
      }
      assert.same({ "cancelled", true }, { err.kind, err.uncertain })
      panel:close()
      assert.is_false(pcall(panel.balance, panel))
    end)
    it("is not retried", function()
      local panel, attempts
      panel = sandbox.panel("500", { retries = 50, on_event = function(event)
        attempts = event.type == "attempt" and event.attempt or attempts
        if attempts == 2 then panel:close() end
      end })
      local _, err = panel:balance()
      assert.equal(500, err.http_status)
      assert.equal(2, attempts)
    end)
    it("which `<close>` does at the end of its block", function()
      local chunk = (loadstring or load)("local panel <close> = ... return panel") -- luacheck: ignore 113
      if not chunk then return end -- before 5.4
      local panel = chunk(sandbox.panel "")
      assert.is_truthy(tostring(panel):find("closed", 1, true))
    end)
  end)

  describe("that watches", function()
    it("ends when all are final, and reports each change", function()
      local panel = sandbox.panel ""
      local done = assert(panel:add(order { link = "https://example.com/done" })).order
      local partial = assert(panel:add(order { link = "https://example.com/#ends=Partial" })).order
      local seen = {}
      local last, err = panel:watch({ done, partial, 700001 }, { interval = 0.05, timeout = 30,
        on_change = function(id, record, previous)
          seen[#seen + 1] = { id, record, previous }
          if #seen == 3 then sandbox.ask("advance?seconds=60") end
        end })
      assert.is_nil(err)
      assert.same({ "Completed", "Partial", "bad_order" },
        { last[done].status, last[partial].status, last[700001].code })
      assert.is_true(#seen >= 5)
      for _, change in ipairs(seen) do
        assert.is_true(change[3] == nil or change[3].status ~= change[2].status
          or change[3].remains ~= change[2].remains)
      end
    end)
    it("returns the record of a single id", function()
      local panel = sandbox.panel ""
      assert.equal("Partial", (panel:watch(1)).status)
      assert.equal("bad_order", (panel:watch("700001")).code)
    end)
    it("ends at its timeout with the last records", function()
      local last, err = sandbox.panel "":watch({ 100 }, { interval = 0.02, timeout = 0.1 })
      assert.equal("In progress", last[100].status)
      assert.same({ "timeout", "status" }, { err.kind, err.action })
    end)
    it("continues after a failed poll, with the previous records", function()
      local panel = sandbox.panel("500@1,500@3-4", { name = "watched", retries = 0 })
      local changes = 0
      local last, err = panel:watch({ 100 }, { interval = 0.02, timeout = 0.5,
        on_change = function() changes = changes + 1 end })
      assert.equal("In progress", last[100].status)
      assert.equal("timeout", err.kind)
      assert.equal(1, changes)
      assert.is_true(sandbox.counts("watched").requests >= 3)
    end)
    it("ends when the key is refused", function()
      local last, err = sandbox.panel("error:Invalid%20API%20key", { name = "refused" }):watch({ 100 }, {
        interval = 0.02 })
      assert.equal("invalid_key", err.code)
      assert.equal(err, last[100].cause)
      assert.equal(1, sandbox.counts("refused").requests)
    end)
  end)
end)

describe("the module", function()
  it("has one version", function()
    assert.equal(core.version, smmpanel.version)
    assert.equal("smmpanel " .. core.version, smmpanel._VERSION)
  end)
  it("steps without blocking", function()
    smmpanel.step()
    smmpanel.step(1024)
  end)
end)
