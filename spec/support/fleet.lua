-- Several processes under one rate limit, and the arrivals of their requests.
local process = require "spec.support.process"
local socket = require "socket"

local fleet = {}

local function arrivals(port)
  local pipe = assert(io.popen(("curl -sS http://127.0.0.1:%s/times"):format(port)))
  local list = {}
  for line in pipe:lines() do
    local at, path = line:match "^(%S+) (%S+)$"
    list[#list + 1] = { at = tonumber(at), path = path }
  end
  pipe:close()
  return list
end

--- A server that records the arrivals of requests.
function fleet.clock()
  local server = process.start(process.lua() .. " spec/support/clock_server.lua")
  local port = server.line
  return {
    base = "http://127.0.0.1:" .. port, url = ("http://127.0.0.1:%s/api"):format(port), stop = server.stop,
    arrivals = function() return arrivals(port) end,
  }
end

local function worker(options, url)
  return assert(io.popen(table.concat({
    "echo $$; exec", options.environment or "", process.lua(), "spec/support/limited_worker.lua", url,
    options.redis, options.rate, options.seconds,
    options.side_by_side,
  }, " ")))
end

-- Returns the most and the fewest arrivals in any window of this many seconds.
local function window(list, seconds)
  local most, least, first = 0, math.huge, 1
  for last = 1, #list do
    while list[last].at - list[first].at > seconds do first = first + 1 end
    if list[last].at - list[1].at >= seconds then
      most, least = math.max(most, last - first + 1), math.min(least, last - first + 1)
    end
  end
  return most, least
end

local function analyse(list)
  local report = { total = #list, shares = {}, longest_gap = 0 }
  for i, arrival in ipairs(list) do
    report.shares[arrival.path] = (report.shares[arrival.path] or 0) + 1
    if i > 1 then report.longest_gap = math.max(report.longest_gap, arrival.at - list[i - 1].at) end
  end
  report.window = function(seconds) return window(list, seconds) end
  return report
end

--- Runs processes under one rate limit: { redis, processes, side_by_side, rate, seconds, environment,
-- slow = { after, seconds }, meanwhile = function(pids) }.
function fleet.limited(options)
  local clock, pipes, pids = fleet.clock(), {}, {}
  for i = 1, options.processes do
    pipes[i] = worker(options, clock.url .. "/" .. i)
    pids[i] = pipes[i]:read "*l"
  end
  if options.meanwhile then options.meanwhile(pids) end
  if options.slow then
    socket.sleep(options.slow.after)
    local once = {}
    for name, value in pairs(options) do once[name] = value end
    once.seconds, once.side_by_side = 0.01, 1
    local pipe = worker(once, clock.base .. "/slow/" .. options.slow.seconds)
    pipe:read "*a"
    pipe:close()
  end
  for _, pipe in ipairs(pipes) do
    assert(tonumber(pipe:read "*l"), "a worker failed")
    pipe:close()
  end
  local list = clock.arrivals()
  clock.stop()
  return analyse(list)
end

fleet.window = window

return fleet
