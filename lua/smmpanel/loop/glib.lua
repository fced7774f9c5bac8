--- GLib's main loop through lgi: GTK programs, awesome. In a coroutine a call suspends it; outside of one it blocks.
-- @module smmpanel.loop.glib

local lgi = require "lgi"
local scheduler = require "smmpanel.loop.scheduler"

local GLib = lgi.GLib
local loop = { name = "glib" }

local PRIORITY = GLib.PRIORITY_DEFAULT
-- GLib 2.90 has it in a namespace of its own.
local add_descriptor = GLib.unix_fd_add_full or lgi.require("GLibUnix", "2.0").fd_add_full

local function after(milliseconds, f)
  GLib.timeout_add(PRIORITY, milliseconds, function()
    f()
    return false
  end)
end

local coroutines

-- An error in a coroutine that nothing waits for is reported, and ends nothing else.
local function report(traceback)
  io.stderr:write(traceback, "\n")
end

coroutines = scheduler.new(function()
  GLib.idle_add(PRIORITY, function()
    coroutines:run(report)
    return false
  end)
end)

function loop.signal() return coroutines:signal() end

function loop.check_resumer() coroutines:check_resumer() end

function loop.sleep(seconds)
  local signal = loop.signal()
  after(math.max(0, math.ceil(seconds * 1000)), function() signal:open() end)
  signal:wait()
end

function loop.spawn(f, done) coroutines:spawn(f, done) end

local source

-- A source left behind would wake the loop for ever.
function loop.unwatch()
  GLib.source_remove(source)
  source = nil
end

function loop.watch(descriptor, step)
  if source then loop.unwatch() end -- the source of an old descriptor, after a fork
  source = add_descriptor(PRIORITY, descriptor, GLib.IOCondition.IN, function()
    local ok, thrown = pcall(step)
    if not ok then report(tostring(thrown)) end
    return true
  end)
end

return loop
