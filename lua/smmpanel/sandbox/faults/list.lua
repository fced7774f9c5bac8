--- The faults: what each one changes in a plan.
-- @module smmpanel.sandbox.faults.list

local shapes = require "smmpanel.sandbox.shapes"

local HTML = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>%s</title>\n" ..
  "<style>body { background: #fff; margin: 40px } a { color: #003399 }</style>\n</head>\n<body>\n" ..
  "<h1>%s</h1>\n<p>%s</p>\n</body>\n</html>\n"

local function html_page(title, text)
  return HTML:format(title, title, text)
end

local NOTICE = "<br />\n<b>Warning</b>:  Undefined array key \"refill\" in <b>/srv/panel/api.php</b> " ..
  "on line <b>34</b><br />\n"

local reasons = { [400] = "Bad Request", [401] = "Unauthorized", [402] = "Payment Required",
  [403] = "Forbidden", [404] = "Not Found", [405] = "Method Not Allowed", [422] = "Unprocessable Content",
  [429] = "Too Many Requests", [500] = "Internal Server Error", [502] = "Bad Gateway",
  [503] = "Service Unavailable", [504] = "Gateway Time-out" }

local function reason(code)
  return reasons[code] or "Error"
end

-- ---- the registry ----------------------------------------------------------------------------

local list = {}

local function fault(name, what, apply)
  list[#list + 1] = { name = name, what = what, apply = apply }
end

local function number(arg, default, most)
  local n = arg and tonumber(arg) or not arg and default
  if n and most and n > most then error(("%s is too large: at most %d"):format(arg, most), 0) end
  return n or error(arg and arg .. " is not a number" or "a number is needed", 0)
end

local function replace(plan, body, type, status)
  plan.answer = { status = status or 200, type = type or "application/json", body = body }
end

-- Time

fault("latency:S", "carried out at once, answered S seconds later (1)", function(plan, arg)
  plan.latency = number(arg, 1)
end)
fault("jitter:S", "answered up to S seconds later (1), at random", function(plan, arg)
  plan.jitter = number(arg, 1)
end)
fault("late:S", "carried out S seconds later (2), even if the client has gone by then", function(plan, arg)
  plan.late = number(arg, 2)
end)

-- Connections

fault("close", "the connection is closed before the body is read; nothing is carried out", function(plan)
  plan.close = "unread"
end)
fault("lost", "carried out, then the connection is closed without an answer", function(plan)
  plan.close, plan.made = "fin", true
end)
fault("lost-reset", "carried out, then the connection is reset without an answer", function(plan)
  plan.close, plan.made = "reset", true
end)
fault("reset", "the connection is reset; nothing is carried out", function(plan)
  plan.close = "reset"
end)

-- Instead of the panel's answer

fault("made", "with one of the answers below: the action is carried out nevertheless", function(plan)
  plan.made = true
end)
fault("CODE", "HTTP status 400 to 599 (`500`, `403`) with a JSON error", nil)
fault("CODE-html", "HTTP status 400 to 599 with an HTML page", nil)
fault("CODE-empty", "HTTP status 400 to 599 with an empty body", nil)
fault("429:S", "429 with a JSON error, and with `Retry-After: S` if S is given", function(plan, arg)
  replace(plan, '{"error":"Too many requests"}', nil, 429)
  plan.headers["Retry-After"] = arg
end)
fault("429-date:S", "429 with a JSON error and `Retry-After` as a date S seconds from now (1)",
function(plan, arg)
  replace(plan, '{"error":"Too many requests"}', nil, 429)
  plan.retry_date = number(arg, 1)
end)
fault("429-message", "429 with `{\"message\":\"Too Many Attempts.\"}`", function(plan)
  replace(plan, '{"message":"Too Many Attempts."}', nil, 429)
end)
fault("error:TEXT", "200 with the error TEXT", function(plan, arg)
  replace(plan, shapes.encode { error = arg or "Error" })
end)
fault("body:TEXT", "200 with TEXT as the whole body; `%XX` in it is a byte, such as a comma", function(plan, arg)
  replace(plan, ((arg or ""):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)))
  plan.never_html = true -- the text may come from a link in an untrusted web page
end)
fault("html", "200 with an HTML page, declared as JSON", function(plan)
  replace(plan, html_page("Database Error", "Unable to connect to the database."))
end)
fault("fatal", "200 with a PHP fatal error, declared as JSON", function(plan)
  replace(plan, "<br />\n<b>Fatal error</b>:  Uncaught TypeError: Unsupported operand types: " ..
    "string * float in /srv/panel/api.php:133\nStack trace:\n#0 {main}\n  thrown in <b>api.php</b>\n")
end)
fault("sqlstate", "200 with the line `SQLSTATE[...]`", function(plan)
  replace(plan, "SQLSTATE[HY000] [2002] Connection refused")
end)
fault("empty", "200 with an empty body", function(plan)
  replace(plan, "")
end)
fault("newline", "200 with a line break", function(plan)
  replace(plan, "\n")
end)
fault("null", "200 with `null`", function(plan)
  replace(plan, "null")
end)
fault("redirect:CODE", "a redirect to /maintenance (303)", function(plan, arg)
  replace(plan, "", "text/html; charset=UTF-8", number(arg, 303))
  plan.headers.Location = "/maintenance"
end)
fault("unsupported", "`This action is Invalid`", function(plan)
  replace(plan, '{"error":"This action is Invalid"}')
end)

