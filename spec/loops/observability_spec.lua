-- The programs of docs/observability.md: a log line for each call, OpenTelemetry spans, metrics for Prometheus.
local cjson = require "cjson"
local http = require "spec.loops.support.http"
local nginx = require "spec.loops.support.nginx"
local process = require "spec.support.process"
local system = require "spec.support.system"
local sandbox_server = require "smmpanel.sandbox.server"

local is_51 = _VERSION == "Lua 5.1"

local output = system.output

describe("the example for", function()
  local sandbox, environment

  lazy_setup(function()
    sandbox = assert(sandbox_server.start { tls = false })
    environment = ("SMMPANEL_URL=%s SMMPANEL_KEY=%s "):format(sandbox.url, sandbox.key)
  end)
  lazy_teardown(function() if sandbox then sandbox.stop() end end)

  it("a JSON log writes a line for each call, without the key", function()
    local text = output(environment .. process.lua() .. " examples/observability/json_log.lua 2>&1")
    local lines = {}
    for line in text:gmatch "[^\n]+" do lines[#lines + 1] = cjson.decode(line) end
    assert.equal(3, #lines)
    assert.same({ "info", "smmpanel balance", 200, 1 },
      { lines[1].level, lines[1].msg, lines[1].http_status, lines[1].attempts })
    assert.equal(3, lines[2].ids)
    assert.same({ "error", "bad_order" }, { lines[3].level, lines[3].error })
    assert.is_nil(text:find(sandbox.key, 1, true))
  end)

  local function attributes_of(span)
    local values = {}
    for _, attribute in ipairs(span.attributes) do
      values[attribute.key] = attribute.value.stringValue or attribute.value.intValue
    end
    return values
  end

  it("OpenTelemetry sends spans with the names of the HTTP conventions", function()
    local collector = process.start(process.lua() .. " spec/loops/support/collector.lua")
    finally(collector.stop)
    local endpoint = ("OTLP_ENDPOINT=http://127.0.0.1:%s/v1/traces "):format(collector.line)
    local said = output(environment .. endpoint .. process.lua() .. " examples/observability/otlp.lua 2>&1")
    assert.matches("4 spans sent: 200", said)
    local text = require "socket.http".request(("http://127.0.0.1:%s/received"):format(collector.line))
    assert.is_nil(text:find(sandbox.key, 1, true))
    local spans = cjson.decode(text).resourceSpans[1].scopeSpans[1].spans
    local attempt, call, _, failed = spans[1], spans[2], spans[3], spans[4]
    assert.same({ call.traceId, call.spanId, 3 }, { attempt.traceId, attempt.parentSpanId, attempt.kind })
    assert.equal(32, #call.traceId)
    local values = attributes_of(attempt)
    assert.same({ "POST", "127.0.0.1", "200" }, { values["http.request.method"], values["server.address"],
      values["http.response.status_code"] })
    assert.is_nil(values["http.request.resend_count"])
    assert.equal("bad_order", attributes_of(failed)["error.type"])
    assert.equal(2, failed.status.code)
    assert.is_true(attempt.startTimeUnixNano <= attempt.endTimeUnixNano)
  end)

  if not is_51 then return end

  it("Prometheus shows metrics that promtool accepts", function()
    if output "command -v promtool" == "" then return pending "promtool is not installed (Debian: prometheus)" end
    local port, dir = system.free_port(), system.directory()
    local changes = ("s/8090/%d/; s/daemon off/daemon on/; s/log stderr/log error.log/"):format(port)
    os.execute(("sed '%s' examples/observability/nginx.conf > %s/nginx.conf"):format(changes, dir))
    local paths = ("LUA_PATH='./?.lua;%s' LUA_CPATH='%s' "):format(package.path, package.cpath)
      :gsub("%./", output "pwd":gsub("\n", "") .. "/")
    os.execute(environment .. paths .. ("/usr/sbin/nginx -p %s -c %s/nginx.conf -e error.log"):format(dir, dir))
    finally(function() os.execute(("kill $(cat %s/nginx.pid); sleep 0.2; rm -r %s"):format(dir, dir)) end)
    assert(nginx.wait_until(function() return (pcall(http.get, port, "/metrics")) end))
    for _ = 1, 3 do assert.matches("100.84292", select(2, http.get(port, "/balance"))) end
    local page = select(2, http.get(port, "/metrics"))
    assert.is_truthy(page:find('smmpanel_requests_total{action="balance",status="200"} 3', 1, true), page)
    assert.is_truthy(page:find('smmpanel_calls_total{action="balance",code="ok"} 3', 1, true))
    assert.is_truthy(page:find('smmpanel_call_duration_seconds_bucket{action="balance",le="+Inf"} 3', 1, true))
    assert.is_nil(page:find(sandbox.key, 1, true))
    system.write(dir .. "/page", page)
    assert.equal("", output(("promtool check metrics <%s/page 2>&1"):format(dir)))
  end)
end)
