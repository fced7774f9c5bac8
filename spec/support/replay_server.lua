-- Answers POST /N with the N-th line of a file of recorded exchanges, and keeps what was asked.
-- A process of its own: `lua replay_server.lua FILE` prints its port, then serves until it is stopped
-- or nobody has asked anything for a minute.
local socket = require "socket"
local cjson = require "cjson"

local IDLE_SECONDS = 60
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

-- A request's number, or nil when the client went away.
local function read_request(client)
  local line = client:receive "*l"
  local number = line and tonumber(line:match "^POST /(%d+)")
  local length = 0
  repeat
    line = client:receive "*l"
    length = tonumber(line and line:lower():match "^content%-length: (%d+)") or length
  until not line or line == ""
  return line and client:receive(length) and number
end

local server = assert(socket.bind("127.0.0.1", 0))
io.write(select(2, server:getsockname()), "\n")
io.flush()

local clients = { server }
local function drop(client)
  for i = #clients, 2, -1 do
    if clients[i] == client then table.remove(clients, i) end
  end
  client:close()
end

while true do
  local ready = socket.select(clients, nil, IDLE_SECONDS)
  if #ready == 0 then os.exit(0) end
  for _, peer in ipairs(ready) do
    if peer == server then
      clients[#clients + 1] = server:accept()
    else
      peer:settimeout(5)
      local number = read_request(peer)
      if not (number and peer:send(answer_to(number))) then drop(peer) end
    end
  end
end
