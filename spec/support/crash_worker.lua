-- Places orders that other processes place at the same time, until each is placed or uncertain, on a panel with all
-- faults: `lua crash_worker.lua SEED DIE COUNT DIRECTORY KEY FIELD sqlite PATH` or `... redis PORT PREFIX`.
-- With an idempotency field (`-`: none) until each is placed.
-- DIRECTORY has a file "urls" with one url per line. It gets a file "steps" with lines "PID REF ATTEMPT MARK": an
-- attempt is in flight ("+"; 0 while the ref is being taken), has ended ("-"), or had no answer ("?"). With DIE above 0
-- it kills itself at that step of the ledger, before or after it. Prints "ready" at the start, and "done" at the
-- end.
local redis_clients = require "spec.support.redis"
local smmpanel = require "smmpanel"

local seed, die, count, directory, key = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3]), arg[4], arg[5]
local field = arg[6] ~= "-" and arg[6] or nil
math.randomseed(seed)

local stat = assert(io.open "/proc/self/stat")
local pid = stat:read "*n"
stat:close()

local steps = assert(io.open(directory .. "/steps", "a"))
steps:setvbuf "no"

local function note(entry, attempt, mark)
  steps:write(("%d %s %d %s\n"):format(pid, entry.ref, attempt, mark))
end

local function kill_oneself() os.execute(("kill -9 %d"):format(pid)) end

local function new_ledger()
  if arg[7] == "sqlite" then return smmpanel.ledger.sqlite(arg[8]) end
  return smmpanel.ledger.redis(redis_clients.at(tonumber(arg[8]), 2), { prefix = arg[9] })
end

-- The effect of a step on its ref. A take whose answer was lost may have happened.
local function note_before(name, entry)
  if name == "take" then note(entry, 0, "+") end
end

local function note_after(name, entry, result, attempt)
  if name == "take" and result == "taken" then note(entry, attempt, "+") end
  if name == "take" and result then note(entry, 0, "-") end
  if (name == "keep" or name == "free") and result then note(entry, entry.attempt or 0, "-") end
  if name == "doubt" then note(entry, entry.attempt, "?") end
end

-- The ledger with the kill: at an odd step before it is done, at an even one after it.
local function mortal(ledger)
  local step, proxy = 0, {}
  for _, name in ipairs { "identity", "take", "find", "keep", "free", "doubt", "resolve", "pending", "adopt",
    "attempts", "note", "made" } do
    proxy[name] = function(_, ...)
      step = step + 1
      if step * 2 - 1 == die then kill_oneself() end
      note_before(name, ...)
      local a, b = ledger[name](ledger, ...)
      note_after(name, (...), a, b)
      if step * 2 == die then kill_oneself() end
      return a, b
    end
  end
  return proxy
end

local ledger, panels = mortal(new_ledger()), {}
for url in io.lines(directory .. "/urls") do
  panels[#panels + 1] = smmpanel.new { url = url, key = key, ledger = ledger, timeout = 1, retries = 1, rate = 200,
    idempotency_field = field }
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
  return result.order or not field and result.uncertain
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
