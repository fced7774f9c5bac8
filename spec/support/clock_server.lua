-- Answers every POST with a balance, and records its arrival. A separate process: `lua clock_server.lua`
-- prints its port; `GET /times` returns the arrivals, one per line: seconds since the start, and the path of the
-- request. POST /slow/N is answered with 429 and Retry-After: N.
local serve = require "spec.support.serve"
local socket = require "socket"

local BALANCE = '{"balance":"100.84292","currency":"USD"}'
local times, began = {}, socket.gettime()

local function response(status, body, more)
  return ("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s"):format(status, #body, more or "", body)
end

local function answer(request)
  if request.method == "GET" then return response("200 OK", table.concat(times, "\n")) end
  times[#times + 1] = ("%.6f %s"):format(socket.gettime() - began, request.path)
  local pause = request.path:match "^/slow/(%d+)"
  if not pause then return response("200 OK", BALANCE) end
  local more = "Retry-After: " .. pause .. "\r\n"
  return response("429 Too Many Requests", '{"error":"Too many requests"}', more)
end

serve(answer)
