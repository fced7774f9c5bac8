-- The events that `on_event` receives, and when.
local smmpanel = require "smmpanel"
local support = require "spec.support.sandbox"

local ORDER = { service = 1, link = "https://example.com/events", quantity = 100 }

local function listener()
  local seen = {}
  return seen, function(event) seen[#seen + 1] = event end
end

local function types(seen)
  local list = {}
  for i, event in ipairs(seen) do list[i] = event.type end
  return table.concat(list, " ")
end

describe("the events of a call", function()
  local sandbox
  setup(function() sandbox = support.start() end)
  teardown(function() sandbox.stop() end)

  it("are start, attempt, wait, attempt, end if one attempt failed", function()
    local seen, on_event = listener()
    local panel = sandbox.panel("503-html@1", { name = "order-of-events", on_event = on_event })
    assert(panel:balance())
    assert.equal("start attempt wait attempt end", types(seen))
    local start, first, wait, second, last = (table.unpack or unpack)(seen) -- luacheck: ignore 143 113
    assert.is_true(start.timeout > 0 and start.timeout <= 60)
    assert.same({ 1, 503, "server_error" }, { first.attempt, first.http_status, first.err.code })
    assert.same({ "back_off", 2 }, { wait.reason, wait.attempt })
    assert.is_true(wait.seconds > 0)
    assert.same({ 2, 200 }, { second.attempt, second.http_status })
    assert.is_nil(second.err)
    assert.same({ 2 }, { last.attempts })
    assert.is_true(last.seconds >= wait.seconds)
    for _, event in ipairs(seen) do assert.equal("balance", event.action) end
  end)

  it("end with the call's error", function()
    local seen, on_event = listener()
    local _, err = sandbox.panel("error:Incorrect%20request", { on_event = on_event }):balance()
    assert.equal("start attempt end", types(seen))
    assert.equal(err, seen[3].err)
  end)

  it("have the number of ids of a request", function()
    local seen, on_event = listener()
    sandbox.panel("", { on_event = on_event }):status({ 1, 2, 100 }, { batch_size = 2, concurrency = 1 })
    assert.same({ 2, 2, 2, 1, 1, 1 }, { seen[1].ids, seen[2].ids, seen[3].ids, seen[4].ids, seen[5].ids, seen[6].ids })
  end)

  it("have the times of an attempt, and whether its connection was reused", function()
    local seen, on_event = listener()
    local panel = smmpanel.new { url = sandbox.tls_url, key = sandbox.key, ca_file = sandbox.ca_file,
      on_event = on_event }
    assert(panel:balance())
    assert(panel:balance())
    local first, second = seen[2], seen[5]
    local timings = first.timings
    assert.is_true(timings.dns <= timings.connect and timings.connect <= timings.tls)
    assert.is_true(timings.tls > 0 and timings.tls <= timings.first_byte)
    assert.is_true(timings.first_byte <= timings.total and timings.total <= first.seconds)
    assert.same({ false, true }, { first.reused, second.reused })
    assert.is_true(first.http_version >= 1.1)
  end)

  it("report a wait for the rate limit", function()
    local seen, on_event = listener()
    local panel = sandbox.panel("", { on_event = on_event, rate = 20 })
    for _ = 1, 3 do assert(panel:balance()) end
    local waits = 0
    for _, event in ipairs(seen) do
      if event.type == "wait" then
        waits = waits + 1
        assert.equal("rate", event.reason)
      end
    end
    assert.is_true(waits >= 1)
  end)

  it("of an order with a ref come after its answer is in the ledger, and have the ref", function()
    local path = os.tmpname()
    os.remove(path)
    local panel, pending_then
    local seen = {}
    panel = sandbox.panel("", { ledger = smmpanel.ledger.sqlite(path), on_event = function(event)
      seen[#seen + 1] = event
      pending_then = pending_then or #assert(panel:pending())
    end })
    assert(panel:add(ORDER, { ref = "event-1" }))
    assert.equal("start attempt end", types(seen))
    assert.equal(0, pending_then)
    for _, event in ipairs(seen) do assert.equal("event-1", event.ref) end
    panel:close()
    os.remove(path)
  end)
end)

describe("headers of one call", function()
  local sandbox
  setup(function() sandbox = support.start() end)
  teardown(function() sandbox.stop() end)

  it("are sent with this call only, in place of the panel's of the same name", function()
    local seen = {}
    local inner = smmpanel.sandbox()
    local panel = smmpanel.new { url = inner.url, key = "any-key", headers = { ["X-Shop"] = "one", ["X-Kept"] = "yes" },
      transport = function(request)
        seen[#seen + 1] = request.headers
        return inner(request)
      end }
    assert(panel:balance { headers = { ["x-shop"] = "two", traceparent = "00-1-2-01" } })
    assert(panel:balance())
    assert.same({ "two", "yes", "00-1-2-01" }, { seen[1]["x-shop"], seen[1]["X-Kept"], seen[1].traceparent })
    assert.is_nil(seen[1]["X-Shop"])
    assert.same({ "one", "yes" }, { seen[2]["X-Shop"], seen[2]["X-Kept"] })
    assert.is_nil(seen[2].traceparent)
  end)

  it("reach a panel over the network", function()
    local panel = sandbox.panel("", { name = "headers-of-a-call", user_agent = "panel/1" })
    assert(panel:balance { headers = { ["User-Agent"] = "call/2" } })
    assert(panel:balance())
    local last = sandbox.counts("headers-of-a-call").last
    assert.same({ "call/2", "panel/1" }, { last[1].user_agent, last[2].user_agent })
  end)

  it("that are wrong throw before anything is sent", function()
    local panel = sandbox.panel ""
    local ok, message = pcall(panel.balance, panel, { headers = { ["X-Bad"] = "two\nlines" } })
    assert.is_false(ok)
    assert.is_truthy(message:find("headers must be", 1, true))
  end)
end)
