-- Broken and hostile panels, byte for byte over a real socket: each call ends within its deadline, with the right kind
-- and code, and the same client works afterwards.
local core = require "smmpanel.core"
local hostile = require "spec.support.hostile"
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"

local GOOD, OK, BODY = hostile.GOOD, hostile.OK, hostile.BODY
local TIMEOUT = 0.6
local MARGIN = 8 -- seconds that a busy machine may need on top of the deadline

describe("a panel that sends", function()
  local server, before
  local options = { timeout = TIMEOUT, retries = 0, max_body = 256 * 1024, key = "a-secret-of-a-key" }

  local function panel(steps, more)
    local given = { url = server.url(steps) }
    for name, value in pairs(options) do given[name] = value end
    for name, value in pairs(more or {}) do given[name] = value end
    return smmpanel.new(given)
  end

  setup(function() server = raw.start() end)
  teardown(function() server.stop() end)
  before_each(function() before = core.now() end)
  after_each(function()
    assert.is_true(core.now() - before < TIMEOUT + MARGIN, "it ended long after its deadline")
    assert.equal(0, core.in_flight())
    assert.equal(1.5, (panel({ GOOD }, { timeout = 10 }):balance() or {}).balance)
  end)

  local function tells_apart(case)
    local name, steps, kind, code = case[1], case[2], case[3], case[4]
    it(name, function()
      local value, err = panel(steps):balance()
      if kind == "ok" then
        assert.equal(1.5, value and value.balance, tostring(err))
      elseif kind then
        assert.is_nil(value)
        assert.equal(kind, err.kind, tostring(err))
        if code then assert.equal(code, err.code, tostring(err)) end
      elseif value then
        assert.equal(1.5, value.balance)
      end
      assert.is_nil(tostring(err):find("a-secret", 1, true))
    end)
  end
  for _, case in ipairs(hostile.CASES) do tells_apart(case) end
  for _, case in ipairs(hostile.BOMBS) do tells_apart(case) end

  -- If the length is declared, a cut is never accepted as an answer.
  for name, whole in pairs {
    ["a Content-Length"] = GOOD,
    ["chunks"] = OK .. "Transfer-Encoding: chunked\r\n\r\n9\r\n" .. BODY:sub(1, 9) .. "\r\n8\r\n" .. BODY:sub(10)
      .. "\r\n0\r\n\r\n",
  } do
    it("an answer with " .. name .. ", closed after each number of bytes", function()
      for count = 0, #whole - 2 do -- without its last line feed it is whole
        local value, err = panel({ whole:sub(1, count) }, { timeout = 10 }):balance()
        assert.is_nil(value, ("an answer of the first %d bytes"):format(count))
        assert.is_true(err.kind == "network" or err.kind == "response", tostring(err))
      end
      assert.equal(1.5, panel({ whole }, { timeout = 10 }):balance().balance)
    end)
  end

  it("headers up to 512 lines or 64 KiB, and not one more", function()
    local length, last = "Content-Length: 17\r\n", "\r\n" .. BODY
    local function lines(count) return { OK .. length .. ("X: y\r\n"):rep(count - 3) .. last } end
    local function bytes(size)
      local left = size - #OK - #length - #"\r\n" - #"X: \r\n"
      return { OK .. length, "X: ", { left, "y" }, "\r\n" .. last }
    end
    local function interim(count) return { { count, "HTTP/1.1 100 Continue\r\n\r\n" }, OK .. length .. last } end
    for most, steps in pairs { [512] = lines, [65536] = bytes, [254] = interim } do
      local value, err = panel(steps(most), { timeout = 10 }):balance()
      assert.equal(1.5, value and value.balance, tostring(err))
      value, err = panel(steps(most + 1), { timeout = 10 }):balance()
      assert.is_nil(value)
      assert.equal("protocol: the answer's headers are too large", err.code .. ": " .. err.message)
    end
  end)

  it("a Retry-After of a thousand years holds other calls back for 15 minutes", function()
    local held
    local limiter = { reserve = function() return 0, 1 end, hold = function(_, seconds) held = seconds return true end }
    for asked, most in pairs { [31536000000] = 900, [901] = 900, [899] = 899 } do
      local _, err = panel({ raw.answer("", ("Retry-After: %.0f\r\n"):format(asked), "429 X") },
        { limiter = limiter, timeout = 10 }):balance()
      assert.equal("rate_limited", err.code)
      assert.equal(most, held)
    end
  end)

  -- Newer versions of libcurl count more than six hours as six.
  it("a pause of more than a year: it counts as a year at most", function()
    for _, line in ipairs { "Retry-After: 31536001", "Retry-After: 9223372036854775807", "X-RateLimit-Reset: inf",
      "X-RateLimit-Reset: 1e300" } do
      local _, err = panel({ raw.answer("", line .. "\r\n", "429 X") }, { timeout = 10 }):balance()
      assert.is_true(err.retry_after > 0 and err.retry_after <= 31536000, line .. ": " .. err.retry_after)
    end
  end)

  it("a cookie gets none back, neither on that connection nor on the next", function()
    local listener = assert(require("socket").bind("127.0.0.1", 0))
    listener:settimeout(10)
    local client = core.client {
      url = ("http://127.0.0.1:%d/"):format((select(2, listener:getsockname()))), key = "k", max_body = 1e6,
      connect_timeout = 5, user_agent = "x",
    }
    local peer
    for call = 1, 3 do
      local transfer = assert(core.start(client, { action = "balance", deadline = core.now() + 10 }))
      peer = call ~= 2 and assert(listener:accept()) or peer
      peer:settimeout(10)
      local head = {}
      repeat head[#head + 1] = assert(peer:receive "*l") until head[#head] == ""
      peer:receive(tonumber(table.concat(head, "\n"):match "Content%-Length: (%d+)"))
      assert.is_nil(table.concat(head, "\n"):lower():find("cookie", 1, true))
      peer:send(raw.answer(BODY, "Set-Cookie: id=1; path=/\r\n" .. (call == 2 and "Connection: close\r\n" or "")))
      if call == 2 then peer:close() end
      local result
      repeat
        core.wait(1)
        core.step()
        result = transfer:result()
      until result
      assert.equal("", result.code, result.text)
    end
    peer:close()
    listener:close()
  end)

  it("a broken answer to an order leaves it uncertain", function()
    for _, steps in ipairs { {}, { raw.RESET }, { OK }, { raw.answer "" }, { raw.WAIT } } do
      local value, err = panel(steps):add { service = 1, link = "https://x.example", quantity = 1 }
      assert.is_nil(value)
      assert.is_true(err.uncertain, tostring(err))
      assert.equal(1, err.attempts)
    end
  end)
end)

describe("a port", function()
  local function balance(url, more)
    local given = { url = url, key = "a-secret-of-a-key", timeout = TIMEOUT, retries = 0 }
    for name, value in pairs(more or {}) do given[name] = value end
    local panel = smmpanel.new(given)
    local before = core.now()
    local value, err = panel:balance()
    assert.is_nil(value)
    assert.is_true(core.now() - before < TIMEOUT + MARGIN)
    return err
  end

  it("that nobody listens on", function()
    assert.equal("connect", balance("http://127.0.0.1:1/").code)
  end)

  it("that never accepts", function()
    local socket = require "socket"
    local full = assert(socket.bind("127.0.0.1", 0, 0))
    local port, waiting = select(2, full:getsockname()), {}
    for i = 1, 4 do -- the queue of a socket nobody accepts at
      waiting[i] = socket.tcp()
      waiting[i]:settimeout(0)
      waiting[i]:connect("127.0.0.1", port)
    end
    local err = balance(("http://127.0.0.1:%d/"):format(port))
    assert.equal("timeout", err.kind)
    for _, one in ipairs(waiting) do one:close() end
    full:close()
  end)

  it("of a host that no name server knows", function()
    local err = balance("http://no-such-host.invalid/", { timeout = 5 })
    assert.is_true(err.code == "resolve" or err.kind == "timeout", tostring(err))
    assert.is_nil(err.uncertain)
  end)
end)
