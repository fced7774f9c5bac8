-- Processes that place the same orders at the same time are killed, stopped and restarted at random points, while their
-- wall clock jumps and Redis restarts, until all orders are settled; then the panel's own books are compared with the
-- ledger.
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local sandboxes = require "spec.support.sandbox"
local shifted_clock = require "spec.support.shifted_clock"
local smmpanel = require "smmpanel"
local socket = require "socket"
local system = require "spec.support.system"

local crash = {}

local LONGEST = 0.05 -- seconds until a worker that began is killed

-- The panel's faults: about every ten orders go to one of these.
local FAULTS = {
  "jitter:0.3", "jitter:0.3", "jitter:0.5", "jitter:0.5", "lost", "lost-reset", "cut:5", "500", "made,502-html",
  "made,empty", "late:0.3", "latency:0.3", "reset", "close", "429", "latency:3",
}

-- After the first round there are no faults, so that the run ends.
local MILD = { "jitter:0.05" }

local function write_urls(run, faults)
  local file = assert(io.open(run.directory .. "/urls", "w"))
  for _, fault in ipairs(faults) do file:write(run.sandbox.url_with(fault), "\n") end
  file:close()
end

local function start_worker(run, die)
  run.seed = run.seed + 1
  local command = ("echo $$; exec %s %s spec/support/crash_worker.lua %d %d %d %s %s %s %s 2>>%s/errors"):format(
    run.clock.environment, process.lua(), run.seed, die, run.orders, run.directory, run.sandbox.key, run.field,
    run.where, run.directory)
  local pipe = assert(io.popen(command))
  return { pipe = pipe, pid = pipe:read "*l", die = die }
end

-- Waits until the worker is at work. Returns false if it has died or ended before.
local function is_ready(worker)
  return worker.pipe:read "*l" == "ready"
end

local function kill(worker)
  os.execute("kill -9 " .. worker.pid .. " 2>/dev/null")
end

-- Returns the last output of an ended worker: "done", or nothing if it was killed.
local function wait(worker)
  local last = worker.pipe:read "*l"
  worker.pipe:close()
  return last == "done"
end

