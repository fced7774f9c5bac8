-- Broken and hostile panels, byte for byte over a real socket: each ends within its deadline, with the right
-- kind and code, and the same client is of use afterwards.
local core = require "smmpanel.core"
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"

local GOOD = raw.answer '{"balance":"1.5","currency":"USD"}'
local OK = "HTTP/1.1 200 OK\r\n"
local BODY = '{"balance":"1.5"}'
local TIMEOUT = 0.6
local MARGIN = 8 -- seconds that a busy machine may need on top of the deadline

-- What is sent -> kind and code; "ok" where it is an answer after all.
local CASES = {
  { "nothing, and closes", {}, "network", "reset" },
  { "nothing, and resets", { raw.RESET }, "network", "reset" },
  { "nothing, and closes its half", { raw.HALF, raw.WAIT }, "network", "reset" },
  { "nothing, and waits", { raw.WAIT }, "timeout", "timeout" },
  { "headers one byte at a time", { { drip = GOOD, pause = 0.1 } }, "timeout", "timeout" },
  { "a body one byte at a time", { OK .. "Content-Length: 17\r\n\r\n", { drip = BODY, pause = 0.1 } },
    "timeout", "timeout" },
  { "a slow answer that is in time", { 0.2, GOOD:sub(1, 40), 0.1, GOOD:sub(41) }, "ok" },
  { "endless headers", { OK, { 100000000, "X-A: b\r\n" } }, "network", "protocol" },
  { "one header of 1 MB", { OK, "X-A: ", { 1048576, "b" }, "\r\n\r\n" }, "network", "protocol" },
  { "a status line of 1 MB", { "HTTP/1.1 200 ", { 1048576, "b" }, "\r\n\r\n" }, "network", "protocol" },
  { "endless 100 Continue", { { 100000000, "HTTP/1.1 100 Continue\r\n\r\n" } }, "network", "protocol" },
  { "100 Continue, then the answer", { "HTTP/1.1 100 Continue\r\n\r\n", GOOD }, "ok" },
  { "103 Early Hints, then the answer", { "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", GOOD }, "ok" },
  { "101 Switching Protocols", { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n", "\0\1\2\3" },
    "http", "status" },
  { "a Content-Length that is too long", { OK .. "Content-Length: 99\r\n\r\n" .. BODY }, "network", "cut" },
  { "a Content-Length that is too short", { OK .. "Content-Length: 5\r\n\r\n" .. BODY }, "response", "not_json" },
  { "a negative Content-Length", { OK .. "Content-Length: -5\r\n\r\n" .. BODY }, "network", "protocol" },
  { "a Content-Length that is no number", { OK .. "Content-Length: many\r\n\r\n" .. BODY }, nil, nil },
  { "a Content-Length beyond 64 bits", { OK .. "Content-Length: 99999999999999999999999\r\n\r\n" .. BODY },
    nil, nil },
  { "a Content-Length of 1 TB", { OK .. "Content-Length: 1099511627776\r\n\r\n" .. BODY }, "response", "too_large" },
  { "two Content-Lengths that differ", { OK .. "Content-Length: 17\r\nContent-Length: 5\r\n\r\n" .. BODY }, nil, nil },
  { "chunks of no hexadecimal size", { OK .. "Transfer-Encoding: chunked\r\n\r\nzz\r\n" .. BODY },
    "network", nil },
  { "a chunk larger than 64 bits", { OK .. "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n" .. BODY },
    "network", nil },
  { "chunks without their end", { OK .. "Transfer-Encoding: chunked\r\n\r\n11\r\n" .. BODY .. "\r\n" },
    "network", "cut" },
  { "chunks and a length at once", { OK .. "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n11\r\n" .. BODY
    .. "\r\n0\r\n\r\n" }, "ok" },
  { "chunks with trailers", { OK .. "Transfer-Encoding: chunked\r\n\r\n11\r\n" .. BODY .. "\r\n0\r\nX: y\r\n\r\n" },
    "ok" },
  { "endless trailers", { OK .. "Transfer-Encoding: chunked\r\n\r\n11\r\n" .. BODY .. "\r\n0\r\n",
    { 100000000, "X-A: b\r\n" } }, "network", "protocol" },
  { "an endless chunk extension", { OK .. "Transfer-Encoding: chunked\r\n\r\n11;", { 100000000, "a=b;" } }, nil, nil },
  { "an endless body", { OK .. "\r\n[", { 100000000, "1,1,1,1," } }, "response", "too_large" },
  { "gzip that is none", { OK .. "Content-Encoding: gzip\r\n\r\n" .. BODY }, "response", "encoding" },
  { "gzip that is cut", { OK .. "Content-Encoding: gzip\r\n\r\n\31\139\8\0\0\0\0\0\0\3\171\86" }, nil, nil },
  { "an encoding that nobody knows", { OK .. "Content-Encoding: rot13\r\n\r\n" .. BODY }, "response", "encoding" },
  { "encodings on encodings", { OK .. "Content-Encoding: gzip, gzip, gzip\r\n\r\n" .. BODY }, "response", "encoding" },
  { "HTTP/0.9", { BODY }, "network", "protocol" },
  { "another protocol", { "SSH-2.0-OpenSSH_9.2\r\n" }, "network", "protocol" },
  { "HTTP/9.9", { "HTTP/9.9 200 OK\r\n\r\n" .. BODY }, "network", "protocol" },
  { "a status of no digits", { "HTTP/1.1 abc OK\r\n\r\n" .. BODY }, "network", "protocol" },
  { "204 with a body", { "HTTP/1.1 204 No Content\r\nContent-Length: 17\r\n\r\n" .. BODY }, "response", "empty" },
  { "304", { "HTTP/1.1 304 Not Modified\r\n\r\n" }, "http", nil },
  { "a redirect", { "HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" }, "http",
    "redirect" },
  { "a NUL in a header", { OK .. "X: a\0b\r\nContent-Length: 17\r\n\r\n" .. BODY }, nil, nil },
  { "headers without a colon", { OK .. "nonsense\r\nContent-Length: 17\r\n\r\n" .. BODY }, nil, nil },
  { "headers ended by line feeds alone", { "HTTP/1.1 200 OK\nContent-Length: 17\n\n" .. BODY }, "ok" },
  { "an answer and then more than was asked", { GOOD, GOOD }, "ok" },
  { "half an answer, then a reset", { OK .. "Content-Length: 17\r\n\r\n" .. BODY:sub(1, 9), 0.1, raw.RESET },
    "network", "reset" },
  { "a Retry-After of a thousand years", { raw.answer("", "Retry-After: 31536000000\r\n", "429 X") }, "http",
    "rate_limited" },
}

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

  for _, case in ipairs(CASES) do
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

  -- Where the length was said, a cut is never taken for an answer.
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

  it("that nobody listens at", function()
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
