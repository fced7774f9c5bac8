-- TLS that must not be trusted, and HTTP/2 that breaks its rules: hand-made certificates and frames.
local core = require "smmpanel.core"
local process = require "spec.support.process"
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"
local socket = require "socket"
local system = require "spec.support.system"

local GOOD = raw.answer '{"balance":"1.5","currency":"USD"}'
local TIMEOUT = 5

-- One directory of certificates: an authority, and what each case needs for `localhost`.
local MAKE = [[
set -e
cd "$1"
export OPENSSL_CONF="$1/ca.cnf"
cat >ca.cnf <<'END'
[req]
distinguished_name = name
[name]
[ca]
default_ca = authority
[authority]
database = ./index.txt
serial = ./serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_crl_days = 30
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[authority_extensions]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
END
: >index.txt
echo 1000 >serial
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=authority \
  -extensions authority_extensions
one() { # name, host, further arguments of openssl ca
  openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj /CN=$2 -addext "subjectAltName=DNS:$2"
  name=$1; shift 2
  openssl ca -batch -notext -in $name.csr -out $name.pem "$@"
}
one good localhost -days 30
one expired localhost -startdate 20200101000000Z -enddate 20200201000000Z
one future localhost -startdate 20400101000000Z -enddate 20490101000000Z
one other other.example -days 30
one revoked localhost -days 30
openssl ca -revoke revoked.pem
openssl ca -gencrl -out crl.pem
openssl req -x509 -newkey rsa:2048 -nodes -keyout self.key -out self.pem -days 30 -subj /CN=localhost
]]

local function frame(kind, flags, stream, payload)
  local n = #payload
  return string.char(math.floor(n / 65536), math.floor(n / 256) % 256, n % 256, kind, flags, 0, 0, 0, stream) .. payload
end

local SETTINGS, SETTINGS_ACK = frame(4, 0, 0, ""), frame(4, 1, 0, "")
local OPEN = SETTINGS .. SETTINGS_ACK
local HEADERS = frame(1, 4, 1, "\136") -- END_HEADERS; the static table's :status 200
local BODY = '{"balance":"1.5"}'
local LAST, NO_ERROR, REFUSED = "\0\0\0\1", "\0\0\0\0", "\0\0\0\7"

-- The data after the server's settings, and the kind; "ok" if it is an answer.
local HTTP2 = {
  { "an answer", { OPEN, 0.3, HEADERS, frame(0, 1, 1, BODY), raw.WAIT }, "ok" },
  { "GOAWAY before the answer", { OPEN, frame(7, 0, 0, "\0\0\0\0" .. NO_ERROR) }, "network" },
  { "GOAWAY within the answer", { OPEN, HEADERS, frame(0, 0, 1, BODY:sub(1, 5)), frame(7, 0, 0, LAST .. NO_ERROR) },
    "network" },
  { "a reset of the stream", { OPEN, HEADERS, frame(3, 0, 1, "\0\0\0\2"), 0.2 }, "network" },
  { "a refusal of the stream", { OPEN, frame(3, 0, 1, REFUSED), 0.2 }, "network" },
  { "a cut of the connection", { OPEN, HEADERS, frame(0, 0, 1, BODY:sub(1, 5)) }, "network" },
  { "a frame larger than agreed", { OPEN, HEADERS, frame(0, 0, 1, ("["):rep(20000)), 0.2 }, nil },
  { "data on a stream nobody opened", { OPEN, frame(0, 1, 9, BODY), 0.2 }, "network" },
  { "headers that HPACK cannot read", { OPEN, frame(1, 4, 1, "\255\255\255\255\255\255"), 0.2 }, "network" },
  { "CONTINUATION without end", { OPEN, frame(1, 0, 1, "\136"), { 200000, frame(9, 0, 1, "\0\1a\1b") } }, "network" },
  { "a flood of PING", { OPEN, { 300000, frame(6, 0, 0, "12345678") } }, nil },
  { "a flood of SETTINGS", { OPEN, { 300000, SETTINGS } }, nil },
  { "a flood of empty DATA", { OPEN, HEADERS, { 300000, frame(0, 0, 1, "") } }, nil },
  { "PUSH_PROMISE, which was refused", { OPEN, frame(5, 4, 1, "\0\0\0\2\136"), 0.2 }, "network" },
  { "no settings, but HTTP/1.1", { GOOD, 0.2 }, "network" },
}

local function await(port)
  local last = core.now() + 10
  repeat
    local peer = socket.connect("127.0.0.1", port)
    if peer then return peer:close() end
    socket.sleep(0.05)
  until core.now() > last
end

