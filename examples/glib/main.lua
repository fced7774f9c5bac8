-- GLib through lua-lgi, as in GTK programs and awesome: a clock keeps ticking while orders are looked up.
--
--   SMMPANEL_URL=… SMMPANEL_KEY=… lua5.3 examples/glib/main.lua 1 2 100
local GLib = require "lgi".GLib
local smmpanel = require "smmpanel"

local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY" }
local ids = #arg > 0 and arg or { "1", "2", "100" }
local main, ticks, open = GLib.MainLoop(), 0, #ids

GLib.timeout_add(GLib.PRIORITY_DEFAULT, 10, function()
  ticks = ticks + 1
  return open > 0
end)

for i = 1, #ids do
  coroutine.wrap(function()
    local record, err = panel:status(ids[i])
    print(ids[i], record and record.status or err)
    open = open - 1
    if open == 0 then main:quit() end
  end)()
end

main:run()
print(("all done; the clock ticked %d times meanwhile"):format(ticks))
