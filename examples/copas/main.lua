-- Copas: a small server. Each line with an order's id gets the order's state. Clients do not wait for each other.
--
--   SMMPANEL_URL=… SMMPANEL_KEY=… luajit examples/copas/main.lua 8090 &
--   echo 100 | nc localhost 8090
local copas = require "copas"
local socket = require "socket"
local smmpanel = require "smmpanel"

local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY" }

local function serve(client)
  client = copas.wrap(client)
  for line in function() return client:receive() end do
    local id = line:match "^%s*(%w+)%s*$"
    local record, err
    if id then record, err = panel:status(id) end
    client:send((record and record.status or tostring(err or "send an order's id")) .. "\n")
  end
end

local server = assert(socket.bind("127.0.0.1", tonumber(arg[1] or 0)))
print("listening on " .. select(2, server:getsockname()))
io.stdout:flush()
copas.addserver(server, serve)
copas.loop()
