-- A server mod: the scenario in globalsteps. `secure.trusted_mods` has its name, for `require`.
local trusted = assert(minetest.request_insecure_environment())
dofile(minetest.get_modpath "spec" .. "/load_smmpanel.lua")(trusted)

-- The spec's own modules get the same globals.
local os, require = trusted.os, trusted.require
for _, name in ipairs { "require", "io", "os", "debug", "package", "newproxy", "load" } do
  rawset(_G, name, trusted[name])
end

local core = require "smmpanel.core"
local scenario = require "spec.loops.support.scenario"
local sleepers = require "spec.loops.support.sleepers"

local host = { sleep = sleepers.sleep, cancellable = scenario.cancellable }

function host.go(f)
  local co = coroutine.create(f)
  local ok, err = coroutine.resume(co)
  if not ok then print(err) end
end

local started
minetest.register_globalstep(function()
  scenario.tick()
  sleepers.wake(function(co) assert(coroutine.resume(co)) end)
  if started then return end
  started = true
  host.go(function()
    local done, problem = pcall(scenario.run, host)
    if not done then print("not ok " .. tostring(problem)) end
    print(core.in_flight() == 0 and "nothing left" or "something is left")
    os.exit(0)
  end)
end)
