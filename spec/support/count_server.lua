-- A panel that accepts every order and records its arrival: `lua count_server.lua` prints its port. `GET /` returns the
-- times of arrival by the wall clock, one per line.
local serve = require "spec.support.serve"
local socket = require "socket"

local times = {}

serve(function(request)
  local said = table.concat(times, "\n")
  if request.method ~= "GET" then
    times[#times + 1] = ("%.6f"):format(socket.gettime())
    said = ('{"order":%d}'):format(#times)
  end
  return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#said, said)
end)
