-- The sandbox over real HTTP, with the curl program as the client. Each fault does on the wire what its name says, and
-- the server's own counts are right.
local child = require "spec.support.child"
local system = require "spec.support.system"
local faults = require "smmpanel.sandbox.faults"
local server = require "smmpanel.sandbox.server"

local KEY = "0123456789abcdef0123456789abcdef"
local BALANCE = '{"balance":"100.84292","currency":"USD"}'
local ADD = "action=add&service=1&quantity=50&link="
local EMPTY_REPLY, CUT, TIMEOUT, RESET, H2_STREAM = 52, 18, 28, 56, 92

local sandbox, scratch

local function os_status(command)
  local first, _, code = os.execute(command)
  return code or first
end

local read = system.read

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

-- Runs curl. Returns its exit code, the status, the headers in lower case, the body, the seconds.
local function curl(url, fields, options)
  local data = fields and (" -d '%s'"):format(fields) or ""
  local command = "curl -sS -g -m 20 %s%s -D %s.head -o %s.body -w '%%{http_code} %%{http_version} " ..
    "%%{time_total}' '%s' 2>%s.errors; echo \" $?\""
  local written = lines_of(command:format(options or "", data, scratch, scratch, url, scratch))
  local status, version, seconds, code = written:match "^(%d+) (%S+) ([%d.]+) (%d+)"
  local headers, body = read(scratch .. ".head"):lower(), io.open(scratch .. ".body", "rb")
  return { code = tonumber(code), status = tonumber(status), http = version, seconds = tonumber(seconds),
           headers = headers, body = body and body:read "*a", closed = body and body:close() }
end

-- Sends a request under faults; `more` are arguments of curl.
local function ask(fault, fields, more, url)
  os.remove(scratch .. ".body")
  io.open(scratch .. ".head", "wb"):close()
  local query = fault and "?fault=" .. fault or ""
  return curl((url or sandbox.url) .. query, "key=" .. KEY .. "&" .. (fields or "action=balance"), more)
end

local function header(answer, name)
  return answer.headers:match("\n" .. name:lower():gsub("%-", "%%-") .. ": ([^\r\n]*)")
end

local function control(path)
  return lines_of(("curl -sS -g -m 20 -X POST '%s%s'"):format(sandbox.control, path))
end

local function count_of(name, what)
  return tonumber(control("/stats?name=" .. name):match('"' .. what .. '":(%d+)'))
end

local function orders_of(link)
  return select(2, control("/orders?link=" .. link):gsub('"order":', ""))
end

local function wait_for(check)
  for _ = 1, 200 do
    if check() then return true end
    os.execute "sleep 0.05"
  end
end

local function is_gone(pid)
  return os_status(("kill -0 %d 2>/dev/null"):format(pid)) ~= 0
end

local serial = 0
local function fresh(prefix)
  serial = serial + 1
  return prefix .. serial
end

setup(function()
  scratch = os.tmpname()
  sandbox = assert(server.start { key = KEY, services = 3000 })
end)

teardown(function()
  if sandbox then sandbox.stop() end
  os.execute(("rm -f '%s' '%s'.*"):format(scratch, scratch))
end)

before_each(function() control("/reset") end)

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
    assert.equal(own .. ": OK\n", lines_of(verify:format(authority, own)))
    assert.truthy(lines_of("openssl x509 -noout -ext keyUsage -in " .. authority):find("Certificate Sign", 1, true))
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
    for inode in lines_of(("ls -l /proc/%d/fd"):format(sandbox.pid)):gmatch "socket:%[(%d+)%]" do
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
    assert.truthy(lines_of("ls -ld " .. sandbox.dir):find "^drwx%-%-%-%-%-%-")
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
    local file = io.open(program, "w")
    file:write(([[
      package.path = %q
      local other = assert(require "smmpanel.sandbox.server".start { tls = false })
      print(other.pid, other.dir)
      io.stdout:flush()
    ]]):format(package.path) .. rest)
    file:close()
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

