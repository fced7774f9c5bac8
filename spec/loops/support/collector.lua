-- Accepts data with POST and returns the latest for GET /received.
local received = ""

require "spec.support.serve" (function(request)
  local body = "{}"
  if request.method == "POST" then received = request.body end
  if request.path == "/received" then body = received end
  return ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)
end)
