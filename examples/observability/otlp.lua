-- OpenTelemetry: a span for each call and each attempt, sent as OTLP/JSON to a collector at the end.
--
--   OTLP_ENDPOINT=http://127.0.0.1:4318/v1/traces SMMPANEL_URL=… SMMPANEL_KEY=… lua examples/observability/otlp.lua
local cjson = require "cjson"
local http = require "socket.http"
local smmpanel = require "smmpanel"
local socket = require "socket"

local url = os.getenv "SMMPANEL_URL"
local spans, calls = {}, {}

local INTERNAL, CLIENT = 1, 3 -- the kinds of span
local OK, ERROR = 1, 2

local function id(bytes)
  local file = assert(io.open("/dev/urandom", "rb"))
  local hex = file:read(bytes):gsub(".", function(c) return ("%02x"):format(c:byte()) end)
  file:close()
  return hex
end

-- Nanoseconds as text, as OTLP/JSON requires. A double has too few digits, so the value is rounded to microseconds.
local function nanoseconds(seconds)
  return ("%.0f000"):format(seconds * 1e6)
end

local function attribute(name, value)
  local kind = type(value) == "number" and "intValue" or type(value) == "boolean" and "boolValue" or "stringValue"
  return { key = name, value = { [kind] = kind == "intValue" and ("%d"):format(value) or value } }
end

local function attributes_of(values)
  local list = {}
  for name, value in pairs(values) do list[#list + 1] = attribute(name, value) end
  return list
end

local function add_span(span, seconds, values, err)
  local now = socket.gettime()
  span.startTimeUnixNano, span.endTimeUnixNano = nanoseconds(now - seconds), nanoseconds(now)
  span.attributes = attributes_of(values)
  span.status = err and { code = ERROR, message = err.message } or { code = OK }
  spans[#spans + 1] = span
end

local host, port = url:match "^%a+://([^/:?#]+):?(%d*)"

local handlers = {}

function handlers.start(event)
  calls[event.call] = { trace = id(16), span = id(8) }
end

-- The names follow the semantic conventions for HTTP clients.
function handlers.attempt(event)
  local call = calls[event.call]
  add_span({ traceId = call.trace, spanId = id(8), parentSpanId = call.span, name = "POST", kind = CLIENT },
    event.seconds, {
      ["http.request.method"] = "POST", ["server.address"] = host, ["server.port"] = tonumber(port),
      ["http.response.status_code"] = event.http_status > 0 and event.http_status or nil,
      ["http.request.resend_count"] = event.attempt > 1 and event.attempt - 1 or nil,
      ["http.response.body.size"] = event.bytes, ["error.type"] = event.err and event.err.code,
    }, event.err)
end

handlers["end"] = function(event)
  local call = calls[event.call]
  calls[event.call] = nil
  add_span({ traceId = call.trace, spanId = call.span, name = "smmpanel " .. event.action, kind = INTERNAL },
    event.seconds, { ["smmpanel.ids"] = event.ids, ["smmpanel.ref"] = event.ref,
      ["error.type"] = event.err and event.err.code }, event.err)
end

local function export()
  local body = cjson.encode { resourceSpans = { {
    resource = { attributes = { attribute("service.name", "shop") } },
    scopeSpans = { { scope = { name = "smmpanel", version = smmpanel.version }, spans = spans } },
  } } }
  local sent = 0
  local _, status = http.request {
    url = os.getenv "OTLP_ENDPOINT", method = "POST",
    headers = { ["Content-Type"] = "application/json", ["Content-Length"] = #body },
    source = function()
      sent = sent + 1
      return sent == 1 and body or nil
    end,
  }
  print(("%d spans sent: %s"):format(#spans, tostring(status)))
end

local panel = smmpanel.new { url = url, key = os.getenv "SMMPANEL_KEY", on_event = function(event)
  local handler = handlers[event.type]
  if handler then handler(event) end
end }
panel:balance()
panel:status(9)
panel:close()
export()