describe("over TLS,", function()
  local directory, servers

  local function has_luasec()
    return (pcall(require, "ssl"))
  end

  local function serve(name, alpn, script)
    local server = raw.start {
      certificate = directory .. "/" .. name .. ".pem", key = directory .. "/" .. name .. ".key",
      alpn = alpn, script = script,
    }
    servers[#servers + 1] = server
    return server
  end

  local function panel(url, more)
    local given = { url = url, key = "a-secret-of-a-key", timeout = TIMEOUT, retries = 0,
      ca_file = directory .. "/ca.pem" }
    for name, value in pairs(more or {}) do given[name] = value end
    return smmpanel.new(given)
  end

  setup(function()
    directory, servers = system.directory(), {}
    system.write(directory .. "/make", MAKE)
    os.execute(("sh '%s/make' '%s' >'%s/log' 2>&1"):format(directory, directory, directory))
  end)
  teardown(function() os.execute(("rm -r '%s'"):format(directory)) end)
  after_each(function()
    for _, server in ipairs(servers) do server.stop() end
    servers = {}
    assert.equal(0, core.in_flight())
  end)

  it("a correct chain is accepted", function()
    if not has_luasec() then return pending "needs luasec" end
    assert.equal(1.5, assert(panel(serve("good").url { GOOD }):balance()).balance)
    local checking = panel(serve("good").url { GOOD }, { crl_file = directory .. "/crl.pem" })
    assert.equal(1.5, assert(checking:balance()).balance)
  end)

  for _, case in ipairs {
    { "expired" }, { "future" }, { "self" }, { "revoked", crl_file = "crl.pem" }, { "other" },
    { "good", crl_file = "none.pem" }, { "good", ca_file = "self.pem" },
  } do
    local what = case.crl_file or case.ca_file
    it(("a certificate '%s'%s is refused, and nothing was sent"):format(case[1], what and " with " .. what or ""),
      function()
        if not has_luasec() then return pending "needs luasec" end
        local more = {}
        for _, name in ipairs { "crl_file", "ca_file" } do
          if case[name] then more[name] = directory .. "/" .. case[name] end
        end
        local value, err = panel(serve(case[1]).url { GOOD }, more):add {
          service = 1, link = "https://x.example", quantity = 1 }
        assert.is_nil(value)
        assert.equal("network tls", err.kind .. " " .. err.code, tostring(err))
        assert.is_nil(err.uncertain)
      end)
  end

  it("an unsolicited answer is not that of the next order", function()
    if not has_luasec() then return pending "needs luasec" end
    local server, order = serve "good", { service = 1, link = "https://x.example", quantity = 1 }
    local twice = panel(server.url { raw.answer '{"order":1}', 0.05, raw.answer '{"order":1}', raw.WAIT })
    local next_one = panel(server.url { raw.answer('{"order":2}', "Connection: close\r\n") })
    for _ = 1, 2 do
      assert.equal(1, assert(twice:add(order)).order)
      socket.sleep(1)
      assert.equal(2, assert(next_one:add(order)).order)
    end
  end)

  it("TLS 1.0 and 1.1 are refused", function()
    local probe = assert(socket.bind("127.0.0.1", 0))
    local port = select(2, probe:getsockname())
    probe:close()
    local server = process.start(("openssl s_server -accept 127.0.0.1:%d -cert '%s/good.pem' -key '%s/good.key' "
      .. "-tls1_1 -cipher ALL:@SECLEVEL=0 -www 2>/dev/null"):format(port, directory, directory))
    local err
    for _ = 1, 50 do -- until it listens
      err = select(2, panel(("https://localhost:%d/"):format(port)):balance())
      if err.code ~= "connect" then break end
      socket.sleep(0.1)
    end
    server.stop()
    assert.equal("tls", err.code, tostring(err))
  end)

  it("a server that speaks no TLS is refused", function()
    local plain = raw.start()
    servers[1] = plain
    local value, err = panel(("https://localhost:%d/"):format(plain.port)):balance()
    assert.is_nil(value)
    assert.equal("network tls", err.kind .. " " .. err.code, tostring(err))
  end)

  it("a handshake that is never answered ends at the deadline", function()
    local silent = assert(socket.bind("127.0.0.1", 0))
    local url = ("https://localhost:%d/"):format(select(2, silent:getsockname()))
    local value, err = panel(url, { timeout = 0.5 }):balance()
    silent:close()
    assert.is_nil(value)
    assert.equal("timeout", err.kind)
    assert.is_nil(err.uncertain)
  end)

  local function lacks_for_http2()
    panel("http://127.0.0.1:1/"):balance() -- opens libcurl
    return not has_luasec() and "needs luasec" or not core.libcurl().http2 and "this libcurl has no HTTP/2"
  end

  for _, case in ipairs(HTTP2) do
    it("HTTP/2: " .. case[1], function()
      local lacks = lacks_for_http2()
      if lacks then return pending(lacks) end
      local before = core.now()
      local value, err = panel(serve("good", "h2", case[2]).url(), { timeout = 3 }):balance()
      assert.is_true(core.now() - before < 20)
      if case[3] == "ok" then
        assert.equal(1.5, value and value.balance, tostring(err))
      else
        assert.is_nil(value)
        if case[3] then assert.equal(case[3], err.kind, tostring(err)) end
      end
    end)
  end

  it("HTTP/2: a write whose stream was refused is not sent again", function()
    local lacks = lacks_for_http2()
    if lacks then return pending(lacks) end
    local url = serve("good", "h2", { OPEN, frame(3, 0, 1, REFUSED), 0.2 }).url()
    local value, err = panel(url):add { service = 1, link = "https://x.example", quantity = 1 }
    assert.is_nil(value)
    assert.is_true(err.uncertain)
    assert.equal(1, err.attempts)
  end)

  -- Each handshake blocked the thread, and so the calls to all other panels, for a quarter of a second.
  for name, options in pairs {
    ["TLS 1.2"] = "-tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384 -dhparam %s/dh.pem",
    ["TLS 1.3"] = "-tls1_3 -groups ffdhe8192",
  } do
    it(name .. ": a key exchange in a group of 8192 bits is not offered", function()
      local port = system.free_port()
      local command = "openssl s_server -accept 127.0.0.1:%d -www -cert %s/good.pem -key %s/good.key "
      local make = "openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe8192 -out %s/dh.pem 2>/dev/null"
      os.execute(make:format(directory))
      servers[1] = process.start((command .. options .. " 2>/dev/null"):format(port, directory, directory, directory))
      await(port)
      local before = os.clock()
      local value, err = panel(("https://localhost:%d/"):format(port)):balance()
      assert.is_nil(value)
      assert.equal("tls", err.code, tostring(err))
      assert.is_true(os.clock() - before < 0.1, "it took part in the handshake")
    end)
  end
end)