describe("a control", function()
  it("advances the clock", function()
    ask(nil, ADD .. "x")
    assert.truthy(ask(nil, "action=status&order=23501").body:find "Pending")
    assert.equal('{"ok":true}\n', control("/advance?seconds=30"))
    assert.truthy(ask(nil, "action=status&order=23501").body:find "Completed")
    assert.truthy(control("/advance"):find "advance needs seconds")
  end)

  it("sets a balance and faults for all, and restores the initial state", function()
    assert.equal('{"ok":true}\n', control("/balance?account=main&balance=12345678901.2345"))
    assert.equal('{"balance":"12345678901.2345","currency":"USD"}', ask().body)
    assert.truthy(control("/balance?account=nobody&balance=1"):find "no such account")
    control("/faults?fault=503&on=balance")
    assert.equal(503, ask().status)
    assert.equal(200, ask(nil, "action=status&order=1").status)
    assert.truthy(control("/faults?fault=nosuch"):find "unknown fault nosuch")
    control("/reset")
    assert.equal(BALANCE, ask().body)
  end)

  it("counts by name", function()
    local url = sandbox.url .. "?name=mine"
    ask(nil, ADD .. "a", nil, url)
    ask(nil, ADD .. "b", nil, url)
    ask()
    assert.same({ 2, 2, 2, 0, 1 }, { count_of("mine", "requests"), count_of("mine", "made"),
      count_of("mine", "connections"), count_of("mine", "in_flight"), count_of("mine", "max_in_flight") })
    assert.truthy(control("/stats?name=mine"):find('"actions":{"add":2}', 1, true))
    assert.truthy(control("/stats"):find('^{"requests":3,"made":2,'))
    lines_of(("curl -sS -d key=%s %s '%s' '%s'"):format(KEY, "-d action=balance", url, url))
    assert.equal(3, count_of("mine", "connections"))
  end)

  it("counts the requests in flight", function()
    local each = ("curl -sS -o /dev/null -d 'key=%s&action=balance' '%s?fault=latency:0.5&name=crowd' & ")
      :format(KEY, sandbox.url)
    os.execute(each:rep(5) .. "wait")
    assert.same({ 5, 5, 0 }, { count_of("crowd", "requests"), count_of("crowd", "max_in_flight"),
      count_of("crowd", "in_flight") })
  end)

  it("counts wrong keys, and keys in wrong places", function()
    curl(sandbox.url, "key=wrong&action=balance")
    ask(nil, nil, "-H 'X-Token: " .. KEY .. "'")
    ask(nil, nil, nil, sandbox.url .. "?name=" .. KEY)
    local stats = control "/stats"
    assert.truthy(stats:find('"key_elsewhere":2', 1, true))
    assert.truthy(stats:find('"wrong_keys":1', 1, true))
  end)

  it("lists the orders for a link", function()
    ask(nil, ADD .. "one")
    ask(nil, ADD .. "two")
    assert.equal('[{"order":"23501","service":1,"link":"one","quantity":50}]\n', control "/orders?link=one")
    assert.equal("[]\n", control "/orders?link=three")
  end)

  it("is listed in the README, and by the controls", function()
    local help, readme = control "", read "lua/smmpanel/sandbox/README.md"
    local controls, count = help:match "^Controls\n(.-)\n\n", 0
    for usage in ("\n" .. controls):gmatch "\n  (%S+)" do
      assert.truthy(readme:find("`" .. usage .. "`", 1, true), usage)
      count = count + 1
    end
    assert.equal(6, count)
    for _, entry in ipairs(faults.list) do
      assert.truthy(help:find(entry.name, 1, true), entry.name)
    end
    assert.truthy(control("/nosuch"):find "lists them")
  end)

  -- The requests that a page in a browser on this machine can send: a form, an image, a host name that resolves here.
  it("is refused without POST, the token and the loopback address", function()
    local base = sandbox.control:match "^(.*/control)/%x+$"
    local function status(what) return lines_of("curl -sS -g -m 20 -o /dev/null -w '%{http_code}' " .. what) end
    assert.equal("200", status("-X POST " .. sandbox.control .. "/stats"))
    assert.equal("405", status(sandbox.control .. "/stats"))
    assert.equal("405", status("-X PUT " .. sandbox.control .. "/reset"))
    for _, path in ipairs { "", "/", "/reset", "/0123456789abcdef0123456789abcdef/reset", "/control/reset" } do
      assert.equal("403", status("-X POST " .. base .. path), path)
    end
    for _, host in ipairs { "evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example" } do
      assert.equal("403", status("-X POST -H 'Host: " .. host .. "' " .. sandbox.control .. "/stats"), host)
    end
    for _, host in ipairs { "localhost", "localhost:8080", "127.0.0.1" } do
      assert.equal("200", status("-X POST -H 'Host: " .. host .. "' " .. sandbox.control .. "/stats"), host)
    end
  end)
end)

