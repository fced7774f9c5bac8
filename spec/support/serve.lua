-- The loop of a small HTTP server, for programs that specs start: one process, keep-alive, one request at a time.
local socket = require "socket"

local IDLE_SECONDS = 60

-- { method, path, head, body }, or nil when the client went away.
local function read_request(client)
  local method, path = (client:receive "*l" or ""):match "^(%u+) (%S+)"
  local length, head = 0, {}
  local line
  repeat
    line = client:receive "*l"
    head[#head + 1] = line
    length = tonumber(line and line:lower():match "^content%-length: (%d+)") or length
  until not line or line == ""
  local body = length == 0 and "" or client:receive(length) -- which of nothing waits for something
  if line and method and body then
    return { method = method, path = path, head = table.concat(head, "\n"), body = body }
  end
end

--- Prints its port, then answers each request with the text that `answer` returns, including the status line. The
-- process ends after a minute without a request.
---@param answer fun(request: { method: string, path: string, head: string, body: string }): string
return function(answer)
  local server = assert(socket.bind("127.0.0.1", 0, 128))
  io.write(select(2, server:getsockname()), "\n")
  io.flush()

  local clients = { server }
  local function accept()
    local client = server:accept()
    client:settimeout(5)
    client:setoption("tcp-nodelay", true)
    clients[#clients + 1] = client
  end
  local function drop(client)
    for i = #clients, 2, -1 do
      if clients[i] == client then table.remove(clients, i) end
    end
    client:close()
  end
  local function serve(client)
    local request = read_request(client)
    if not (request and client:send(answer(request))) then drop(client) end
  end

  while true do
    local ready = socket.select(clients, nil, IDLE_SECONDS)
    if #ready == 0 then os.exit(0) end
    for _, peer in ipairs(ready) do
      if peer == server then accept() else serve(peer) end
    end
  end
end
