-- A panel of orders that were never placed, for watching very many. A separate process:
-- `lua order_server.lua PHASE LAST` prints its port. Any id is an order; its life begins when it is asked for
-- first. In each PHASE seconds it delivers some (with PHASE 0 whenever it was asked for twice), and after 1 to LAST of
-- them, by its id, it is completed.
-- `GET /report` gives "requests, ids in them, the shortest time between two polls of one order, polls of completed
-- ones", then a line with the arrival of each request, in seconds.
local serve = require "spec.support.serve"
local socket = require "socket"

local phase_seconds, last_phase = tonumber(arg[1]), tonumber(arg[2])
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

serve(function(request)
  local said = request.method == "GET" and report() or statuses(request.body)
  return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#said, said)
end)