describe("a browser on this machine", function()
  it("must run nothing and guess no type", function()
    for _, path in ipairs { "/api/v2?fault=html", "/api/v2?fault=500-html", "/nosuch", "/maintenance" } do
      local head = lines_of(("curl -sS -D - -o /dev/null '%s%s'"):format(sandbox.url:match "^(.-)/api", path)):lower()
      assert.truthy(head:find("x-content-type-options: nosniff", 1, true), path)
      assert.truthy(head:find("content-security-policy: sandbox; default-src 'none'", 1, true), path)
    end
  end)

  it("gets no page with text from the link", function()
    local head = lines_of(("curl -sS -g -D - '%s?fault=type,body:<script>'"):format(sandbox.url)):lower()
    assert.truthy(head:find("content-type: text/plain", 1, true), head)
    assert.is_nil(head:find("text/html", 1, true))
  end)

  it("cannot request more than this machine's memory holds", function()
    for fault, limit in pairs { ["debug-page"] = "67108864", bomb = "17179869184", ["bomb-nested"] = "17179869184",
                                deep = "10000000", ["deep-objects"] = "10000000" } do
      local said = lines_of(("curl -sS -g '%s?fault=%s:99999999999'"):format(sandbox.url, fault))
      assert.truthy(said:find("99999999999 is too large: at most " .. limit .. "\n", 1, true), said)
    end
  end)
end)

describe("the server", function()
  it("is not root, even if root started it", function()
    local uid = read(("/proc/%d/status"):format(sandbox.pid)):match "\nUid:%s+(%d+)"
    assert.not_equal("0", uid)
  end)
end)

