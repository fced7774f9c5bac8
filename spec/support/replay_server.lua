-- Answers POST /N with the N-th line of a file of recorded exchanges, and stores the requests.
-- A separate process: `lua replay_server.lua FILE` prints its port.
local cjson = require "cjson"
local serve = require "spec.support.serve"

local exchanges = {}
for line in io.lines((assert(arg[1], "which file?"))) do exchanges[#exchanges + 1] = cjson.decode(line) end

local reasons = { [200] = "OK", [302] = "Found", [303] = "See Other", [403] = "Forbidden", [500] = "Error" }

local function answer_to(number)
  local exchange = assert(exchanges[number], "no such exchange")
  local headers = { ("HTTP/1.1 %d %s"):format(exchange.status, reasons[exchange.status] or "?") }
  local function header(name, value)
    if type(value) == "string" then headers[#headers + 1] = name .. ": " .. value end
  end
  header("Content-Type", exchange.content_type)
  header("Location", exchange.location)
  header("Retry-After", exchange.retry_after)
  header("Content-Length", tostring(#exchange.body))
  return table.concat(headers, "\r\n") .. "\r\n\r\n" .. exchange.body
end

serve(function(request)
  return answer_to(tonumber(request.path:match "^/(%d+)"))
end)
