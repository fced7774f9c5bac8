-- A panel with other customers, a shop whose answers get lost, and a clock: the verdicts of panel:investigate are
-- compared with what the panel really did.
local memory_store = require "spec.support.memory_store"
local in_process = require "spec.support.sandbox_in_process"
local process = require "smmpanel.ledger.process"
local smmpanel = require "smmpanel"
local socket = require "socket"

local world = {}

-- Seconds of a call. An answer that comes too late is waited for in earnest, so its call has less.
local TIMEOUT = { late = 0.1, other = 5 }

-- The fates of an answer, and how often each occurs.
local FAULTS = { "", "", "", "", "", "", "lost", "lost-reset", "cut:5", "made,empty", "made,502-html", "500",
  "502-html", "empty", "late:25", "killed,lost", "killed,", "killed,500" }

-- A server does not carry out a late order sooner when its clock is moved, so the spec waits there.
local NETWORK_LATE = 0.8 -- seconds

-- The clock of the ledger's leases. It knows the kills: their process is dead.
local function with_clock(run, f)
  local placer, here = process.placer, process.here
  process.placer = function(seconds)
    return ("b n %d s %.3f 0 %.0f"):format(run.pid, run.now, math.ceil(seconds))
  end
  process.here = function()
    return { boot = "b", uptime = run.now, wall = 0, life = function(p)
      return run.dead[p.pid] and "dead" or "running"
    end }
  end
  local ok, err = pcall(f)
  process.placer, process.here = placer, here
  if not ok then error(err, 0) end
end

-- A store that stops working when its process was killed: refs that were taken stay taken.
local function mortal(run)
  return setmetatable({}, { __index = function(_, name)
    return function(_, ...)
      local writes = name == "keep" or name == "free" or name == "doubt"
      if run.killed and writes then return nil, { code = "store_changed", message = "killed" } end
      return run.store[name](run.store, ...)
    end
  end })
end

local function pass(run, seconds)
  run.now = run.now + seconds
  run.sandbox.ask("advance?seconds=" .. seconds)
end

-- Orders of other customers: either each of them places one, or there are none, one or several.
local function strangers(run, options)
  local count = options.customers or math.random() < 0.7 and math.random(0, options.strangers or 6) or 0
  run.gaps = run.gaps + 1
  for i = 1, count do
    assert(run.stranger:add { service = 1, link = ("https://example.com/s%d-%d"):format(run.gaps, i),
      quantity = 100 + math.random(40) * 100 })
  end
end

local function place(run, ref, fault)
  local rest = fault:match "^killed,(.*)$"
  run.pid, run.killed = run.pid + 1, rest ~= nil
  local panel = run.panel(rest or fault)
  local order = run.order(ref)
  run.links[ref] = order.link
  panel:add(order, { ref = ref })
  if run.network and fault:find("late", 1, true) then socket.sleep(NETWORK_LATE) end
  if run.killed then run.dead[tostring(run.pid)] = true end
  run.killed = false
end

-- One number of a customer's order, at a random distance from the previous one.
local function default_order(ref)
  return { service = 1, link = "https://example.com/" .. ref, quantity = 100 + math.random(4900) }
end

-- The requests in a panel's counts that change something.
local function writes_of(counts)
  local sum = 0
  for _, action in ipairs { "add", "refill", "cancel" } do sum = sum + (counts.actions[action] or 0) end
  return sum
end

local function open_day(options)
  local sandboxes = options.sandboxes or in_process
  local sandbox = sandboxes.start { key = "shop", keys = { second = "stranger" }, balance = "100000000" }
  local run = { now = 1000, pid = 1, dead = {}, store = memory_store.new(), links = {}, gaps = 0, sandbox = sandbox,
    order = options.order or default_order, network = sandboxes.has_network }
  local ledger = mortal(run)
  local transport = options.wrap and options.wrap(sandbox.transport) or sandbox.transport
  function run.panel(fault)
    local is_late = fault:find("late", 1, true)
    if run.network then fault = fault:gsub("late:%d+", "late:" .. NETWORK_LATE) end
    return smmpanel.new { url = sandbox.url_with(fault), key = sandbox.key, transport = transport, ledger = ledger,
      timeout = is_late and TIMEOUT.late or TIMEOUT.other, retries = 0 }
  end
  run.stranger = smmpanel.new { url = sandbox.url, key = sandbox.keys.second, transport = sandbox.transport }
  return run
end

--- All orders of a shop are equal, except for their links.
function world.equal_order(ref)
  return { service = 1, link = "https://example.com/" .. ref, quantity = 100 }
end

--- Runs a shop's day, then investigates all open refs.
---@param options table seed, orders (how many), customers (others, each of whom places an order between two of the
-- shop's) or strangers (others' orders there, at most), order(ref), wrap(transport), sandboxes (where: in this process)
---@return table report uncertain, settled, wrong (sentences), reasons (how often), writes and reads (requests of
-- the investigation)
function world.run(options)
  math.randomseed(options.seed)
  local run = open_day(options)
  local report = { uncertain = 0, settled = 0, wrong = {}, reasons = {} }
  with_clock(run, function()
    for i = 1, 12 do place(run, "first" .. i, "") end
    for i = 1, options.orders do
      place(run, "r" .. i, FAULTS[math.random(#FAULTS)])
      strangers(run, options)
      pass(run, math.random() < 0.2 and math.random(120) or math.random(8))
    end
    pass(run, 300)
    place(run, "last", "")
    local before = run.sandbox.counts()
    world.check(run, report)
    local after = run.sandbox.counts()
    report.writes = writes_of(after) - writes_of(before)
    report.reads = after.requests - before.requests
  end)
  run.sandbox.stop()
  return report
end

--- Investigates each open ref and compares.
function world.check(run, report)
  local panel = run.panel ""
  for _, open in ipairs(assert(panel:pending())) do
    report.uncertain = report.uncertain + 1
    local found = assert(panel:investigate(open.ref))
    local made = run.sandbox.ask("orders?link=" .. run.links[open.ref])
    if found.verdict == "unknown" then
      report.reasons[found.reason] = (report.reasons[found.reason] or 0) + 1
    else
      report.settled = report.settled + 1
      local right = found.verdict == "made" and made[1] and tostring(made[1].order) == tostring(found.order)
        or found.verdict == "not_made" and #made == 0
      if not right then
        report.wrong[#report.wrong + 1] = ("%s: %s %s, and the panel made %s"):format(open.ref, found.verdict,
          tostring(found.order), made[1] and tostring(made[1].order) or "none")
      end
    end
  end
end

--- Runs several days, with the seeds from 1. Returns the sum of their reports.
function world.days(options, seeds)
  local sum = { uncertain = 0, settled = 0, wrong = {}, reasons = {}, writes = 0, reads = 0 }
  for seed = 1, seeds do
    options.seed = seed
    local report = world.run(options)
    for _, name in ipairs { "uncertain", "settled", "writes", "reads" } do sum[name] = sum[name] + report[name] end
    for _, line in ipairs(report.wrong) do sum.wrong[#sum.wrong + 1] = ("seed %d: %s"):format(seed, line) end
    for reason, count in pairs(report.reasons) do sum.reasons[reason] = (sum.reasons[reason] or 0) + count end
  end
  return sum
end

return world
