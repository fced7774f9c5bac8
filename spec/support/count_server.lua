-- A panel that takes every order and notes when it came: `lua count_server.lua` prints its port. `GET /` gives the
-- times of arrival (of the wall clock), one a line.
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
