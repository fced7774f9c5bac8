-- cqueues: a clock keeps ticking while orders are looked up, each in its own coroutine.
--
--   SMMPANEL_URL=… SMMPANEL_KEY=… lua5.4 examples/cqueues/main.lua 1 2 100
local cqueues = require "cqueues"
local smmpanel = require "smmpanel"

local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY" }
local ids = #arg > 0 and { table.unpack and table.unpack(arg) or unpack(arg) } or { "1", "2", "100" }

local loop, ticks, open = cqueues.new(), 0, #ids

for _, id in ipairs(ids) do
  loop:wrap(function()
    local record, err = panel:status(id)
    print(id, record and record.status or err)
    open = open - 1
  end)
end

loop:wrap(function()
  while open > 0 do
    cqueues.sleep(0.01)
    ticks = ticks + 1
  end
end)

assert(loop:loop())
print(("all done; the clock ticked %d times meanwhile"):format(ticks))
