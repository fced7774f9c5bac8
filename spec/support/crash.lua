-- Processes that place the same orders at the same time are killed at random points and started again, until
-- all is settled; then the panel's own books are compared with the ledger.
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"
local socket = require "socket"

local crash = {}

local LONGEST = 0.05 -- seconds until a worker that began is killed

-- How the panel fails: each ten orders or so go to one of these.
local FAULTS = {
  "jitter:0.3", "jitter:0.3", "jitter:0.5", "jitter:0.5", "lost", "lost-reset", "cut:5", "500", "made,502-html",
  "made,empty", "late:0.3", "latency:0.3", "reset", "close", "429", "latency:3",
}

-- After the first round all goes well, so that there is an end.
local MILD = { "jitter:0.05" }

local function write_urls(run, faults)
  local file = assert(io.open(run.directory .. "/urls", "w"))
  for _, fault in ipairs(faults) do file:write(run.sandbox.url_with(fault), "\n") end
  file:close()
end

local function start_worker(run, die)
  run.seed = run.seed + 1
  local command = ("echo $$; exec %s spec/support/crash_worker.lua %d %d %d %s/urls %s %s 2>>%s/errors"):format(
    process.lua(), run.seed, die, run.orders, run.directory, run.sandbox.key, run.where, run.directory)
  local pipe = assert(io.popen(command))
  return { pipe = pipe, pid = pipe:read "*l", die = die }
end

-- Waits until it is in the middle of its work. -> false where it has died or ended before
local function is_ready(worker)
  return worker.pipe:read "*l" == "ready"
end

local function kill(worker)
  os.execute("kill -9 " .. worker.pid .. " 2>/dev/null")
end

-- What is left of its output, when it is gone: "done", or nothing where it was killed.
local function wait(worker)
  local last = worker.pipe:read "*l"
  worker.pipe:close()
  return last == "done"
end

-- Every other kill is at a step of the ledger, the rest at any moment.
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
  run.server:kill "KILL"
  run.server:start()
  run.restarts = run.restarts + 1
end

local function kill_all_over(run, options)
  for i = 1, options.processes do
    run.workers[i] = start_worker(run, 0)
    is_ready(run.workers[i])
  end
  while run.kills < options.kills do
    one_kill(run)
    if run.server and options.restarts and run.restarts < options.restarts * run.kills / options.kills then
      restart_redis(run)
    end
  end
  for _, worker in ipairs(run.workers) do
    kill(worker)
    wait(worker)
  end
end

-- Started again, and not killed any more, they come to their end.
local function to_the_end(run, processes)
  local workers = {}
  for i = 1, processes do workers[i] = start_worker(run, 0) end
  for _, worker in ipairs(workers) do assert(is_ready(worker)) end
  for _, worker in ipairs(workers) do assert(wait(worker), "a worker did not come to its end") end
end

-- What the panel has: link -> ids.
local function panels_books(run)
  local books, all = {}, run.sandbox.ask("orders")
  for _, made in ipairs(all) do
    books[made.link] = books[made.link] or {}
    table.insert(books[made.link], tostring(made.order))
  end
  return books, #all
end

local function link_of(ref) return "https://example.com/crash/" .. ref:sub(2) end

-- Whatever the panel has made must be known: as the answer of its ref, or as pending.
local function unknown_to_the_ledger(run)
  local unknown, pending = {}, {}
  local list = assert(run.panel:pending())
  for _, open in ipairs(list) do pending[open.ref] = true end
  local books = panels_books(run)
  for i = 1, run.orders do
    local ref = "r" .. i
    if books[link_of(ref)] and not pending[ref] then
      -- Only a ref that is done gives its answer here; a free one would be sent, to nowhere.
      local made = run.nowhere:add({ service = 1, link = link_of(ref), quantity = 100 + i % 7 }, { ref = ref })
      if not made or tostring(made.order) ~= books[link_of(ref)][1] then unknown[#unknown + 1] = ref end
    end
  end
  return unknown, #list
end

-- As a user does it: look at the panel, and say what is there.
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
    sandbox = sandboxes.start { balance = "1000000" }, directory = redis_server.scratch(), orders = options.orders,
    seed = options.seed, workers = {}, kills = 0, finished = 0, progress = {}, restarts = 0,
  }
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

--- Runs it: { ledger = "sqlite"|"redis", orders, processes, kills, restarts (of Redis), seed }.
---@return table report
function crash.run(options)
  math.randomseed(options.seed)
  local began, run = socket.gettime(), open_run(options)
  local report = { made = 0, not_made = 0, rounds = 0, unknown = {} }
  kill_all_over(run, options)
  repeat
    to_the_end(run, options.processes)
    socket.sleep(3.5) -- what was being sent when its process was killed has come to its end, the late ones too
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
  local errors = io.open(run.directory .. "/errors")
  report.errors = errors and errors:read "*a" or ""
  if errors then errors:close() end
  close_run(run)
  report.seconds = socket.gettime() - began
  return report
end

return crash
