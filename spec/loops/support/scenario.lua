-- The requirements for every loop with coroutines, run inside the real program. Prints a line for each check,
-- "ok NAME" or "not ok NAME: WHY", then "longest stall MILLISECONDS" and "end".
local scenario = {}

local core = require "smmpanel.core"
local smmpanel = require "smmpanel"

local LATENCY = 0.3 -- of each answer: who blocks, stalls the ticker that long

local function environment(name) return assert(os.getenv("SPEC_" .. name), name) end

function scenario.panel(fault, options)
  options = options or {}
  options.url = options.url or environment "URL" .. (fault and "?fault=" .. fault or "")
  options.key = options.key or environment "KEY"
  return smmpanel.new(options)
end

local function slow(options) return scenario.panel("latency:" .. LATENCY, options) end

-- ---- the checks; each runs in a coroutine of the host -------------------------------------------

local checks = {}

local function check(name, f) checks[#checks + 1] = { name = name, run = f } end

check("a call", function() assert(assert(scenario.panel():balance()).currency == "USD") end)

check("100 calls of 50 ms, a catalogue arriving meanwhile", function(host)
  local panel, whole, ended = scenario.panel "latency:0.05", scenario.panel(), 0
  local rows
  host.go(function() rows = #whole:services() end)
  for i = 1, 100 do
    host.go(function()
      assert(panel:status(830000 + i) == nil)
      ended = ended + 1
    end)
  end
  local begun = core.now()
  while (ended < 100 or not rows) and core.now() - begun < 20 do host.sleep(0.01) end
  assert(ended == 100 and rows == 10000, ended)
end)

-- The server counts the most requests that it had at a time.
check("64 calls at once", function(host)
  local panel, ended = scenario.panel("latency:" .. LATENCY .. "&name=" .. (os.getenv "SPEC_NAME" or "scenario")), 0
  local begun = core.now()
  for i = 1, 64 do
    host.go(function()
      local _, err = panel:status(800000 + i)
      assert(err.code == "bad_order", tostring(err))
      ended = ended + 1
    end)
  end
  while ended < 64 and core.now() - begun < 20 do host.sleep(0.01) end
  assert(ended == 64, ended .. " ended")
  print(("64 calls of 300 ms took %.3f s"):format(core.now() - begun))
end)

check("a timeout", function()
  local _, err = scenario.panel("latency:20", { timeout = 0.2, retries = 0 }):balance()
  assert(err.kind == "timeout", tostring(err))
end)

check("a catalogue of 10,000", function() assert(#assert(slow():services()) == 10000) end)

check("all, and what is thrown in it", function()
  local panel, begun = slow(), core.now()
  local function balance() return panel:balance() end
  local results = smmpanel.all { balance, balance, balance, balance, balance, balance, x = balance }
  assert(results.x.currency == "USD" and #results == 6)
  assert(core.now() - begun < 7 * LATENCY, "they ran one after the other")
  local ok, err = pcall(smmpanel.all, { balance, function() error("thrown", 0) end })
  assert(not ok and err == "thrown", err)
end)

check("a batch", function()
  local ids, count = {}, 0
  for i = 1, 300 do ids[i] = 810000 + i end
  for id, entry in pairs(scenario.panel():status(ids, { batch_size = 20 })) do
    assert(entry.code == "bad_order" and id > 810000)
    count = count + 1
  end
  assert(count == 300, count)
end)

check("a retry's pause", function() assert(scenario.panel("500@1&name=" .. core.random()):balance()) end)

check("a sandbox in the process, its delays included", function(host)
  local sandbox, ended, begun = smmpanel.sandbox(), 0, core.now()
  local panel = smmpanel.new { url = sandbox:url_with("latency:" .. LATENCY), key = sandbox.key, transport = sandbox }
  for _ = 1, 10 do
    host.go(function()
      assert(assert(panel:balance()).currency == "USD")
      ended = ended + 1
    end)
  end
  while ended < 10 and core.now() - begun < 20 do host.sleep(0.01) end
  assert(ended == 10, ended .. " ended")
  -- A program with frames starts them in several frames.
  assert(sandbox:stats().max_in_flight > 5, "they ran one after the other")
end)

check("two panels", function(host)
  local good, bad, err = slow(), scenario.panel(nil, { url = "http://127.0.0.1:1/", retries = 0 }), nil
  host.go(function() err = select(2, bad:balance()) end)
  assert(good:balance().currency == "USD")
  assert(err.code == "connect", tostring(err))
end)

check("a panel closed in mid-flight", function(host)
  local panel = slow()
  host.go(function()
    host.sleep(0.05)
    panel:close()
  end)
  local record, err = panel:balance()
  assert(record == nil and err.kind == "cancelled", tostring(err))
end)

check("an error thrown in a coroutine", function(host)
  local panel = slow()
  host.go(function()
    panel:balance()
    error "thrown on purpose"
  end)
  assert(panel:balance().currency == "USD")
  assert(scenario.panel():balance())
end)

check("a coroutine that is cancelled", function(host)
  if not host.cancellable then return end
  local panel, after = slow(), false
  local co = host.cancellable(function()
    panel:balance()
    after = true
  end)
  host.sleep(0.05)
  local cancel = host.cancel or coroutine.close
  if cancel then cancel(co) end
  co = nil -- luacheck: ignore 311
  collectgarbage()
  assert(panel:balance().currency == "USD")
  assert(host.cancel or not coroutine.close or not after)
end)

--- Sleeps until `ready()`: other coroutines run in no fixed order, and the machine may be busy.
local function await(host, ready)
  for _ = 1, 200 do
    if ready() then return end
    host.sleep(0.05)
  end
end

check("a client collected in mid-flight", function(host)
  local said
  host.go(function() said = slow():balance().currency end)
  await(host, function()
    collectgarbage()
    return said
  end)
  assert(said == "USD", tostring(said))
end)

check("a fork in mid-flight", function(host)
  if not host.fork then return end
  local has_posix, posix = pcall(require, "posix")
  if not has_posix and _VERSION ~= "Lua 5.1" then return end -- Debian has it for 5.1 alone
  assert(has_posix, posix)
  local panel, said = slow(), nil
  host.go(function() said = panel:balance().currency end)
  host.sleep(0.05)
  local child = posix.fork()
  if child == 0 then
    local ok, record = pcall(coroutine.wrap(function()
      return scenario.panel(nil, { loop = "blocking" }):balance()
    end))
    posix._exit(ok and record and record.currency == "USD" and 0 or 1)
  end
  assert(panel:balance().currency == "USD")
  await(host, function() return said end)
  assert(said == "USD", tostring(said))
  local _, _, status = posix.wait(child)
  assert(status == 0, "the child's call failed")
end)

-- ---- running them -------------------------------------------------------------------------------

local stall, last_tick, ticks = 0, nil, 0

--- The host calls it every millisecond, in addition to its other work.
function scenario.tick()
  local now = core.now()
  ticks = ticks + 1
  stall = math.max(stall, now - (last_tick or now))
  last_tick = now
end

local function say(line)
  io.stdout:write(line, "\n")
  io.stdout:flush()
end

local function run_one(host, one)
  last_tick, stall = nil, 0
  local ok, err = pcall(one.run, host)
  say(("%s %s%s"):format(ok and "ok" or "not ok", one.name, ok and "" or ": " .. tostring(err)))
  return stall
end

--- Runs in a coroutine of the host.
---@param host { go: fun(f), sleep: fun(seconds), cancellable?: fun(f): thread, cancel?: fun(co), fork?: boolean }
function scenario.run(host)
  if os.getenv "SPEC_CONTEXTS" then
    return require "spec.loops.support.contexts".run(function() return ticks end)
  end
  local longest, of = 0, nil
  local leave_at = os.getenv "SPEC_EXIT"
  if leave_at then -- in mid-flight
    host.go(function() slow():balance() end)
    host.sleep(0.05)
    say "leaving"
    os.exit(7, leave_at == "close")
  end
  for _, one in ipairs(checks) do
    local mine = run_one(host, one)
    if mine > longest and not one.name:find "fork" then longest, of = mine, one.name end
  end
  say(("longest stall %.1f ms in: %s"):format(longest * 1000, of))
  say "end"
end

--- The function `cancellable` for hosts with plain Lua coroutines.
function scenario.cancellable(f)
  local co = coroutine.create(f)
  assert(coroutine.resume(co))
  return co
end

return scenario
