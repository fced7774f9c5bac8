-- luv: a clock keeps ticking while orders are looked up, each in its own coroutine.
--
--   SMMPANEL_URL=… SMMPANEL_KEY=… lua5.4 examples/luv/main.lua 1 2 100
local uv = require "luv"
local smmpanel = require "smmpanel"

local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY" }
local ids = #arg > 0 and { table.unpack and table.unpack(arg) or unpack(arg) } or { "1", "2", "100" }

local ticks, open = 0, #ids
local clock = uv.new_timer()
clock:start(0, 10, function() ticks = ticks + 1 end)

for _, id in ipairs(ids) do
  coroutine.wrap(function()
    local record, err = panel:status(id)
    print(id, record and record.status or err)
    open = open - 1
    if open == 0 then clock:close() end
  end)()
end

uv.run()
print(("all done; the clock ticked %d times meanwhile"):format(ticks))
