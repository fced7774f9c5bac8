-- Answers every POST with a balance, and notes when it came. A process of its own: `lua clock_server.lua`
-- prints its port; `GET /times` gives the arrivals, a line each: seconds since it began, and the path of the
-- request. POST /slow/N is answered with 429 and Retry-After: N. It ends when nobody has asked anything for a
-- minute.
local socket = require "socket"

local IDLE_SECONDS = 60
local BALANCE = '{"balance":"100.84292","currency":"USD"}'
local times, began = {}, socket.gettime()

local function response(status, body, more)
  return ("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s"):format(status, #body, more or "", body)
end

local function answer(method, path)
  if method == "GET" then return response("200 OK", table.concat(times, "\n")) end
  times[#times + 1] = ("%.6f %s"):format(socket.gettime() - began, path)
  local pause = path:match "^/slow/(%d+)"
  if not pause then return response("200 OK", BALANCE) end
  local more = "Retry-After: " .. pause .. "\r\n"
  return response("429 Too Many Requests", '{"error":"Too many requests"}', more)
end

-- Method and path, or nil when the client went away.
local function read_request(client)
  local method, path = (client:receive "*l" or ""):match "^(%u+) (%S+)"
  local length = 0
  local line
  repeat
    line = client:receive "*l"
    length = tonumber(line and line:lower():match "^content%-length: (%d+)") or length
  until not line or line == ""
  if not line or not method or length > 0 and not client:receive(length) then return nil end
  return method, path
end

local server = assert(socket.bind("127.0.0.1", 0, 128))
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
      local client = server:accept()
      client:settimeout(5)
      client:setoption("tcp-nodelay", true)
      clients[#clients + 1] = client
    else
      local method, path = read_request(peer)
      if not (method and peer:send(answer(method, path))) then drop(peer) end
    end
  end
end
