-- Several decoders in one process, in turn: the time of each round and the memory of the result. arg[1] is the file
-- of the catalogue, arg[2] the number of rounds. arg[3] is `all` to include slow decoders, or `alone` for ours only
-- with the collector stopped, whose work depends on the rest of the process. Ours is fed pieces of 16 kB, as they
-- arrive; the others get the whole text.
local core = require "smmpanel.core"
local schemas = require "smmpanel.api.schemas"

local file = assert(io.open(arg[1], "rb"))
local text = file:read "*a"
file:close()

local PIECE = 16 * 1024
local pieces = {}
for i = 1, #text, PIECE do pieces[#pieces + 1] = text:sub(i, i + PIECE - 1) end

local decoders = {
  { "ours", function()
    local decoder = core.decoder(schemas.services)
    for i = 1, #pieces do assert(decoder:feed(pieces[i])) end
    return select(2, assert(decoder:finish()))
  end },
}
for name, module in pairs { cjson = "cjson", dkjson = "dkjson", simdjson = "bench.simdjson" } do
  local found, library = pcall(require, module)
  if found and arg[3] ~= "alone" and (name ~= "dkjson" or arg[3] == "all") then
    decoders[#decoders + 1] = { name, library.decode }
  end
end

local function one(name, decode)
  collectgarbage()
  collectgarbage()
  if arg[3] == "alone" then collectgarbage "stop" end
  local before, began = collectgarbage "count", core.now()
  local value = decode(text)
  local seconds = core.now() - began
  collectgarbage "restart"
  collectgarbage()
  collectgarbage()
  print(name, seconds, collectgarbage "count" - before, #value)
end

for _ = 1, tonumber(arg[2]) do
  for _, decoder in ipairs(decoders) do one(decoder[1], decoder[2]) end
end
