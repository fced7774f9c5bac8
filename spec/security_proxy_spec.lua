-- A proxy from the option `proxy` or from the environment: it is used, and gets no more than it needs.
local child = require "spec.support.child"
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"

local KEY = "S3CRET-key"
local GOOD = raw.answer '{"balance":"1.5","currency":"USD"}'

local CALL = [[
  local smmpanel = require "smmpanel"
  local panel = smmpanel.new { url = %q, key = "S3CRET-key", retries = 0, timeout = 20, proxy = %s,
    headers = { ["X-Mine"] = "S3CRET-header" } }
  local value, err = panel:%s { service = 1, link = "https://x.example", quantity = 1 }
  print(value and value.balance or err.code .. (err.uncertain and " uncertain" or ""))
  if err then print(err) end
]]

describe("a proxy", function()
  local socket = require "socket"
  local listener, port, server

  setup(function() server = raw.start() end)
  teardown(function() server.stop() end)
  before_each(function()
    listener = assert(socket.bind("127.0.0.1", 0))
    listener:settimeout(30)
    port = select(2, listener:getsockname())
  end)
  after_each(function() listener:close() end)

  -- Returns what the call printed.
  local function said_by(variables, url, proxy, action)
    local chunk = CALL:format(url, proxy and ("%q"):format(proxy) or "nil", action or "balance"):gsub("balance { .- }",
      "balance()")
    return child.start(chunk, "env -u no_proxy -u http_proxy -u https_proxy -u all_proxy " .. variables)
  end

  local function finish(pipe)
    local text = pipe:read "*a"
    pipe:close()
    assert.is_nil(text:find("S3CRET", 1, true), text)
    return text
  end

  -- Reads one request, answers it. Returns its first line and its headers.
  local function take(answer)
    local peer = assert(listener:accept(), "nobody came to the proxy")
    peer:settimeout(20)
    local first, lines = assert(peer:receive "*l"), {}
    repeat
      local line = assert(peer:receive "*l")
      lines[#lines + 1] = line
    until line == ""
    peer:send(answer)
    return first, table.concat(lines, "\n"), peer
  end

  local function at(credentials)
    return ("http://%s127.0.0.1:%d"):format(credentials or "", port)
  end

  it("from http_proxy is used for an http panel", function()
    local pipe = said_by("http_proxy=" .. at(), "http://panel.invalid/api")
    local first, _, peer = take(GOOD)
    assert.equal("POST http://panel.invalid/api HTTP/1.1", first)
    assert.equal("1.5\nexit 0\n", finish(pipe))
    peer:close()
  end)

  for _, variable in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do
    it("from " .. variable .. " sees of an https panel its host and port, no key and no header of ours", function()
      local pipe = said_by(variable .. "=" .. at(), "https://panel.invalid/a/path", nil, "add")
      local first, headers, peer = take "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
      peer:settimeout(5)
      local _, _, rest = peer:receive "*a"
      peer:close()
      assert.equal("CONNECT panel.invalid:443 HTTP/1.1", first)
      assert.is_nil(headers:find("S3CRET", 1, true), headers)
      assert.is_nil(headers:find("X-Mine", 1, true), headers)
      assert.is_true(rest == nil or rest == "", rest)
      assert.truthy(finish(pipe):find "^connect\n")
    end)
  end

  it("that opens the tunnel sees a handshake and then nothing it can read", function()
    local pipe = said_by("https_proxy=" .. at(), "https://panel.invalid/api", nil, "add")
    local _, _, peer = take "HTTP/1.1 200 Connection established\r\n\r\n"
    local hello = assert(peer:receive(5))
    peer:close()
    assert.equal("\22\3", hello:sub(1, 2))
    local said = finish(pipe)
    assert.truthy(said:find "^tls\n" or said:find "^connect\n", said)
  end)

  it("with a name and a password gets them, and no error shows them", function()
    local pipe = said_by("https_proxy=" .. at "me:S3CRET-word@", "https://panel.invalid/api")
    local _, headers, peer = take "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n"
    peer:close()
    assert.truthy(headers:find("Proxy-Authorization: Basic bWU6UzNDUkVULXdvcmQ=", 1, true), headers)
    finish(pipe)
  end)

  it("is not used for a host in no_proxy, or for any host if that is *", function()
    local dead = "http_proxy=http://127.0.0.1:1 "
    assert.truthy(finish(said_by(dead, server.url { GOOD })):find "^connect\n")
    for _, name in ipairs { "127.0.0.1", "localhost,127.0.0.1", "'*'" } do
      assert.equal("1.5\nexit 0\n", finish(said_by(dead .. "no_proxy=" .. name, server.url { GOOD })))
    end
  end)

  it("from HTTP_PROXY is not used: a client of a web server sets it with the header Proxy", function()
    assert.equal("1.5\nexit 0\n", finish(said_by("HTTP_PROXY=http://127.0.0.1:1", server.url { GOOD })))
  end)

  it("from the option precedes the environment's", function()
    local pipe = said_by("http_proxy=http://127.0.0.1:1", "http://panel.invalid/api", at())
    local first, _, peer = take(GOOD)
    assert.equal("POST http://panel.invalid/api HTTP/1.1", first)
    assert.equal("1.5\nexit 0\n", finish(pipe))
    peer:close()
  end)

  it("that is \"\" is refused, because it could mean the environment's or none", function()
    assert.has_error(function() smmpanel.new { url = "http://a", key = KEY, proxy = "" } end)
  end)

  it("that does not exist is a connection error: nothing was sent", function()
    local said = finish(said_by("https_proxy=http://127.0.0.1:1", "https://panel.invalid/", nil, "add"))
    assert.truthy(said:find "^connect\n", said)
  end)
end)
