-- Tarantool: orders are looked up concurrently, each in its own fiber, and stored in a space.
--
--   SMMPANEL_URL=… SMMPANEL_KEY=… tarantool examples/tarantool/main.lua 1 2 100
local fiber = require "fiber"
local smmpanel = require "smmpanel"

local directory = require "fio".tempdir()
box.cfg { memtx_dir = directory, wal_mode = "none", log_level = 2 }
local orders = box.schema.space.create("orders", { temporary = true,
  format = { { "id", "string" }, { "status", "string" } } })
orders:create_index "primary"

local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY" }
local ids = #arg > 0 and arg or { "1", "2", "100" }
local ended = fiber.channel(#ids)

for i = 1, #ids do
  fiber.create(function()
    -- Not inside box.begin(): a fiber that waits would lose its transaction.
    local record, err = panel:status(ids[i])
    orders:replace { ids[i], record and record.status or tostring(err) }
    ended:put(true)
  end)
end
for _ = 1, #ids do ended:get() end

for _, order in orders:pairs() do print(order.id, order.status) end
os.exit(0)
