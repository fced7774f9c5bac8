-- A panel of orders that never were placed, for those who watch very many. A process of its own:
-- `lua order_server.lua PHASE LAST` prints its port. Any id is an order; its life begins when it is asked for
-- first. In each PHASE seconds it delivers some (with PHASE 0 whenever it was asked for twice), and after 1 to LAST of
-- them, by its id, it is completed.
-- `GET /report` gives "requests, ids in them, the shortest time between two polls of one order, polls of completed
-- ones", then a line with the arrival of each request, in seconds. It ends when nobody has asked anything for a minute.
local socket = require "socket"

local phase_seconds, last_phase = tonumber(arg[1]), tonumber(arg[2])
local IDLE_SECONDS = 60
local began, times = socket.gettime(), {}
local first, polled, polls, over = {}, {}, {}, {}
local ids_asked, shortest, too_late = 0, math.huge, 0

local function phase_of(id, now)
  if phase_seconds > 0 then return math.floor((now - first[id]) / phase_seconds) end
  return math.floor((polls[id] - 1) / 2)
end

local function record(id, now)
  first[id], polls[id] = first[id] or now, (polls[id] or 0) + 1
  if polled[id] then shortest = math.min(shortest, now - polled[id]) end
  polled[id] = now
  local last = 1 + tonumber(id) % last_phase
  local phase = math.min(last, phase_of(id, now))
  if over[id] then too_late = too_late + 1 end
  over[id] = phase == last
  return ('"%s":{"charge":"0.27819","start_count":"3572","status":"%s","remains":"%d","currency":"USD"}'):format(
    id, over[id] and "Completed" or "In progress", over[id] and 0 or 1000 - phase)
end

local function statuses(body)
  local now, records = socket.gettime(), {}
  times[#times + 1] = ("%.6f"):format(now - began)
  for id in body:match("orders?=([%w%%]+)"):gsub("%%2C", ","):gmatch "%d+" do
    records[#records + 1] = record(id, now)
  end
  ids_asked = ids_asked + #records
  return "{" .. table.concat(records, ",") .. "}"
end

local function report()
  return ("%d %d %.3f %d\n%s"):format(#times, ids_asked, shortest == math.huge and 0 or shortest, too_late,
    table.concat(times, "\n"))
end

-- The answer to the next request of this client, or nil when it went away.
local function answer(client)
  local method = (client:receive "*l" or ""):match "^(%u+) "
  local length = 0
  local line
  repeat
    line = client:receive "*l"
    length = tonumber(line and line:lower():match "^content%-length: (%d+)") or length
  until not line or line == ""
  local body = line and length > 0 and client:receive(length)
  if not (body or line and method == "GET") then return nil end
  local said = method == "GET" and report() or statuses(body)
  return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#said, said)
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
      local said = answer(peer)
      if not (said and peer:send(said)) then drop(peer) end
    end
  end
end
