-- A panel with other customers, a shop whose answers get lost, and a clock: what panel:investigate says afterwards is
-- compared with what the panel really made.
local memory_store = require "spec.support.memory_store"
local process = require "smmpanel.ledger.process"
local smmpanel = require "smmpanel"

local world = {}

local TIMEOUT = 0.1 -- seconds of a call: an answer that comes too late is waited for in earnest

-- What becomes of an answer, and how often.
local FAULTS = { "", "", "", "", "", "", "lost", "lost-reset", "cut:5", "made,empty", "made,502-html", "500",
  "502-html", "empty", "late:25", "killed,lost", "killed,", "killed,500" }

-- The clock of the ledger's leases. Kills are known to it: their process is dead.
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

-- A store that stops working when its process was killed: what was taken stays taken.
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
  run.sandbox:advance(seconds)
end

local function strangers(run, count)
  local panel = smmpanel.new { url = run.sandbox.url, key = "stranger", transport = run.sandbox }
  for i = 1, count do
    panel:add { service = 1, link = "https://example.com/s" .. run.sandbox.serial .. "-" .. i,
      quantity = 100 + math.random(40) * 100 }
  end
  run.sandbox.serial = run.sandbox.serial + 1
end

local function place(run, ref, fault)
  local rest = fault:match "^killed,(.*)$"
  run.pid, run.killed = run.pid + 1, rest ~= nil
  local panel = run.panel(rest or fault)
  local order = run.order(ref)
  run.links[ref] = order.link
  panel:add(order, { ref = ref })
  if run.killed then run.dead[tostring(run.pid)] = true end
  run.killed = false
end

-- One number of a customer's order, more or less far from the one before.
local function default_order(ref)
  return { service = 1, link = "https://example.com/" .. ref, quantity = 100 + math.random(4900) }
end

--- Runs a shop's day, then investigates all that is open.
---@param options table seed, orders (how many), strangers (others' orders in between), order(ref), wrap(transport)
---@return table report uncertain, settled, wrong (sentences), reasons (how often), writes (by investigating)
function world.run(options)
  math.randomseed(options.seed)
  local run = { now = 1000, pid = 1, dead = {}, store = memory_store.new(), links = {},
    order = options.order or default_order,
    sandbox = smmpanel.sandbox { key = "shop", keys = { second = "stranger" }, balance = "100000000" } }
  run.sandbox.serial = 0
  local transport = options.wrap and options.wrap(run.sandbox) or run.sandbox
  local ledger = mortal(run)
  function run.panel(fault)
    return smmpanel.new { url = run.sandbox.url_with(run.sandbox, fault), key = "shop", transport = transport,
      ledger = ledger, timeout = TIMEOUT, retries = 0 }
  end
  local report = { uncertain = 0, settled = 0, wrong = {}, reasons = {} }
    with_clock(run, function()
    for i = 1, 12 do place(run, "first" .. i, "") end
    for i = 1, options.orders do
      place(run, "r" .. i, FAULTS[math.random(#FAULTS)])
      if math.random() < 0.7 then strangers(run, math.random(0, options.strangers or 6)) end
      pass(run, math.random() < 0.2 and math.random(120) or math.random(8))
    end
    pass(run, 300)
    place(run, "last", "")
    local before = run.sandbox:stats().made
    world.check(run, report)
    report.writes = run.sandbox:stats().made - before
  end)
  return report
end

--- Investigates each open ref and compares.
function world.check(run, report)
  local panel = run.panel ""
  for _, open in ipairs(assert(panel:pending())) do
    report.uncertain = report.uncertain + 1
    local found = assert(panel:investigate(open.ref))
    local made = run.sandbox:orders(run.links[open.ref])
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

return world