describe("the fault", function()
  local covered = {}

  -- `check` gets the answer to a balance, and the link of an order sent under the same fault.
  local function fault(spec, what, check, more)
    covered[spec:match "^[^:]+"] = true
    it(spec .. " " .. what, function()
      check(ask(spec, nil, more))
      assert.is_true(wait_for(function() return control("/stats"):find('"in_flight":0', 1, true) end))
    end)
  end

  local function makes(spec, number)
    local link = fresh "link"
    ask(spec, ADD .. link, "-m 3")
    assert.equal(number, orders_of(link), spec .. " makes orders")
  end

  fault("latency:0.5", "answers late", function(answer)
    assert.equal(BALANCE, answer.body)
    assert.is_true(answer.seconds >= 0.5)
    local link = fresh "link"
    assert.equal(TIMEOUT, ask("latency:60", ADD .. link, "-m 0.5").code)
    assert.equal(1, orders_of(link))
    assert.is_true(wait_for(function() return count_of("latency:60", "in_flight") == 0 end))
  end)
  fault("jitter:0.1", "answers a little late", function(answer)
    assert.equal(BALANCE, answer.body)
  end)
  fault("late:0.5", "carries it out late, even with nobody there", function(answer)
    assert.equal(BALANCE, answer.body)
    local link = fresh "link"
    assert.equal(TIMEOUT, ask("late:1", ADD .. link, "-m 0.3").code)
    assert.equal(0, orders_of(link))
    assert.is_true(wait_for(function() return orders_of(link) == 1 end))
  end)

  fault("close", "closes at once", function(answer)
    assert.equal(EMPTY_REPLY, answer.code)
    makes("close", 0)
    assert.equal(2, count_of("close", "requests"))
  end)
  fault("lost", "makes the order, and says nothing", function(answer)
    assert.equal(EMPTY_REPLY, answer.code)
    makes("lost", 1)
    local link = fresh "link"
    local tls = ask("lost", ADD .. link, "--cacert " .. sandbox.ca_file, sandbox.tls_url)
    assert.equal(H2_STREAM, tls.code)
    assert.equal(1, orders_of(link))
  end)
  fault("lost-reset", "makes the order, and resets", function(answer)
    assert.equal(RESET, answer.code)
    makes("lost-reset", 1)
    assert.equal(0, count_of("lost-reset", "in_flight"))
  end)
  fault("reset", "resets", function(answer)
    assert.equal(RESET, answer.code)
    makes("reset", 0)
  end)

  fault("made", "makes the order behind any answer", function(answer)
    assert.equal(BALANCE, answer.body)
    makes("500", 0)
    makes("500,made", 1)
    makes("made,empty", 1)
    assert.equal("", ask("made,empty", ADD .. "x").body)
  end)
  covered.CODE, covered["CODE-html"], covered["CODE-empty"] = true, true, true
  for _, code in ipairs { 400, 401, 402, 403, 404, 405, 422, 429, 500, 502, 503 } do
    it(code .. " comes as JSON, as HTML, and as nothing", function()
      local answer = ask(code)
      assert.equal(code, answer.status)
      assert.truthy(answer.body:find '^{"error":"')
      answer = ask(code .. "-html")
      assert.equal(code, answer.status)
      assert.truthy(answer.body:find "^<!DOCTYPE html>")
      assert.truthy(header(answer, "Content-Type"):find "^text/html")
      answer = ask(code .. "-empty")
      assert.same({ code, "" }, { answer.status, answer.body or "" })
    end)
  end
  fault("429:7", "says when to come back", function(answer)
    assert.same({ 429, "7" }, { answer.status, header(answer, "Retry-After") })
    assert.is_nil(header(ask "429", "Retry-After"))
  end)
  fault("429-date:3600", "says it with a date", function(answer)
    local stamp = lines_of(("date -d '%s' +%%s"):format(header(answer, "Retry-After")))
    assert.is_true(math.abs(tonumber(stamp) - os.time() - 3600) <= 30)
  end)
  fault("429-message", "has a message", function(answer)
    assert.same({ 429, '{"message":"Too Many Attempts."}' }, { answer.status, answer.body })
  end)
  fault("error:Bad%20link", "is any error", function(answer)
    assert.same({ 200, '{"error":"Bad link"}' }, { answer.status, answer.body })
    makes("error:x", 0)
  end)
  fault("body:%7B%22a%22:1%252C", "is any body", function(answer)
    assert.equal('{"a":1,', answer.body)
  end)
  fault("html", "is HTML by the name of JSON", function(answer)
    assert.same({ 200, "application/json" }, { answer.status, header(answer, "Content-Type") })
    assert.truthy(answer.body:find "^<!DOCTYPE html>")
  end)
  fault("fatal", "is PHP's last words", function(answer)
    assert.equal(200, answer.status)
    assert.truthy(answer.body:find "Fatal error")
  end)
  fault("sqlstate", "is one line", function(answer)
    assert.equal("SQLSTATE[HY000] [2002] Connection refused", answer.body)
  end)
  fault("empty", "is nothing", function(answer)
    assert.same({ 200, "0" }, { answer.status, header(answer, "Content-Length") })
    makes("empty", 0)
  end)
  fault("newline", "is a line break", function(answer)
    assert.equal("\n", answer.body)
  end)
  fault("null", "is null", function(answer)
    assert.equal("null", answer.body)
  end)
  fault("redirect", "leads to the maintenance page, which counts who comes", function(answer)
    assert.same({ 303, "/maintenance" }, { answer.status, header(answer, "Location") })
    assert.equal(307, ask("redirect:307").status)
    assert.truthy(control("/stats"):find('"maintenance":0', 1, true))
    ask("redirect", nil, "-L")
    assert.truthy(control("/stats"):find('"maintenance":1', 1, true))
  end)
  fault("unsupported", "knows no such action", function(answer)
    assert.equal('{"error":"This action is Invalid"}', answer.body)
  end)

  fault("status:201", "is another status", function(answer)
    assert.same({ 201, BALANCE }, { answer.status, answer.body })
    makes("status:422", 1)
  end)
  fault("type:text%2Fhtml", "is another type", function(answer)
    assert.same({ "text/html", BALANCE }, { header(answer, "Content-Type"), answer.body })
  end)
  fault("cookie", "sets a cookie", function(answer)
    assert.truthy(header(answer, "Set-Cookie"):find "^phpsessid=")
  end)
  fault("bom", "comes before the JSON", function(answer)
    assert.equal("\239\187\191" .. BALANCE, answer.body)
    assert.equal("\239\187\191<br", ask("notice,bom").body:sub(1, 6))
  end)
  fault("space", "surrounds the JSON", function(answer)
    assert.truthy(answer.body:find "^%s+{.*}%s+$")
  end)
  fault("notice", "comes before the JSON", function(answer)
    assert.truthy(answer.body:find "^<br />\n<b>Warning</b>.*%)?{\"balance\".*}$")
  end)
  fault("notice-text", "comes before the JSON", function(answer)
    assert.truthy(answer.body:find "^\nNotice: .*%[0%].*{closure}.*{\"balance\".*}$")
  end)
  fault("debug-page", "is of 300 kB", function(answer)
    assert.is_true(#answer.body > 300000 and #answer.body < 301000)
    assert.equal(BALANCE, answer.body:sub(-#BALANCE))
  end)
  fault("tail", "comes after the JSON", function(answer)
    assert.truthy(answer.body:find '^{"balance".*}\n<br />\n<b>Warning')
  end)

  fault("cut", "ends before its length", function(answer)
    assert.same({ CUT, tostring(#BALANCE), BALANCE:sub(1, #BALANCE / 2) },
      { answer.code, header(answer, "Content-Length"), answer.body })
    assert.equal(BALANCE:sub(1, 3), ask("cut:3").body)
    makes("cut", 1)
    assert.equal(H2_STREAM, ask("cut", nil, "--cacert " .. sandbox.ca_file, sandbox.tls_url).code)
  end)
  fault("cut-chunked:5", "ends before its last chunk", function(answer)
    assert.same({ CUT, "chunked", BALANCE:sub(1, 5) },
      { answer.code, header(answer, "Transfer-Encoding"), answer.body })
  end)
  fault("trickle:80", "comes bit by bit", function(answer)
    assert.equal(BALANCE, answer.body)
    assert.is_true(answer.seconds >= 0.3)
  end)
  fault("stall:4", "stops and stays", function(answer)
    assert.same({ TIMEOUT, BALANCE:sub(1, 4) }, { answer.code, answer.body })
  end, "-m 0.7")
  fault("drip:0.02", "never ends", function(answer)
    assert.equal(TIMEOUT, answer.code)
    assert.truthy(answer.body:find "^ +$")
    assert.is_true(#answer.body > 5)
  end, "-m 0.7")
  fault("gzip", "is compressed unasked", function(answer)
    assert.equal("gzip", header(answer, "Content-Encoding"))
    assert.equal(BALANCE, ask("gzip", nil, "--compressed").body)
  end)
  fault("identity", "is not, though asked", function(answer)
    assert.is_nil(header(answer, "Content-Encoding"))
    assert.equal(BALANCE, answer.body)
  end, "-H 'Accept-Encoding: gzip'")

  fault("huge:1000000", "is white space", function(answer)
    assert.truthy(#answer.body > 1000000 and answer.body:find "^ +{}$")
    makes("huge:10", 0)
  end)
  fault("huge-string:1000000", "is a string", function(answer)
    assert.truthy(#answer.body > 1000000 and answer.body:find '^{"error":"a+"}$')
  end)
  fault("huge-list:1000000", "is a list", function(answer)
    assert.truthy(#answer.body > 1000000 and answer.body:find '^%[{"service":1,.*}%]$')
  end)
  fault("bomb:3000000", "is small, and inflates to much", function(answer)
    assert.equal("gzip", header(answer, "Content-Encoding"))
    assert.is_true(#answer.body < 10000)
    assert.equal(0, os_status("gunzip -t < " .. scratch .. ".body"))
    local inflated = ask("bomb:3000000", nil, "--compressed").body
    assert.truthy(#inflated >= 3000000 and inflated:find "^ +{}$")
  end)
  fault("bomb-nested", "is a few kB, and inflates to a GiB", function(answer)
    assert.equal("gzip, gzip", header(answer, "Content-Encoding"))
    assert.is_true(#answer.body < 5000, "bytes: " .. #answer.body)
    -- what a gzip file says of its size stands at its end
    local size = lines_of(("gunzip -c < %s.body | tail -c 4 | od -An -tu4"):format(scratch))
    assert.equal(1024 ^ 3 + 2, tonumber(size))
  end)
  fault("deep:100000", "is deep", function(answer)
    assert.equal(("["):rep(100000) .. ("]"):rep(100000), answer.body)
  end)
  fault("deep-objects:3", "is deep", function(answer)
    assert.equal('{"a":{"a":{"a":1}}}', answer.body)
  end)

  fault("rate-limit:2/60", "refuses the third", function(answer)
    assert.same({ 200, "2", "1" }, { answer.status, header(answer, "X-RateLimit-Limit"),
      header(answer, "X-RateLimit-Remaining") })
    assert.equal(200, ask("rate-limit:2/60").status)
    answer = ask("rate-limit:2/60")
    assert.equal(429, answer.status)
    assert.is_true(tonumber(header(answer, "Retry-After")) <= 60)
    control("/advance?seconds=61")
    assert.equal(200, ask("rate-limit:2/60").status)
    makes("rate-limit:0/60", 0)
  end)

  it("of the list is each tested here", function()
    for _, entry in ipairs(faults.list) do
      assert.is_true(covered[entry.name:match "^[^:]+"], entry.name)
    end
  end)

  it("is counted by name, and may apply only to some actions", function()
    local seen = {}
    for i = 1, 4 do seen[i] = ask("500@2&name=counted").status end
    assert.same({ 500, 500, 200, 200 }, seen)
    assert.equal(500, ask("500@2&name=another").status)
    assert.equal(200, ask("500&on=add,cancel").status)
    assert.equal(500, ask("500&on=add,cancel", "action=cancel&orders=1").status)
  end)

  it("can be in the path", function()
    assert.equal(502, ask(nil, nil, nil, (sandbox.url:gsub("/api", "/fault/502-html,made/api"))).status)
  end)

  it("can be a shape, and several combine", function()
    assert.equal('\239\187\191{"balance":100.84292}', ask("numbers,no-currency,bom").body)
    assert.equal('{"order":"ord_01HG00005BCD"}', ask("id:opaque", ADD .. "x").body)
    assert.equal('{"status":"error","msg":"Incorrect order ID"}',
      ask("error-msg", "action=status&order=9").body)
    assert.equal(422, ask("status:422,error-msg", "action=status&order=9").status)
  end)

  it("that is unknown is a plain 400", function()
    local answer = ask("nosuch")
    assert.same({ 400, "sandbox: unknown fault nosuch\n" }, { answer.status, answer.body })
    answer = ask("drop", "action=status&order=1")
    assert.same({ 400, "sandbox: drop: write drop:FIELD\n" }, { answer.status, answer.body })
  end)

  it("leaves only nginx's own messages in the error log", function()
    assert.is_nil(read(sandbox.dir .. "/error.log"):find "lua entry thread aborted")
  end)
end)

-- Started by root, nginx's workers are another user. In a checkout below /root they cannot read a file.
describe("a sandbox whose workers may not read its files", function()
  it("has every shape", function()
    local dir = io.popen("mktemp -d"):read "*l"
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
