-- Very many orders watched until all are final, by one process or by several, and the panel's view of it.
local fleet = require "spec.support.fleet"
local process = require "spec.support.process"
local redis_clients = require "spec.support.redis"
local smmpanel = require "smmpanel"
local socket = require "socket"

local watching = {}

local function server(phase, last)
  local started = process.start(("%s spec/support/order_server.lua %g %d"):format(process.lua(), phase, last))
  local base = "http://127.0.0.1:" .. started.line
  local function report()
    local pipe = assert(io.popen("curl -sS " .. base .. "/report"))
    local requests, ids, shortest, too_late = pipe:read("*n", "*n", "*n", "*n")
    local arrivals = {}
    for line in pipe:lines() do
      if line ~= "" then arrivals[#arrivals + 1] = { at = tonumber(line) } end
    end
    pipe:close()
    return { requests = requests, ids = ids, shortest = shortest, too_late = too_late,
      window = function(seconds) return fleet.window(arrivals, seconds) end }
  end
  return { url = base .. "/api", report = report, stop = started.stop }
end

local function ids_to(count)
  local ids = {}
  for i = 1, count do ids[i] = i end
  return ids
end

-- All expected changes, none reported yet: allocated first, so that the memory does not grow later.
local function untold(orders, last)
  local told = {}
  for id = 1, orders do
    local final = 1 + id % last
    for phase = 0, final do told[id .. " " .. (phase == final and 0 or 1000 - phase)] = 0 end
  end
  return told
end

-- Returns how many changes were reported once, never, more than once; and how many reports were wrong.
local function judge(report, told)
  report.told, report.untold, report.twice, report.strange = 0, 0, 0, told.strange or 0
  told.strange = nil
  for _, times in pairs(told) do
    report.told = report.told + math.min(times, 1)
    if times == 0 then report.untold = report.untold + 1 end
    if times > 1 then report.twice = report.twice + 1 end
  end
  return report
end

local function count(told, id, remains)
  local change = id .. " " .. ("%d"):format(remains)
  if not told[change] then change = "strange" end
  told[change] = (told[change] or 0) + 1
end

--- Watches in this process: { orders, phase, last, interval, rate }.
function watching.here(options)
  local panel_server, told = server(options.phase, options.last), untold(options.orders, options.last)
  local panel = smmpanel.new { url = panel_server.url, key = "test-key", rate = options.rate }
  local changes, memory = 0, {}
  local _, err = panel:watch(ids_to(options.orders), { interval = options.interval,
    on_change = function(id, record)
      count(told, id, record.remains)
      changes = changes + 1
      if changes % options.orders == 0 then
        collectgarbage()
        memory[#memory + 1] = collectgarbage "count"
      end
    end })
  assert(not err, tostring(err))
  local report = judge(panel_server.report(), told)
  panel_server.stop()
  report.memory = memory
  return report
end

-- Starts a worker that writes its lines to a file.
local function worker(options, url, path)
  return process.start(("sh -c 'echo ready; exec %s%s spec/support/watch_worker.lua %s %s %g %g > %s 2>&1'"):format(
    options.environment or "", process.lua(), url, options.ledger, options.interval, options.rate, path))
end

-- A child that has ended is a zombie until it is waited for.
local function alive(pid)
  local status = io.open(("/proc/%d/status"):format(pid))
  if not status then return false end
  local text = status:read "*a"
  status:close()
  return not text:find "State:%s+Z"
end

local function read_changes(told, path)
  local memory
  for line in io.lines(path) do
    local id, remains = line:match "^(%w+)\t(%d+)$"
    if id == "memory" then memory = tonumber(remains) elseif id then count(told, id, remains) end
    assert(id or not line:find("%l%l%l"), line)
  end
  return memory
end

-- Adds the orders to the workers' set.
local function add_orders(options, url)
  local port, ids = tonumber(options.ledger), {}
  for i = 1, options.orders do ids[i] = tostring(i) end
  local panel = smmpanel.new { url = url, key = "test-key",
    ledger = port and smmpanel.ledger.redis(redis_clients.at(port), { unsafe = true })
      or smmpanel.ledger.sqlite(options.ledger) }
  local _, err = panel:watch(ids, { name = "all", timeout = 0.001 })
  assert(err.code == "timeout", tostring(err))
  panel:close()
end

--- Watches with several processes: { orders, phase, last, interval, rate, workers, ledger, directory, kill_after,
-- environment, meanwhile = function(pids) }. `ledger` is a Redis port or a SQLite file. One is killed after kill_after.
function watching.shared(options)
  local panel_server, told = server(options.phase, options.last), untold(options.orders, options.last)
  local workers, pids = {}, {}
  add_orders(options, panel_server.url)
  for i = 1, options.workers do
    workers[i] = worker(options, panel_server.url, options.directory .. "/worker" .. i)
    pids[i] = ("%d"):format(workers[i].pid)
  end
  if options.meanwhile then options.meanwhile(pids) end
  if options.kill_after then
    socket.sleep(options.kill_after)
    os.execute(("kill -KILL %d"):format(workers[1].pid))
  end
  for i = options.kill_after and 2 or 1, options.workers do
    while alive(workers[i].pid) do socket.sleep(0.2) end
  end
  local memory = {}
  for i = 1, options.workers do
    memory[#memory + 1] = read_changes(told, options.directory .. "/worker" .. i)
  end
  local report = judge(panel_server.report(), told)
  panel_server.stop()
  report.memory = memory
  return report
end

return watching
