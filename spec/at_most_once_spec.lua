-- A write is sent at most once unless it certainly did not arrive: the server's own count proves it.
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"

local network_it = sandboxes.has_network and it or function() end

describe("PROTOCOL 'Transport': add, at most once", function()
  local sandbox
  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox.stop() end)

  local function order(n)
    return { service = 1, link = "https://example.com/" .. n, quantity = 100 }
  end

  local uncertain = {
    { "lost", "network", "the answer is lost" },
    { "lost-reset", "network", "the connection is reset after the order was made" },
    { "made,html", "response", "HTML" },
    { "made,empty", "response", "empty" },
    { "made,newline", "response", "a line break" },
    { "made,null", "response", "null" },
    { "made,fatal", "response", "a PHP fatal error" },
    { "made,500-empty", "http", "500 and nothing" },
    { "made,502-html", "http", "502 and HTML" },
    { "cut:5", "network", "cut" },
    { "latency:5", "timeout", "late" },
  }
  for i, case in ipairs(uncertain) do
    local fault, kind, what = case[1], case[2], case[3]
    it("is sent once and uncertain when the answer is " .. what, function()
      local name = "u" .. i
      local panel = sandbox.panel(fault, { name = name, timeout = 1, retries = 5 })
      local made, err = panel:add(order(i))
      assert.is_nil(made)
      assert.equal(kind, err.kind)
      assert.is_true(err.uncertain)
      assert.equal(1, err.attempts)
      local counts = sandbox.counts(name)
      assert.equal(1, counts.requests)
    end)
  end

  network_it("is sent once on a kept connection that turns out dead", function()
    local panel = sandbox.panel("lost@1", { name = "kept" })
    assert(sandbox.panel("", { name = "other" }):balance()) -- the connection that will be used again
    local _, err = panel:add(order "kept")
    assert.is_true(err.uncertain)
    local counts = sandbox.counts "kept"
    assert.equal(1, counts.requests)
    assert.equal(1, counts.made)
  end)

  -- The panel, or what stands before it, may just be closing that connection.
  network_it("is not sent on a connection that idled over four seconds, as a read is", function()
    local writer = sandbox.panel("", { name = "writer" })
    local reader = smmpanel.new { url = sandbox.tls_url .. "?name=reader", key = sandbox.key,
      ca_file = sandbox.ca_file }
    assert(reader:balance())
    assert(reader:balance())
    assert(writer:balance())
    assert(writer:add(order "warm"))
    assert(writer:balance())
    os.execute "sleep 5.2"
    assert(reader:balance()) -- first, for the write closes all that are too old for it
    assert(writer:add(order "idled"))
    assert.equal(1, sandbox.counts("reader").connections)
    assert.equal(2, sandbox.counts("writer").connections)
  end)

  it("is not uncertain when the panel refuses it", function()
    local _, err = sandbox.panel(""):add { service = 1, link = "https://example.com/", quantity = 1 }
    assert.equal("panel", err.kind)
    assert.equal("bad_quantity", err.code)
    assert.is_nil(err.uncertain)
  end)

  it("is not retried after a 429, and not uncertain", function()
    local _, err = sandbox.panel("429:1", { name = "busy", retries = 3 }):add(order "busy")
    assert.equal("rate_limited", err.code)
    assert.equal(1, err.retry_after)
    assert.is_nil(err.uncertain)
    assert.equal(1, sandbox.counts("busy").requests)
  end)

  local unsent = {
    { "connection refused", "connect", { url = "http://127.0.0.1:1/" } },
    { "unknown host", "resolve", { url = "http://no-such-host.invalid/api/v2" } },
    { "a certificate nobody signed", "tls", { tls = true } },
  }
  for _, case in ipairs(unsent) do
    network_it("is tried again and not uncertain: " .. case[1], function()
      local attempts = {}
      local panel = smmpanel.new {
        url = case[3].url or sandbox.tls_url, key = sandbox.key, retries = 2, timeout = 20,
        on_event = function(event)
          if event.type == "attempt" then attempts[#attempts + 1] = event.err and event.err.code end
        end,
      }
      local before = sandbox.counts().requests
      local _, err = panel:add(order "unsent")
      assert.equal("network", err.kind)
      assert.equal(case[2], err.code)
      assert.is_nil(err.uncertain)
      assert.equal(3, err.attempts)
      assert.same({ case[2], case[2], case[2] }, attempts)
      assert.equal(before, sandbox.counts().requests)
    end)
  end

  it("stays within the deadline with any number of retries", function()
    local started = smmpanel.new { url = "http://127.0.0.1:1/", key = "k", retries = 100, timeout = 0.5 }
    local _, err = started:add(order "deadline")
    assert.is_true(err.kind == "network" or err.kind == "timeout")
    assert.is_true(err.attempts < 100)
    assert.is_nil(err.uncertain)
  end)

  it("refill and cancel too", function()
    for _, action in ipairs { "refill", "cancel" } do
      local _, err = sandbox.panel("502-html", { name = action, retries = 3 })[action](
        sandbox.panel("502-html", { name = action, retries = 3 }), 23501)
      assert.is_true(err.uncertain)
      assert.equal(1, sandbox.counts(action).requests)
    end
  end)
end)

describe("PROTOCOL 'Transport': reads are retried", function()
  local sandbox
  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox.stop() end)

  for i, fault in ipairs { "500-html@2", "503@2", "429:0@1", "lost@1", "reset@2", "cut:5@1" } do
    it("after " .. fault, function()
      local panel = sandbox.panel(fault, { name = "r" .. i, retries = 3 })
      local balance, err = panel:balance()
      assert.is_nil(err)
      assert.equal("USD", balance.currency)
      assert.equal(tonumber(fault:match "@(%d)") + 1, sandbox.counts("r" .. i).requests)
    end)
  end

  it("but never after a wrong key", function()
    local _, err = sandbox.panel("", { name = "wrong", key = "wrong", retries = 5 }):balance()
    assert.equal("invalid_key", err.code)
    assert.equal(1, sandbox.counts("wrong").requests)
  end)

  it("and not before Retry-After has passed: if that is after the deadline, it fails at once", function()
    local _, err = sandbox.panel("429:600", { name = "later", retries = 5, timeout = 5 }):balance()
    assert.equal("rate_limited", err.code)
    assert.equal(600, err.retry_after)
    assert.equal(1, sandbox.counts("later").requests)
  end)
end)
