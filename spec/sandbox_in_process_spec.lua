-- The sandbox as a transport in this process: no server, no socket, no thread.
local core = require "smmpanel.core"
local smmpanel = require "smmpanel"

local ORDER = { service = 1, link = "https://example.com/p/1", quantity = 1000 }

local function panel_on(sandbox, faults, more)
  local given = { url = faults and sandbox:url_with(faults) or sandbox.url, key = sandbox.key, transport = sandbox }
  for name, value in pairs(more or {}) do given[name] = value end
  return smmpanel.new(given)
end

describe("the sandbox in the process", function()
  it("answers every action", function()
    local sandbox = smmpanel.sandbox { services = 50 }
    local panel = panel_on(sandbox)
    assert.equal(100.84292, assert(panel:balance()).balance)
    assert.equal(50, #assert(panel:services()))
    local made = assert(panel:add(ORDER))
    assert.equal("Pending", assert(panel:status(made.order)).status)
    assert.equal("Incorrect order ID", panel:status { 1, 9 }[9].error)
    assert.is_truthy(panel:cancel { made.order })
    sandbox:advance(3600)
    assert.is_true(smmpanel.is_final(assert(panel:status(made.order)).status))
  end)

  it("advances its clock at once", function()
    local sandbox = smmpanel.sandbox()
    local panel = panel_on(sandbox)
    local made = assert(panel:add(ORDER))
    sandbox:advance(3)
    assert.equal("Processing", assert(panel:status(made.order)).status)
    sandbox:advance(3600)
    assert.equal("Completed", assert(panel:status(made.order)).status)
  end)

  it("counts, lists and resets", function()
    local sandbox = smmpanel.sandbox()
    local panel = panel_on(sandbox)
    assert(panel:add(ORDER))
    panel_on(sandbox, "", { url = sandbox:url_with("", "counted") }):balance()
    local all, named = sandbox:stats(), sandbox:stats "counted"
    assert.same({ 2, 1, 0 }, { all.requests, all.made, all.key_elsewhere })
    assert.same({ 1, 0 }, { named.requests, named.made })
    assert.equal(ORDER.link, sandbox:orders()[1].link)
    sandbox:reset()
    assert.same({ 0, 0 }, { sandbox:stats().requests, #sandbox:orders() })
  end)

  it("accepts every key if none was set, otherwise only that one", function()
    local open, closed = smmpanel.sandbox(), smmpanel.sandbox { key = "the-right-one" }
    assert(smmpanel.new { url = open.url, key = "whatever", transport = open }:balance())
    local _, err = smmpanel.new { url = closed.url, key = "a-wrong-one", transport = closed }:balance()
    assert.equal("invalid_key", err.code)
  end)

  it("sets balances and faults", function()
    local sandbox = smmpanel.sandbox()
    local panel = panel_on(sandbox, nil, { retries = 0 })
    sandbox:set_balance "0.5"
    local _, err = panel:add(ORDER)
    assert.equal("no_funds", err.code)
    sandbox:set_faults("503-html", "balance")
    _, err = panel:balance()
    assert.equal("server_error", err.code)
    assert(panel:services())
    sandbox:set_faults()
    assert(panel:balance())
    assert.has_error(function() sandbox:set_faults "no-such-fault" end)
  end)

  it("has its faults for a URL that names none", function()
    local sandbox = smmpanel.sandbox()
    sandbox:set_faults("503-html", "balance")
    for _, url in ipairs { sandbox.url, sandbox:url_with "", sandbox:url_with("", "counted") } do
      local panel = smmpanel.new { url = url, key = "any", transport = sandbox, retries = 0 }
      assert.equal("server_error", select(2, panel:balance()).code)
    end
    assert.equal(1, sandbox:stats("counted").requests)
    assert(panel_on(sandbox, "pretty", { retries = 0 }):balance())
  end)

  it("throws where the URL is asked for with an unknown fault", function()
    local sandbox = smmpanel.sandbox()
    assert.error_matches(function() sandbox:url_with "lsot" end, "unknown fault lsot")
    assert.error_matches(function() sandbox:url_with "lost,latency:x" end, "latency")
    assert.matches("set:rate=", sandbox:url_with "set:rate=%5B1%252C2%5D", 1, true)
  end)

  it("carries out a late order although its caller is gone", function()
    local sandbox = smmpanel.sandbox()
    local _, err = panel_on(sandbox, "late:5", { timeout = 0.05 }):add(ORDER)
    assert.same({ "timeout", true }, { err.code, err.uncertain })
    assert.equal(0, #sandbox:orders())
    sandbox:advance(5)
    assert.equal(1, #sandbox:orders())
    assert.same({ 1, 1 }, { sandbox:stats().requests, sandbox:stats().made })
  end)

  it("runs the calls of a batch concurrently", function()
    local panel = panel_on(smmpanel.sandbox(), "latency:0.05", { concurrency = 10 })
    local begun = core.now()
    panel:status({ 1, 2, 100, 101, 102, 103, 104, 105, 106, 107 }, { batch_size = 1 })
    local together = core.now() - begun
    begun = core.now()
    for _ = 1, 10 do panel:balance() end
    assert.is_true(together < core.now() - begun)
  end)

  it("ends the calls in flight when the panel is closed", function()
    local panel, err = panel_on(smmpanel.sandbox(), "stall"), nil
    smmpanel.all {
      function() err = select(2, panel:balance()) end,
      function()
        panel_on(smmpanel.sandbox(), "latency:0.05"):balance()
        panel:close()
      end,
    }
    assert.same({ "cancelled", "cancelled" }, { err.kind, err.code })
  end)

  it("needs no thread and no descriptor, delays included", function()
    local script = [[
      local function descriptors() return io.popen "ls /proc/$PPID/fd | wc -l":read "*n" end
      local before = descriptors()
      local smmpanel = require "smmpanel"
      local sandbox = smmpanel.sandbox()
      local panel = smmpanel.new { url = sandbox:url_with "latency:0.02", key = "k", transport = sandbox }
      panel:status({ 1, 2, 100 }, { batch_size = 1 })
      collectgarbage()
      local status = io.open "/proc/self/status":read "*a"
      print(status:match "Threads:%s*(%d+)", descriptors() - before)
    ]]
    local pipe = io.popen(("%s -e %q"):format(require "spec.support.process".lua(), (script:gsub("\n", " "))))
    local threads, more = pipe:read("*n", "*n")
    pipe:close()
    assert.equal(1, threads)
    assert.is_true(more <= 1, more) -- the status file
  end)

  it("stops streaming a body that is larger than max_body", function()
    for _, fault in ipairs { "huge", "huge-string", "huge-list", "bomb" } do
      local _, err = panel_on(smmpanel.sandbox(), fault, { max_body = 1e6 }):services()
      assert.equal("too_large", err.code)
    end
  end)
end)

describe("a transport", function()
  local function panel_with(transport, more)
    local given = { url = "http://panel.invalid/api/v2", key = "S3CRET-key", transport = transport, retries = 0 }
    for name, value in pairs(more or {}) do given[name] = value end
    return smmpanel.new(given)
  end

  it("receives the request as it would be sent", function()
    local seen
    panel_with(function(request)
      seen = request
      return { status = 200, body = '{"balance":"1","currency":"USD"}' }
    end, { headers = { ["X-Shop"] = "one" } }):balance()
    assert.same({ "http://panel.invalid/api/v2", "POST", "key=S3CRET-key&action=balance", "balance", "one" },
      { seen.url, seen.method, seen.body, seen.action, seen.headers["X-Shop"] })
    assert.is_true(seen.timeout > 59 and seen.timeout <= 60)
  end)

  it("that fails reports whether the request was sent", function()
    for _, case in ipairs { { "connect", false, nil }, { "reset", true, true }, { "timeout", true, true } } do
      local _, err = panel_with(function() return nil, { code = case[1], message = "on purpose", sent = case[2] } end)
        :add(ORDER)
      assert.same({ case[1], case[3], "on purpose" }, { err.code, err.uncertain, err.message })
    end
  end)

  it("is called again if nothing was sent", function()
    local calls = 0
    local made = panel_with(function()
      calls = calls + 1
      if calls < 3 then return nil, { code = "connect", message = "no", sent = false } end
      return { status = 200, body = '{"order":"23501"}' }
    end, { retries = 2 }):add(ORDER)
    assert.same({ 23501, 3 }, { made.order, calls })
  end)

  it("can return how long the panel wants no request, as seconds or as a date", function()
    local function retry_after(value)
      local _, err = panel_with(function()
        return { status = 429, headers = { ["Retry-After"] = value }, body = '{"error":"Too many requests"}' }
      end):balance()
      return err.retry_after
    end
    assert.equal(7, retry_after "7")
    local date = retry_after(os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 60))
    assert.is_true(date > 50 and date <= 60)
    assert.is_nil(retry_after "Sun, 06 Nov 1994 08:49:37 GMT")
    assert.is_nil(retry_after "soon")
  end)

  it("that returns nothing fails, and says what is wanted", function()
    local _, err = panel_with(function() end):balance()
    assert.same({ "network", "transport", 1 }, { err.kind, err.code, err.attempts })
    assert.is_truthy(err.message:find("the transport must return an answer", 1, true))
  end)
end)
