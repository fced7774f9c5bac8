-- DESIGN "Options of new", and the options of a call.
local loops = require "smmpanel.loop"
local options = require "smmpanel.options"

local function panel(more)
  local given = { url = "https://panel.example/api/v2", key = "0123456789" }
  for name, value in pairs(more or {}) do given[name] = value end
  return options.panel(given)
end

local function message_of(f, ...)
  local ok, message = pcall(f, ...)
  assert.is_false(ok)
  assert.is_truthy(message:find("^spec/options_spec.lua:%d+: ") or message:find "options_spec", message)
  return message
end

local function refused(name, value, right)
  local message = message_of(panel, { [name] = value })
  assert.is_truthy(message:find("smmpanel.new: " .. name .. " must be ", 1, true), message)
  if right then assert.is_truthy(message:find(right, 1, true), message) end
  return message
end

describe("the options of new", function()
  it("have these defaults", function()
    local all = panel()
    assert.same({ 60, 10, 2, 8, 100, "number", 64 * 1024 * 1024, "auto" }, { all.timeout, all.connect_timeout,
      all.retries, all.concurrency, all.batch_size, all.decimals, all.max_body, all.loop })
    for _, name in ipairs { "rate", "proxy", "ca_file", "headers", "user_agent", "on_event", "ledger" } do
      assert.is_nil(all[name])
    end
  end)
  it("do not change the caller's table", function()
    local given = { url = "http://a", key = "0123" }
    options.panel(given)
    assert.same({ url = "http://a", key = "0123" }, given)
  end)
  it("throw if one is unknown, naming the most similar one", function()
    assert.is_truthy(message_of(panel, { timeot = 1 }):find(
      "smmpanel.new: unknown option 'timeot'; did you mean 'timeout'?", 1, true))
    assert.is_truthy(message_of(panel, { Retries = 1 }):find("did you mean 'retries'?", 1, true))
    assert.is_truthy(message_of(panel, { colour = 1 }):find("known: account, batch_size, ", 1, true))
    assert.is_truthy(message_of(panel, { "x" }):find("unknown option 1", 1, true))
  end)
  it("throw if url or key is missing", function()
    assert.is_truthy(message_of(options.panel, { key = "0123" }):find("the option 'url' is missing", 1, true))
    assert.is_truthy(message_of(options.panel, { url = "http://a" }):find("'key' is missing", 1, true))
    assert.is_truthy(message_of(options.panel, nil):find("needs a table of options, got nil", 1, true))
    assert.is_truthy(message_of(options.panel, "http://a"):find("got 'http://a'", 1, true))
  end)
  it("accept a url with http or https and a host, and nothing else", function()
    for _, url in ipairs { "http://a", "HTTPS://a.example:8443/api/v2", "http://[::1]:80/api",
      "http://u:p@h/x?y=1" } do
      assert.equal(url, panel({ url = url }).url)
    end
    for _, url in ipairs { "", "a.example/api", "ftp://a/", "file:///etc/passwd", "http://", "http:///x",
      "http://:80",
      "http://u@/", "http://a b/", "http://a/\n", "http://a/\0", "https:a", 5, true, {} } do
      refused("url", url)
    end
  end)
  it("throw if one has the wrong type or is out of range", function()
    for _, name in ipairs { "timeout", "connect_timeout", "rate" } do
      for _, value in ipairs { 0, -1, 0 / 0, 1 / 0, "5", true } do refused(name, value, "above 0") end
    end
    for _, value in ipairs { -1, 1.5, "2", 0 / 0 } do refused("retries", value, "an integer from 0 to") end
    for _, name in ipairs { "concurrency", "batch_size", "max_body" } do
      for _, value in ipairs { 0, 1.5, "2", 1 / 0 } do refused(name, value, "an integer from 1 to") end
    end
    refused("decimals", "float", "'number' or 'string'")
    refused("on_event", "print", "a function")
    refused("ledger", "file", "a ledger (smmpanel.ledger.sqlite")
    refused("limiter", 5, "a limiter (smmpanel.limiter.redis")
    refused("ledger", {}, "with a method 'identity'")
    refused("limiter", { reserve = print }, "with a method 'hold'")
    refused("loop", 5, "'auto'")
  end)
  it("refuse control characters", function()
    for _, name in ipairs { "url", "key", "proxy", "ca_file", "user_agent" } do
      for _, c in ipairs { "\r", "\n", "\0", "\t", "\127" } do refused(name, "http://a" .. c .. "b") end
      refused(name, "")
    end
    for _, headers in ipairs { { ["X-A"] = "b\r\nc" }, { ["X-A:"] = "b" }, { ["X A"] = "b" }, { [""] = "b" },
      { "X-A" }, { "X-A: b\nc: d" }, { ["X-A"] = 5 }, { [{}] = "b" }, { ["Content-Length"] = "1" },
      { "content-type: text/plain" } } do
      refused("headers", headers)
    end
  end)
  it("accept headers as a map or as lines", function()
    assert.same({ "X-A: b", "X-C: d" }, panel({ headers = { ["X-C"] = "d", ["X-A"] = "b" } }).headers)
    assert.same({ "X-A: b:c" }, panel({ headers = { "X-A:  b:c " } }).headers)
  end)
  it("never show the key", function()
    for _, key in ipairs { "s3cret\n", "s3cret\0", "" } do
      assert.is_nil(refused("key", key):find "s3cret")
    end
    assert.is_nil(message_of(options.panel, { key = "s3cret" }):find "s3cret")
  end)
end)

describe("the options of a call", function()
  it("are optional", function()
    assert.same({}, options.call("panel:balance", nil))
    assert.same({ timeout = 5, on_progress = print }, options.list("panel:status", {
      timeout = 5, on_progress = print }))
  end)
  it("throw if one is unknown, has the wrong type, or is for other calls", function()
    assert.is_truthy(message_of(options.call, "panel:balance", { timeuot = 5 }):find(
      "panel:balance: unknown option 'timeuot'; did you mean 'timeout'?", 1, true))
    assert.is_truthy(message_of(options.call, "panel:balance", { on_progress = print }):find "unknown option")
    assert.is_truthy(message_of(options.list, "panel:status", { timeout = "5" }):find(
      "panel:status: timeout must be a number of seconds above 0, got '5'", 1, true))
    assert.is_truthy(message_of(options.list, "panel:status", 5):find("needs a table of options, got 5",
      1, true))
  end)
end)

describe("the option loop", function()
  it("is auto, a name, or a table with the functions of a loop", function()
    local f = function() end
    loops.check("smmpanel.new", "auto")
    loops.check("smmpanel.new", "blocking")
    loops.check("smmpanel.new", { signal = f, sleep = f, spawn = f })
  end)
  it("throws otherwise", function()
    assert.is_truthy(message_of(loops.check, "smmpanel.new", "blockin"):find("did you mean 'blocking'?",
      1, true))
    assert.is_truthy(message_of(loops.check, "smmpanel.new", { signal = print, sleep = print }):find(
      "loop must have a function 'spawn', got nil", 1, true))
  end)
end)