-- Every other kill is at a step of the ledger, the others at any moment.
local function one_kill(run)
  local slot = math.random(#run.workers)
  local worker = run.workers[slot]
  if worker.die == 0 then
    socket.sleep(math.random() * LONGEST)
    kill(worker)
  end
  if wait(worker) then
    run.finished = run.finished + 1
  else
    run.kills = run.kills + 1
    run.progress[run.kills] = math.floor(run.sandbox.counts().requests)
  end
  local fresh = start_worker(run, math.random(2) == 1 and math.random(30) or 0)
  is_ready(fresh)
  run.workers[slot] = fresh
end

local function restart_redis(run)
  run.server:kill(math.random(2) == 1 and "KILL" or "TERM")
  run.server:start()
end

-- One of them is stopped for a moment, or for longer than its call lasts. It continues automatically, because the next
-- one to be killed may be waiting for it.
local function stop_one(run)
  local seconds = math.random(4) == 1 and 1 + 1.5 * math.random() or 0.2 * math.random()
  local pid = run.workers[math.random(#run.workers)].pid
  os.execute(("(kill -STOP %s; sleep %.2f; kill -CONT %s) >/dev/null 2>&1 &"):format(pid, seconds, pid))
end

local JUMPS = { 0, 60, -60, 86400, -86400, 31536000, -31536000 } -- seconds

local function step_clock(run)
  run.clock:set(JUMPS[math.random(#JUMPS)])
end

-- The events besides the kills, as often as the options say, spread over them.
local function disturb(run, options)
  for name, act in pairs { stops = stop_one, clock_steps = step_clock, restarts = run.server and restart_redis } do
    local wanted = (options[name] or 0) * run.kills / options.kills
    while run[name] < wanted do
      act(run)
      run[name] = run[name] + 1
    end
  end
end

local function kill_all_over(run, options)
  for i = 1, options.processes do
    run.workers[i] = start_worker(run, 0)
    is_ready(run.workers[i])
  end
  while run.kills < options.kills do
    one_kill(run)
    disturb(run, options)
  end
  for _, worker in ipairs(run.workers) do
    kill(worker)
    wait(worker)
  end
end

-- Restarted and not killed any more, they come to their end.
local function to_the_end(run, processes)
  local workers = {}
  for i = 1, processes do workers[i] = start_worker(run, 0) end
  for _, worker in ipairs(workers) do assert(is_ready(worker)) end
  for _, worker in ipairs(workers) do assert(wait(worker), "a worker did not come to its end") end
end

-- Returns the attempts that may be uncertain: each was in flight when its process was killed, or its answer was lost.
-- No others may be. Returns their set by ref and attempt (by ref alone for an interrupted take), how many were
-- interrupted by a kill, and how many by a lost answer.
local function doubtful(run)
  local last, set, cut, lost = {}, {}, 0, 0
  for line in io.lines(run.directory .. "/steps") do
    local step, mark = line:match "^(.*) (%S)$"
    last[step] = mark
  end
  for step, mark in pairs(last) do
    if mark == "+" then cut = cut + 1 end
    if mark == "?" then lost = lost + 1 end
    if mark ~= "-" then set[(step:gsub("^%d+ ", ""):gsub(" 0$", ""))] = true end
  end
  return set, cut, lost
end

local function unexplained(run, report)
  local set, cut, lost = doubtful(run)
  report.cut, report.lost = cut, lost
  local list = {}
  for _, open in ipairs(assert(run.panel:pending())) do
    if not set[open.ref] and not set[("%s %d"):format(open.ref, open.attempt)] then list[#list + 1] = open.ref end
  end
  return list
end

-- Returns the panel's orders: link -> ids.
local function panels_books(run)
  local books, all = {}, run.sandbox.ask("orders")
  for _, made in ipairs(all) do
    books[made.link] = books[made.link] or {}
    table.insert(books[made.link], tostring(made.order))
  end
  return books, #all
end

local function link_of(ref) return "https://example.com/crash/" .. ref:sub(2) end

-- Every order of the panel must be known: as the answer of its ref, or as pending.
local function unknown_to_the_ledger(run)
  local unknown, pending = {}, {}
  local list = assert(run.panel:pending())
  for _, open in ipairs(list) do pending[open.ref] = true end
  local books = panels_books(run)
  for i = 1, run.orders do
    local ref = "r" .. i
    if books[link_of(ref)] and not pending[ref] then
      -- Only a finished ref returns its answer here; a free one would be sent, to an unreachable panel.
      local made = run.nowhere:add({ service = 1, link = link_of(ref), quantity = 100 + i % 7 }, { ref = ref })
      if not made or tostring(made.order) ~= books[link_of(ref)][1] then unknown[#unknown + 1] = ref end
    end
  end
  return unknown, #list
end

-- As a user does it: check the panel, and record the result.
local function settle(run)
  local books, settled = panels_books(run), { made = 0, not_made = 0 }
  for _, open in ipairs(assert(run.panel:pending())) do
    local ids = books[open.order.link]
    assert(run.panel:resolve(open.ref, ids and ids[1] or false, { attempt = open.attempt, force = true }))
    local what = ids and "made" or "not_made"
    settled[what] = settled[what] + 1
  end
  return settled
end

local function twice(books)
  local links = {}
  for link, ids in pairs(books) do
    if #ids > 1 then links[#links + 1] = link .. ": " .. table.concat(ids, ", ") end
  end
  return links
end

local function open_run(options)
  local run = {
    sandbox = sandboxes.start { balance = "1000000" }, directory = system.directory(), orders = options.orders,
    field = options.idempotency_field or "-",
    seed = options.seed, workers = {}, kills = 0, finished = 0, progress = {}, restarts = 0, stops = 0, clock_steps = 0,
  }
  run.clock = shifted_clock.new(run.directory)
  local ledger
  if options.ledger == "sqlite" then
    run.where = "sqlite " .. run.directory .. "/ledger.db"
    ledger = smmpanel.ledger.sqlite(run.directory .. "/ledger.db")
  else
    run.server = redis_server.start()
    run.where = ("redis %d crash:"):format(run.server.port)
    ledger = smmpanel.ledger.redis(run.server:connect(2), { prefix = "crash:" })
  end
  write_urls(run, FAULTS)
  run.panel = run.sandbox.panel("", { ledger = ledger })
  run.nowhere = smmpanel.new { url = run.sandbox.url_with("close", "nowhere"), key = run.sandbox.key, ledger = ledger }
  return run
end

local function close_run(run)
  run.sandbox.stop()
  if run.server then run.server:stop() end
  os.execute("rm -rf " .. run.directory)
end

--- Runs it: { ledger = "sqlite"|"redis", orders, processes, kills, stops, clock_steps, restarts (of Redis), seed,
-- idempotency_field }.
---@return table report
function crash.run(options)
  math.randomseed(options.seed)
  local began, run = socket.gettime(), open_run(options)
  local report = { made = 0, not_made = 0, rounds = 0, unknown = {} }
  kill_all_over(run, options)
  repeat
    to_the_end(run, options.processes)
    -- Requests in flight when their process was killed have ended, including the late ones.
    socket.sleep(report.rounds == 0 and 3.5 or 0.5)
    report.unexplained = report.unexplained or unexplained(run, report)
    local unknown, pending = unknown_to_the_ledger(run)
    for _, ref in ipairs(unknown) do table.insert(report.unknown, ref) end
    local settled = settle(run)
    report.made, report.not_made = report.made + settled.made, report.not_made + settled.not_made
    report.rounds = report.rounds + 1
    write_urls(run, MILD)
  until pending == 0
  local books, total = panels_books(run)
  report.placed, report.total, report.twice = 0, total, twice(books)
  for _ in pairs(books) do report.placed = report.placed + 1 end
  report.counted = run.sandbox.counts().made
  report.while_placing = 0
  for _, requests in ipairs(run.progress) do
    if requests < run.progress[#run.progress] then report.while_placing = report.while_placing + 1 end
  end
  report.kills, report.finished, report.restarts = run.kills, run.finished, run.restarts
  report.stops, report.clock_steps = run.stops, run.clock_steps
  local errors = io.open(run.directory .. "/errors")
  report.errors = errors and errors:read "*a" or ""
  if errors then errors:close() end
  close_run(run)
  report.seconds = socket.gettime() - began
  return report
end

return crash
