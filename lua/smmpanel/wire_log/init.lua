--- The wire log: each exchange with the panel as one JSON line in a file. No line contains the key. The file can be
-- attached to a bug report, and `smmpanel.replay(path)` answers from it.
--
-- The fields of a line: `at` (when the attempt ended, UTC), `action`, `attempt`, `seconds`, `request` (the form body,
-- the key as `K`), `status`, `content_type`, `location`, `retry_after` and other headers that concern the next
-- request, `body` (or `body_base64` if it is not UTF-8), `cut` (the body was longer than the limit of the log),
-- `error` (a failed transfer: `{ code, message, sent }`).
-- @module smmpanel.wire_log

local base64 = require "smmpanel.util.base64"
local core = require "smmpanel.core"
local json = require "smmpanel.util.json"
local text = require "smmpanel.util.text"

local wire_log = {}

wire_log.BODY_MAX = 4 * 1024 * 1024 -- bytes of a body that are logged; enough for ten thousand services

local HEADERS = { "content-type", "location", "retry-after", "x-ratelimit-limit", "x-ratelimit-remaining",
  "x-ratelimit-reset", "cf-ray", "date" }

local function set_headers(line, headers, redact)
  for _, name in ipairs(HEADERS) do
    local value = headers and headers[name]
    line[(name:gsub("%-", "_"))] = value and redact(value)
  end
end

local function set_body(line, body)
  if text.is_utf8(body) then
    line.body = body
  else
    line.body_base64 = base64.encode(body)
  end
end

-- Makes the table of a line. `redact` hides the key in all encodings, also if the text was truncated inside it.
local function line_of(exchange, redact)
  local outcome, body = exchange.outcome, exchange.body
  local line = { at = os.date "!%Y-%m-%dT%H:%M:%SZ", action = exchange.action, attempt = exchange.attempt,
    seconds = outcome.seconds, request = redact(exchange.form), status = outcome.http_status }
  set_headers(line, outcome.headers, redact)
  if #body > wire_log.BODY_MAX then body, line.cut = body:sub(1, wire_log.BODY_MAX), true end
  set_body(line, redact(body))
  if outcome.code ~= "" then
    line.error = { code = outcome.code, message = redact(outcome.text or ""), sent = outcome.sent }
  end
  return line
end

--- Returns a function that logs an exchange: { action, attempt, form (the body without the key), body, outcome }.
---@param target string|fun(line: table) a file's path, or a function that is given each line as a table
---@param redact fun(s: string): string hides the key
---@return fun(exchange: table) throws the errors of `target`, or if the file cannot be written
function wire_log.writer(target, redact)
  if type(target) ~= "string" then
    return function(exchange) target(line_of(exchange, redact)) end
  end
  return function(exchange)
    local ok, problem = core.append(target, json.encode(line_of(exchange, redact)) .. "\n")
    if not ok then error(problem, 0) end
  end
end

return wire_log
