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

local host, sleepers = {}, {}

function host.go(f)
  local co = coroutine.create(f)
  local ok, err = coroutine.resume(co)
  if not ok then print(err) end
end

function host.sleep(seconds)
  sleepers[coroutine.running()] = core.now() + seconds
  coroutine.yield()
end

function host.cancellable(f)
  local co = coroutine.create(f)
  assert(coroutine.resume(co))
  return co
end

local function wake_sleepers()
  local due = {}
  for co, at in pairs(sleepers) do
    if at <= core.now() then due[#due + 1] = co end
  end
  for _, co in ipairs(due) do
    sleepers[co] = nil
    assert(coroutine.resume(co))
  end
end

local started
minetest.register_globalstep(function()
  scenario.tick()
  wake_sleepers()
  if started then return end
  started = true
  host.go(function()
    local done, problem = pcall(scenario.run, host)
    if not done then print("not ok " .. tostring(problem)) end
    print(core.in_flight() == 0 and "nothing left" or "something is left")
    os.exit(0)
  end)
end)
