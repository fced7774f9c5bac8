-- The sandbox's server: its addresses, its certificates, what it may read and write, and when it stops.
local child = require "spec.support.child"
local http = require "spec.support.sandbox_http"
local server = require "smmpanel.sandbox.server"
local system = require "spec.support.system"

local KEY, BALANCE, ADD = http.KEY, http.BALANCE, http.ADD
local ask, control, curl, header, fresh = http.ask, http.control, http.curl, http.header, http.fresh
local is_gone, os_status, wait_for, scratch = http.is_gone, http.os_status, http.wait_for, http.scratch
local output, read = system.output, system.read
local sandbox = http.sandbox()

describe("the sandbox's server", function()
  it("answers over HTTP/1.1, and over TLS with HTTP/2", function()
    local plain = ask()
    assert.same({ 0, 200, "1.1", BALANCE }, { plain.code, plain.status, plain.http, plain.body })
    assert.equal("application/json", header(plain, "Content-Type"))
    local tls = ask(nil, nil, "--cacert " .. sandbox.ca_file, sandbox.tls_url)
    assert.same({ 0, 200, "2", BALANCE }, { tls.code, tls.status, tls.http, tls.body })
    tls = ask(nil, nil, "--cacert " .. sandbox.ca_file, (sandbox.tls_url:gsub("127.0.0.1", "localhost")))
    assert.equal(BALANCE, tls.body)
    assert.equal(60, ask(nil, nil, nil, sandbox.tls_url).code) -- curl does not trust the sandbox's authority
  end)

  it("has certificates that strict clients accept, such as Python's from 3.13 on", function()
    local authority, own = sandbox.ca_file, (sandbox.ca_file:gsub("ca.pem$", "server.pem"))
    local verify = "openssl verify -x509_strict -purpose sslserver -CAfile %s %s 2>&1"
    assert.equal(own .. ": OK\n", output(verify:format(authority, own)))
    assert.truthy(output("openssl x509 -noout -ext keyUsage -in " .. authority):find("Certificate Sign", 1, true))
  end)

  it("is found at the usual paths, and nowhere else", function()
    for _, path in ipairs { "/api", "/api/v1", "/api/v2/", "/api/v3", "/api/v2/index.php" } do
      assert.equal(BALANCE, ask(nil, nil, nil, (sandbox.url:gsub("/api/v2", path))).body, path)
    end
    assert.equal(404, ask(nil, nil, nil, (sandbox.url:gsub("/api/v2", "/api/v9"))).status)
    assert.equal(BALANCE, curl(sandbox.url .. "?action=balance&key=" .. KEY).body) -- as most panels take a GET
    assert.equal('{"error":"Incorrect request"}', curl(sandbox.url).body)
  end)

  it("compresses for clients that accept it", function()
    local answer = ask(nil, "action=services", "-H 'Accept-Encoding: gzip'")
    assert.equal("gzip", header(answer, "Content-Encoding"))
    assert.is_true(#answer.body < 300000)
    local plain = ask(nil, "action=services", "--compressed")
    assert.equal(3000, select(2, plain.body:gsub('"service":', "")))
  end)

  it("reads large bodies with any bytes, and reports them without the key", function()
    local link = fresh "link"
    os.execute(("head -c 2000000 /dev/zero | tr '\\0' 'x' > %s.big"):format(scratch))
    local answer = ask(nil, ADD .. link, ("-d note@%s.big"):format(scratch))
    assert.equal('{"order":23501}', answer.body)
    ask(nil, ADD .. "%C5%9F%FF%00", nil, sandbox.url .. "?name=bytes")
    local stats = control "/stats?name=bytes"
    assert.truthy(stats:find('"link":"\\u015f\\u00ff\\u0000"', 1, true))
    assert.is_nil(control("/stats"):find(KEY, 1, true))
    assert.is_nil(read(sandbox.dir .. "/error.log"):find(KEY, 1, true))
  end)

  it("listens on loopback only", function()
    if not io.open "/proc/net/tcp" then return pending "this system has no /proc/net/tcp" end
    local sockets, listens = {}, {}
    for inode in output(("ls -l /proc/%d/fd"):format(sandbox.pid)):gmatch "socket:%[(%d+)%]" do
      sockets[inode] = true
    end
    for _, path in ipairs { "/proc/net/tcp", "/proc/net/tcp6" } do
      for address, port, state, inode in read(path):gmatch
        "\n%s*%d+: (%x+):(%x+) %x+:%x+ (%x%x) %x+:%x+ %x+:%x+ %x+ +%d+ +%d+ (%d+)" do
        if sockets[inode] and state == "0A" then listens[tonumber(port, 16)] = address end
      end
    end
    local ports = {}
    for _, url in ipairs { sandbox.url, sandbox.tls_url } do ports[tonumber(url:match ":(%d+)/")] = "0100007F" end
    assert.same(ports, listens)
  end)

  it("has a private directory", function()
    assert.truthy(output("ls -ld " .. sandbox.dir):find "^drwx%-%-%-%-%-%-")
  end)

  it("stops on request, and leaves nothing", function()
    local other = assert(server.start { tls = false })
    assert.is_nil(other.tls_url)
    other.stop()
    other.stop()
    assert.is_nil(io.open(other.dir .. "/nginx.conf"))
    assert.is_true(is_gone(other.pid))
  end)

  it("stops although a process that was started since is still running", function()
    local other = assert(server.start { tls = false })
    os.execute(("sleep 30 & echo $! > %s.pid"):format(scratch))
    other.stop()
    local alive = os_status(("kill $(cat %s.pid)"):format(scratch))
    assert.is_nil(io.open(other.dir .. "/nginx.conf"))
    assert.equal(0, alive)
  end)

  it("stops although its watcher was killed", function()
    local other = assert(server.start { tls = false })
    os.execute(("kill -9 $(ps -o ppid= -p %d)"):format(other.pid))
    other.stop()
    assert.is_nil(io.open(other.dir .. "/nginx.conf"))
    assert.is_true(wait_for(function() return is_gone(other.pid) end))
  end)

  -- Starts another process that starts a sandbox and continues with `rest`; kills it; returns what it left.
  local function killed(rest)
    local program = os.tmpname()
    system.write(program, ([[
      package.path = %q
      local other = assert(require "smmpanel.sandbox.server".start { tls = false })
      print(other.pid, other.dir)
      io.stdout:flush()
    ]]):format(package.path) .. rest)
    local lua = arg and arg[-1] or "lua"
    for i = -1, -20, -1 do
      lua = arg and arg[i] and not arg[i]:find "^%-" and arg[i] or lua
    end
    -- its parent does not reap it: dead, it can still be seen
    local command = ": > %s.out; { '%s' '%s' >> %s.out 2>&1 & echo $! > %s.pid; exec sleep 15; } &"
    os.execute(command:format(scratch, lua, program, scratch, scratch))
    local started = wait_for(function() return read(scratch .. ".out"):find "\n" end)
    os.execute(("kill -9 $(cat %s.pid)"):format(scratch))
    os.remove(program)
    local pid, dir = read(scratch .. ".out"):match "^(%d+)%s+(%S+)"
    assert.truthy(started and pid, read(scratch .. ".out"))
    return pid, dir
  end

  it("stops when the process that started it is killed", function()
    local pid, dir = killed 'require "smmpanel.sandbox.server".wait(other)'
    assert.is_true(wait_for(function() return is_gone(pid) and not io.open(dir .. "/nginx.conf") end))
  end)

  it("stops when the process that started it is killed, although a child of that process is still running", function()
    local pid, dir = killed 'os.execute "sleep 20"'
    assert.is_true(wait_for(function() return is_gone(pid) and not io.open(dir .. "/nginx.conf") end))
  end)

  it("explains in a sentence why it cannot start", function()
    local other, problem = server.start { nginx = "/nonexistent" }
    assert.is_nil(other)
    assert.truthy(problem:find "was not found")
    other, problem = server.start { tls = false, port = tonumber(sandbox.url:match ":(%d+)/") }
    assert.is_nil(other)
    assert.equal("a port that the sandbox needs is in use", problem)
    other, problem = server.start { tls = false, balance = "a lot" }
    assert.is_nil(other)
    assert.truthy(problem:find "the balance is not a decimal")
  end)
end)

describe("the server", function()
  it("is not root, even if root started it", function()
    local uid = read(("/proc/%d/status"):format(sandbox.pid)):match "\nUid:%s+(%d+)"
    assert.not_equal("0", uid)
  end)
end)

-- Started by root, nginx's workers are another user. In a checkout below /root they cannot read a file.
describe("a sandbox whose workers may not read its files", function()
  it("has every shape", function()
    local dir = system.directory()
    os.execute(("cp -r lua %s; chmod 700 %s"):format(dir, dir))
    local said = child.run([[
      local sandbox = require("smmpanel.sandbox.server").start { tls = false }
      local panel = require("smmpanel").new { url = sandbox.url_with "pretty", key = sandbox.key }
      print(panel:balance() ~= nil)
      sandbox.stop()
    ]], ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;'"):format(dir, dir))
    os.execute("rm -rf " .. dir)
    assert.equal("true\nexit 0\n", said)
  end)
end)