-- The panel's answer, damaged

fault("status:CODE", "the panel's answer with another HTTP status (`status:201`)", function(plan, arg)
  plan.status = number(arg)
end)
fault("type:TEXT", "another content type (`text/html`)", function(plan, arg)
  plan.headers["Content-Type"] = arg or "text/html; charset=UTF-8"
end)
fault("cookie", "a cookie on the answer", function(plan)
  plan.headers["Set-Cookie"] = "PHPSESSID=q1w2e3r4t5y6u7i8; path=/; HttpOnly"
end)
fault("bom", "a byte order mark before the JSON", function(plan)
  table.insert(plan.before, 1, "\239\187\191")
end)
fault("space", "white space before and after the JSON", function(plan)
  table.insert(plan.before, " \r\n\t\n")
  table.insert(plan.after, "\r\n \n")
end)
fault("notice", "PHP notices in HTML before the JSON", function(plan)
  table.insert(plan.before, NOTICE .. NOTICE)
end)
fault("notice-text", "a PHP notice as plain text with brackets before the JSON", function(plan)
  table.insert(plan.before, "\nNotice: Undefined index: type[0] in /srv/panel/{closure}.php on line 34\n")
end)
local PAGE = 64 * 1024 * 1024 -- generated in memory, like the bombs
fault("debug-page:BYTES", "a debug page of BYTES (300000) before the JSON", function(plan, arg)
  local line = "<tr><td>#12</td><td>PDOStatement->execute(Array)</td><td>['key' => '***', {…}]</td></tr>\n"
  local size = number(arg, 300000, PAGE)
  table.insert(plan.before, "<html><body><table>\n" .. line:rep(math.ceil(size / #line)) ..
    "</table></body></html>\n")
end)
fault("tail", "a PHP notice after the JSON", function(plan)
  table.insert(plan.after, "\n" .. NOTICE)
end)

-- How the body is sent

local function way(name, what, default)
  fault(name, what, function(plan, arg)
    plan.way, plan.pace = name:match("^[^:]+"), arg and number(arg) or default
  end)
end

way("cut:N", "the full Content-Length, N bytes (half), then the connection is closed")
way("cut-chunked:N", "chunked, N bytes (half), then the connection is closed")
way("trickle:N", "N bytes per second (100)", 100)
way("stall:N", "N bytes (half), then nothing for an hour")
way("drip:S", "endless white space, one byte every S seconds (0.1)", 0.1)
fault("gzip", "compressed, whatever the client accepts", function(plan)
  plan.encoding = "gzip"
end)
fault("identity", "not compressed, whatever the client accepts", function(plan)
  plan.encoding = "identity"
end)

-- Oversized bodies

local GIB = 1024 * 1024 * 1024

local function stream(name, what, default, most)
  fault(name, what, function(plan, arg)
    plan.stream = { kind = name:match("^[^:]+"), size = number(arg, default, most) }
  end)
end

stream("huge:BYTES", "BYTES (1 GiB) of white space, then `{}`", GIB)
stream("huge-string:BYTES", "a JSON string of BYTES (1 GiB)", GIB)
stream("huge-list:BYTES", "a JSON list of BYTES (1 GiB)", GIB)
stream("bomb:BYTES", "about 1 MB of gzip that inflates to BYTES (1 GiB)", GIB, 16 * GIB)
stream("bomb-nested:BYTES", "a few kB of gzip in gzip that inflate to BYTES (1 GiB)", GIB, 16 * GIB)
stream("deep:N", "N nested lists (100000)", 100000, 10000000)
stream("deep-objects:N", "N nested objects (100000)", 100000, 10000000)

-- Limits

fault("rate-limit:N/S",
  "429 after N requests in S seconds (60/60) with one key and name; X-RateLimit headers on every answer",
  function(plan, arg)
    local count, seconds = (arg or "60/60"):match("^(%d+)/?([%d.]*)$")
    plan.limit = { count = number(count or arg), seconds = tonumber(seconds) or 60 }
  end)

-- Codes

local bodies = {
  [""] = function(code)
    return shapes.encode { error = reason(code) }, "application/json"
  end,
  ["-html"] = function(code)
    return html_page(("%d %s"):format(code, reason(code)), "The server could not answer."),
      "text/html; charset=UTF-8"
  end,
  ["-empty"] = function()
    return "", "text/html; charset=UTF-8"
  end,
}

--- The fault of a name like `503-html`: the list has only CODE-html.
---@param name string
---@return fun(plan: sandbox.plan)?
local function code_fault(name)
  local code, kind = name:match("^([45]%d%d)(.*)$")
  local body = code and bodies[kind]
  return body and function(plan)
    local text, type = body(tonumber(code))
    replace(plan, text, type, tonumber(code))
  end
end

return { list = list, code_fault = code_fault }
