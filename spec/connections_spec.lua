-- How connections are used, kept and closed.
local core = require "smmpanel.core"
local process = require "spec.support.process"
local raw = require "spec.support.raw"
local support = require "spec.support.sandbox"
local system = require "spec.support.system"

local run = system.output

describe("connections", function()
  local directory, server, sandbox
  setup(function()
    directory, server, sandbox = system.directory(), raw.start(), support.start()
    assert(run(("cc -shared -fPIC -o %s/preload.so spec/support/preload.c -ldl 2>&1"):format(directory)) == "")
  end)
  teardown(function()
    server.stop()
    sandbox.stop()
    os.execute("rm -rf " .. directory)
  end)

  -- Returns what a chunk prints in a separate process with the preloaded library.
  local function preloaded(variables, chunk)
    system.write(directory .. "/run.lua", chunk)
    return run(("env %s LD_PRELOAD=%s/preload.so %s %s/run.lua 2>&1"):format(variables, directory, process.lua(),
      directory))
  end

  it("were kept for ever, until the program had no descriptor left", function()
    if not io.open "/proc/self/fd" then return pending "needs /proc" end
    local other = process.start(process.lua() .. " spec/support/echo_server.lua")
    -- The answers come when all requests have been sent: a second one on a connection would get none.
    local kept = raw.answer '{"balance":"1"}'
    local said = preloaded("CLOCK_SPEED=50", ([[
      local core = require "smmpanel.core"
      local function client(url)
        return core.client { url = url, key = "k", max_body = 1e6, connect_timeout = 500, user_agent = "x" }
      end
      local function descriptors()
        local n = 0
        for i = 0, 255 do n = n + (core.file("/proc/self/fd/" .. i) and 1 or 0) end
        return n
      end
      -- Returns how many descriptors there were at most.
      local function ask(of, count)
        local most = 0
        for _ = 1, count do assert(core.start(of, { action = "balance", deadline = core.now() + 500 })) end
        while count > 0 do
          core.wait(1)
          count = count - #(core.step() or {})
          most = math.max(most, descriptors())
        end
        return most
      end
      local many, one = client %q, client %q
      ask(one, 1)
      local before = descriptors()
      local during = ask(many, 60)
      for _ = 1, 80 do -- of another panel, each 2 s for nearly three minutes
        ask(one, 1)
        os.execute "sleep 0.04"
      end
      local beside = descriptors()
      for _ = 1, 100 do
        if descriptors() < before then break end
        os.execute "sleep 0.1"
      end
      print(before, during, beside, descriptors())
    ]]):format(server.url { 0.5, kept, raw.WAIT }, "http://127.0.0.1:" .. other.line .. "/"))
    other.stop()
    local before, during, beside, after = said:match "(%d+)%s+(%d+)%s+(%d+)%s+(%d+)"
    assert.truthy(after, said)
    assert.is_true(during - before >= 50, said)
    assert.is_true(beside - before <= 40, said) -- the number of requests in 15 to 30 s
    assert.is_true(tonumber(after) < tonumber(before), said)
  end)

  it("the thread read the environment while the program could be changing it", function()
    local chunk = ([[
      local smmpanel = require "smmpanel"
      assert(smmpanel.new { url = %q, key = "k" }:balance())
      assert(smmpanel.new { url = %q, key = "k", ca_file = %q }:balance())
      assert(not smmpanel.new({ url = "http://panel.invalid/", key = "k", retries = 0, timeout = 5 }):balance())
    ]]):format(server.url { raw.answer '{"balance":"1"}' }, sandbox.tls_url, sandbox.ca_file)
    chunk = chunk:gsub('key = "k", ca_file', ("key = %q, ca_file"):format(sandbox.key))
    assert.equal("", preloaded("WATCH_GETENV=1 http_proxy= https_proxy= no_proxy=panel.invalid", chunk))
  end)

  it("an order whose HTTP/2 connection was closed was uncertain, although the server had refused it", function()
    local versions = {}
    local secure = require "smmpanel".new { url = sandbox.tls_url, key = sandbox.key, ca_file = sandbox.ca_file,
      on_event = function(event)
        if event.type == "attempt" then versions[event.action] = event.http_version end
      end }
    assert(secure:balance())
    if not core.libcurl().http2 then return pending "this libcurl has no HTTP/2" end
    assert(secure:add { service = 1, link = "https://x.example", quantity = 1000 })
    assert.same({ balance = 2, add = 1.1 }, versions)
  end)

  -- nginx closes a connection after this many requests: over HTTP/2 with GOAWAY, and requests sent meanwhile are lost.
  it("writes to a server that closes connections often all arrive", function()
    local files = sandbox.ca_file:match "^(.*)/"
    local listener = process.start(process.lua() .. [[ -e 'local s = require("socket").bind("127.0.0.1", 0)
      print((select(2, s:getsockname()))) s:close()']])
    local port = listener.line
    listener.stop()
    system.write(directory .. "/nginx.conf", (([[
      daemon off; master_process off; pid DIR/nginx.pid; error_log stderr crit;
      events { worker_connections 512; }
      http {
        access_log off; client_body_temp_path DIR/t1; proxy_temp_path DIR/t2; fastcgi_temp_path DIR/t3;
        uwsgi_temp_path DIR/t4; scgi_temp_path DIR/t5;
        server {
          listen 127.0.0.1:PORT ssl http2; keepalive_requests 7;
          ssl_certificate FILES/server.pem; ssl_certificate_key FILES/server.key;
          location / { return 200 '{"order":1}'; }
        }
      }
    ]]):gsub("%u%u%u+", { DIR = directory, PORT = port, FILES = files })))
    local nginx = process.start(("sh -c 'nginx -p %s -c %s/nginx.conf & echo $!; wait'"):format(directory, directory))
    local client = core.client { url = ("https://localhost:%s/"):format(port), key = "k", max_body = 1e6,
      connect_timeout = 5, user_agent = "x", ca_file = sandbox.ca_file }
    local lost, running = {}, 0
    local function step()
      core.wait(5)
      for _, transfer in ipairs(core.step() or {}) do
        running = running - 1
        local result = transfer:result()
        if result.code ~= "" and result.sent then lost[#lost + 1] = result.code .. ": " .. result.text end
      end
    end
    for _ = 1, 120 do
      while running >= 16 do step() end
      assert(core.start(client, { action = "add", deadline = core.now() + 20, write = true }))
      running = running + 1
    end
    while running > 0 do step() end
    os.execute("kill -KILL " .. nginx.line) -- TERM right before its wait for events is not noticed
    nginx.stop()
    assert.same({}, lost)
  end)

  it("are reused by more simultaneous requests than one libcurl handle takes", function()
    local opened, answered = 0, 0
    local panel = sandbox.panel("latency:0.2", { batch_size = 1, concurrency = 300, on_event = function(event)
      if event.type == "attempt" and not event.reused then opened = opened + 1 end
    end })
    local ids = {}
    for id = 1, 300 do ids[id] = id end
    for _ = 1, 3 do
      for _ in pairs(assert(panel:status(ids))) do answered = answered + 1 end
    end
    panel:close()
    assert.equal(900, answered)
    assert.is_true(opened <= 300, opened)
  end)
end)
