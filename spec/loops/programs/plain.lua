-- Without a loop: concurrent functions in smmpanel.all, a fork while they run, and leaving in mid-flight.
local core = require "smmpanel.core"
local scenario = require "spec.loops.support.scenario"
local smmpanel = require "smmpanel"

local has_posix, posix = pcall(require, "posix") -- Debian has none for 5.4
local slow, quick = scenario.panel "latency:0.3", scenario.panel()

local function fork()
  local child = posix.fork()
  if child == 0 then
    local ok, record = pcall(scenario.panel().balance, scenario.panel())
    posix._exit(ok and record and 0 or 1)
  end
  return (select(3, posix.wait(child)))
end

local function leave() os.exit(7, os.getenv "SPEC_EXIT" == "close") end

local begun = core.now()
local calls = { child = has_posix and function() quick:balance() return fork() end or nil }
for i = 1, 20 do calls[i] = function() return slow:status(830000 + i) end end
if os.getenv "SPEC_EXIT" then calls.leave = function() quick:balance() leave() end end
local results, errs = smmpanel.all(calls)

local count = 0
for i = 1, 20 do count = count + (errs[i].code == "bad_order" and 1 or 0) end
print(count == 20 and "ok all" or "not ok all: " .. count)
print((results.child or 0) == 0 and "ok fork" or "not ok fork: " .. tostring(results.child))
print(core.now() - begun < 20 * 0.3 / 3 and "ok side by side" or "not ok side by side")
