local lgi = require "lgi"
local scenario = require "spec.loops.support.scenario"

local GLib = lgi.GLib
local main = GLib.MainLoop()
-- No fork: lgi holds a lock in its callbacks, which a child cannot release.
local host = { cancellable = scenario.cancellable }

function host.go(f)
  local co = coroutine.create(f)
  local ok, err = coroutine.resume(co)
  if not ok then io.stderr:write(tostring(err), "\n") end
end

function host.sleep(seconds)
  local co = coroutine.running()
  GLib.timeout_add(GLib.PRIORITY_DEFAULT, math.ceil(seconds * 1000), function()
    assert(coroutine.resume(co))
    return false
  end)
  coroutine.yield()
end

local ended = false
GLib.timeout_add(GLib.PRIORITY_DEFAULT, 1, function()
  scenario.tick()
  return not ended
end)
GLib.idle_add(GLib.PRIORITY_DEFAULT, function()
  host.go(function()
    scenario.run(host)
    ended = true
    main:quit()
  end)
  return false
end)
main:run()
local left = require "smmpanel.core".in_flight()
print(left == 0 and "nothing left" or "something is left")
