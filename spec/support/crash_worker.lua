-- Places orders that others place at the same time, until each is placed or uncertain, over a panel that
-- fails in every way: `lua crash_worker.lua SEED DIE COUNT URLS KEY sqlite PATH` or `... redis PORT PREFIX`.
-- URLS is a file with one url a line. With DIE above 0 it kills itself at that step of the ledger, before or
-- after it. Prints "ready" when it begins, and "done" at the end.
local redis_clients = require "spec.support.redis"
local smmpanel = require "smmpanel"

local seed, die, count, urls, key = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3]), arg[4], arg[5]
math.randomseed(seed)

local stat = assert(io.open "/proc/self/stat")
local pid = stat:read "*n"
stat:close()

local function kill_oneself() os.execute(("kill -9 %d"):format(pid)) end

local function new_ledger()
  if arg[6] == "sqlite" then return smmpanel.ledger.sqlite(arg[7]) end
  return smmpanel.ledger.redis(redis_clients.at(tonumber(arg[7]), 2), { prefix = arg[8] })
end

-- The ledger, and the kill in it: at an odd step before it is done, at an even one after it.
local function mortal(ledger)
  local step, proxy = 0, {}
  for _, name in ipairs { "identity", "take", "find", "keep", "free", "doubt", "resolve", "pending", "adopt",
    "attempts", "note", "made" } do
    proxy[name] = function(_, ...)
      step = step + 1
      if step * 2 - 1 == die then kill_oneself() end
      local a, b = ledger[name](ledger, ...)
      if step * 2 == die then kill_oneself() end
      return a, b
    end
  end
  return proxy
end

local ledger, panels = mortal(new_ledger()), {}
for url in io.lines(urls) do
  panels[#panels + 1] = smmpanel.new { url = url, key = key, ledger = ledger, timeout = 1, retries = 1, rate = 200 }
end

local orders = {}
for i = 1, count do
  orders[i] = {
    ref = "r" .. i,
    order = { service = 1, link = "https://example.com/crash/" .. i, quantity = 100 + i % 7 },
  }
end

local function shuffle(list)
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
end

local function settled(result)
  return result.order or result.uncertain
end

io.write "ready\n"
io.flush()
shuffle(orders)
while #orders > 0 do
  local left = {}
  for from = 1, #orders, 10 do
    local some = {}
    for i = from, math.min(from + 9, #orders) do some[#some + 1] = orders[i] end
    local results = panels[math.random(#panels)]:add_all(some, { concurrency = 1 + seed % 2 })
    for _, item in ipairs(some) do
      if not settled(results[item.ref]) then left[#left + 1] = item end
    end
  end
  orders = left
end
io.write "done\n"
