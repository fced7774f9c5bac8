-- Metrics of smmpanel's calls in the Prometheus text format, in a shared dictionary of nginx, so that all workers
-- count together. The nginx.conf in this directory uses it.
local prometheus = {}

local BUCKETS = { 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60 } -- seconds

local HELP = {
  { "smmpanel_requests_total", "counter", "HTTP requests to the panel, by action and HTTP status (0: no answer)." },
  { "smmpanel_calls_total", "counter", "Finished calls, by action and error code (ok: none)." },
  { "smmpanel_uncertain_total", "counter", "Writes that may have been carried out although no answer says so." },
  { "smmpanel_wait_seconds_total", "counter", "Seconds that calls waited before a request, by reason." },
  { "smmpanel_call_duration_seconds", "histogram", "How long calls took, retries and waits included." },
}

local function series(name, labels)
  local parts = {}
  for label, value in pairs(labels) do
    parts[#parts + 1] = ('%s="%s"'):format(label, (tostring(value):gsub('[\\"\n]', "_")))
  end
  table.sort(parts)
  return name .. "{" .. table.concat(parts, ",") .. "}"
end

local function observe_duration(dict, action, seconds)
  local name = "smmpanel_call_duration_seconds"
  for _, bound in ipairs(BUCKETS) do
    local step = seconds <= bound and 1 or 0
    dict:incr(series(name .. "_bucket", { action = action, le = bound }), step, 0)
  end
  dict:incr(series(name .. "_bucket", { action = action, le = "+Inf" }), 1, 0)
  dict:incr(series(name .. "_count", { action = action }), 1, 0)
  dict:incr(series(name .. "_sum", { action = action }), seconds, 0)
end

local handlers = {}

function handlers.attempt(dict, event)
  dict:incr(series("smmpanel_requests_total", { action = event.action, status = event.http_status }), 1, 0)
end

function handlers.wait(dict, event)
  dict:incr(series("smmpanel_wait_seconds_total", { reason = event.reason }), event.seconds, 0)
end

handlers["end"] = function(dict, event)
  local err = event.err
  dict:incr(series("smmpanel_calls_total", { action = event.action, code = err and err.code or "ok" }), 1, 0)
  if err and err.uncertain then dict:incr(series("smmpanel_uncertain_total", { action = event.action }), 1, 0) end
  observe_duration(dict, event.action, event.seconds)
end

--- Returns a listener for the option `on_event`.
function prometheus.listener(dict)
  return function(event)
    local handler = handlers[event.type]
    if handler then handler(dict, event) end
  end
end

local function lines_of(dict, metric)
  local lines = {}
  for _, key in ipairs(dict:get_keys(0)) do
    local base = key:match "^([%w_]+){"
    local of_histogram = base:gsub("_bucket$", ""):gsub("_count$", ""):gsub("_sum$", "")
    if base == metric or of_histogram == metric then lines[#lines + 1] = key .. " " .. dict:get(key) end
  end
  table.sort(lines)
  return lines
end

--- Returns the page that Prometheus fetches.
function prometheus.text(dict)
  local page = {}
  for _, metric in ipairs(HELP) do
    local name, kind, help = metric[1], metric[2], metric[3]
    local lines = lines_of(dict, name)
    if #lines > 0 then
      page[#page + 1] = ("# HELP %s %s\n# TYPE %s %s\n%s\n"):format(name, help, name, kind, table.concat(lines, "\n"))
    end
  end
  return table.concat(page)
end

return prometheus
