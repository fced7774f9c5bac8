-- Many coroutines that sleep again right after they wake up, as with a rate limit. On plain Lua 5.1.
local copas = require "copas"
local core = require "smmpanel.core"
local loop = require "smmpanel.loop.copas"

local COUNT, ended = 40, 0
local begun = core.now()

for i = 1, COUNT do
  copas.addthread(function()
    for _ = 1, 20 do loop.sleep(0.0001 * i) end
    ended = ended + 1
  end)
end
while ended < COUNT and core.now() - begun < 10 do copas.step(0.001) end
print(ended .. " of " .. COUNT .. " ended")
