--- Sends an answer as a plan of faults says. Runs in nginx.
-- @module smmpanel.sandbox.server.wire

local bomb = require "smmpanel.sandbox.server.bomb"

-- luacheck: globals ngx

local wire = {}

local AN_HOUR = 3600

--- Ends the connection without sending another byte. For a reset it goes to a location of its own: whether nginx resets
-- a connection is a setting of the location.
---@param how "fin"|"reset"|"unread"
function wire.close(how)
  if how == "reset" then
    return ngx.exec("@reset")
  end
  return ngx.exit(444)
end

local function send(text)
  return ngx.print(text) and ngx.flush(true)
end

local ways = {}

function ways.whole(body)
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

local function part(body, bytes)
  return body:sub(1, bytes or math.floor(#body / 2))
end

ways["cut"] = function(body, bytes)
  ngx.header["Content-Length"] = #body
  send(part(body, bytes))
  wire.close("fin")
end

ways["cut-chunked"] = function(body, bytes)
  send(part(body, bytes))
  wire.close("fin")
end

function ways.stall(body, bytes)
  ngx.header["Content-Length"] = #body
  send(part(body, bytes))
  ngx.sleep(AN_HOUR)
end

function ways.trickle(body, rate)
  local step = math.max(1, math.floor(rate / 10))
  ngx.header["Content-Length"] = #body
  for first = 1, #body, step do
    if not send(body:sub(first, first + step - 1)) then
      return
    end
    ngx.sleep(step / rate)
  end
end

function ways.drip(_, seconds)
  while send(" ") do
    ngx.sleep(seconds)
  end
end

local function repeated(opening, piece, size, closing)
  local block = piece:rep(math.ceil(65536 / #piece))
  local left = size
  local going = send(opening)
  while left > 0 and going do
    going = send(block)
    left = left - #block
  end
  ngx.print(closing)
end

local streams = {}

function streams.huge(size)
  repeated("", " ", size, "{}")
end

streams["huge-string"] = function(size)
  repeated('{"error":"', "a", size, '"}')
end

streams["huge-list"] = function(size)
  local service = '{"service":1,"name":"Followers","rate":"0.90","min":"50"}'
  repeated("[" .. service, "," .. service, size, "]")
end

function streams.bomb(size)
  ngx.header["Content-Encoding"] = "gzip"
  ways.whole(bomb.make(size, 1))
end

streams["bomb-nested"] = function(size)
  ngx.header["Content-Encoding"] = "gzip, gzip"
  ways.whole(bomb.make(size, 2))
end

function streams.deep(depth)
  ways.whole(("["):rep(depth) .. ("]"):rep(depth))
end

streams["deep-objects"] = function(depth)
  ways.whole(('{"a":'):rep(depth) .. "1" .. ("}"):rep(depth))
end

-- nginx compresses if the client accepts it, so Accept-Encoding is removed where the answer must not be compressed.
local function choose_encoding(plan)
  if plan.encoding == "gzip" then
    ngx.req.set_header("Accept-Encoding", "gzip")
  elseif plan.encoding == "identity" or plan.way or plan.stream then
    ngx.req.clear_header("Accept-Encoding")
  end
end

--- Waits for the time in the plan.
---@param plan sandbox.plan
function wire.wait(plan)
  local seconds = (plan.latency or 0) + (plan.jitter or 0) * math.random()
  if seconds > 0 then
    ngx.sleep(seconds)
  end
end

local function set_headers(plan, status, type)
  ngx.status = status
  ngx.header["Content-Type"] = type
  for name, value in pairs(plan.headers) do
    ngx.header[name] = value
  end
  if plan.never_html and ngx.header["Content-Type"]:find("html", 1, true) then
    ngx.header["Content-Type"] = "text/plain; charset=UTF-8"
  end
  if plan.retry_date then
    ngx.header["Retry-After"] = ngx.http_time(ngx.time() + plan.retry_date)
  end
end

--- Sends an answer as its plan says.
---@param answer sandbox.answer
function wire.answer(answer)
  local plan = answer.plan
  choose_encoding(plan)
  set_headers(plan, answer.status, answer.type)
  if plan.stream then
    return streams[plan.stream.kind](plan.stream.size)
  end
  return ways[plan.way or "whole"](answer.body, plan.pace)
end

return wire
