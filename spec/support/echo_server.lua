-- A panel that answers with the head of the request, as JSON: `lua echo_server.lua` prints its port.
local serve = require "spec.support.serve"

local function quoted(s)
  return '"' .. s:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"'
end

serve(function(request)
  local said = ('{"balance":"1","currency":%s}'):format(quoted(request.head))
  return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-RateLimit-Reset: 7\r\n\r\n%s"):format(#said, said)
end)
