-- Concurrent requests to a server on this machine.
local socket = require "socket"

local http = {}

local function send(port, path)
  local connection = assert(socket.tcp())
  connection:settimeout(20)
  assert(connection:connect("127.0.0.1", port))
  assert(connection:send("GET " .. path .. " HTTP/1.0\r\nHost: localhost\r\n\r\n"))
  return connection
end

local function receive(connection)
  local answer = connection:receive "*a" or ""
  connection:close()
  return tonumber(answer:match "^HTTP/%S+ (%d+)") or 0, answer:match "\r\n\r\n(.*)$" or ""
end

--- Sends a request and leaves without waiting for the answer after `seconds`.
function http.abandon(port, path, seconds)
  local connection = send(port, path)
  socket.sleep(seconds)
  connection:close()
end

---@return integer status 0 if there was no answer
---@return string body
function http.get(port, path)
  return receive(send(port, path))
end

--- Sends all at once; `meanwhile` is called when they are sent.
---@return { status: integer, body: string }[]
---@return number seconds
function http.at_once(port, paths, meanwhile)
  local begun, connections, answers = socket.gettime(), {}, {}
  for i, path in ipairs(paths) do connections[i] = send(port, path) end
  if meanwhile then meanwhile() end
  for i, connection in ipairs(connections) do
    local status, body = receive(connection)
    answers[i] = { status = status, body = body }
  end
  return answers, socket.gettime() - begun
end

http.sleep, http.now = socket.sleep, socket.gettime

return http
