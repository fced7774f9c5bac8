-- The model of the ledger: all interleavings of two processes and a person, with a fault at every step and time that
-- passes between any two; a million random longer runs, and ten thousand on each real store.
local memory_store = require "spec.support.memory_store"
local model = require "spec.support.ledger_model"
local redis_server = require "spec.support.redis"
local redis_store = require "smmpanel.ledger.redis"
local sqlite_store = require "smmpanel.ledger.sqlite"
local system = require "spec.support.system"

local function random_runs(count, store_for)
  for seed = 1, count do
    math.randomseed(seed)
    local why = model.run { choose = math.random, store = store_for(seed), ref = "r" .. seed, placers = 2 + seed % 2,
      persons = 1 + seed % 2, faults = seed % 6, passes = seed % 4, tries = 1 + seed % 3 }
    assert.is_nil(why, "seed " .. seed)
  end
end

-- The person checks everything that is pending, so a store with many runs is slow.
local function fresh_each_500(new_store)
  local number, store = -1, nil
  return function(seed)
    if math.floor(seed / 500) ~= number then
      number = math.floor(seed / 500)
      store = new_store(number)
    end
    return store
  end
end

describe("the model of the ledger, all of it", function()
  for _, case in ipairs { { persons = 0, faults = 2, passes = 0 }, { persons = 1, faults = 0, passes = 2 },
    { persons = 1, faults = 1, passes = 1 } } do
    it(("holds for two processes, %d persons, %d faults, %d times that pass"):format(case.persons, case.faults,
      case.passes), function()
      local function run_with(choose, memory)
        return model.run { choose = choose, store = memory_store.new(), placers = 2, persons = case.persons,
          faults = case.faults, passes = case.passes, memory = memory }
      end
      local ends = {}
      local runs, why, choices, states = model.explore(function(choose, memory)
        local wrong, run = run_with(choose, memory)
        ends[model.ending(run) or ""] = true
        return wrong
      end)
      assert.is_nil(why, choices and table.concat(choices, ","))
      print(("%d runs, %d states: all interleavings"):format(runs, states))
      for seed = 1, 50000 do
        math.randomseed(seed)
        local _, run = run_with(math.random)
        assert.is_true(ends[model.ending(run)], "an end that the exploration has not seen, seed " .. seed)
      end
    end)
  end

  it("holds in a million random runs", function()
    random_runs(1000000, memory_store.new)
  end)

  it("holds in ten thousand random runs on SQLite", function()
    local directory = system.directory()
    random_runs(10000, fresh_each_500(function(number)
      local store = sqlite_store.new(("%s/%d.db"):format(directory, number))
      assert(store:identity())
      store.connection:execute "PRAGMA synchronous = OFF" -- the order of the steps is looked at here, not the disk
      return store
    end))
    os.execute("rm -rf " .. directory)
  end)

  it("holds in ten thousand random runs on Redis", function()
    local server = redis_server.start "--appendfsync no"
    local client = server:client()
    random_runs(10000, fresh_each_500(function(number)
      return redis_store.new(client, { unsafe = true, prefix = ("model%d:"):format(number) })
    end))
    server:stop()
  end)
end)
