-- The ledger's steps in every order, with faults between them. spec/long has the full run, and the real stores.
local memory_store = require "spec.support.memory_store"
local model = require "spec.support.ledger_model"

local function explore(options, limit)
  return model.explore(function(choose, memory)
    options.choose, options.store, options.memory = choose, memory_store.new(), memory
    if options.spoil then options.spoil(options.store) end
    return (model.run(options))
  end, limit)
end

local function random_runs(count, options)
  for seed = 1, count do
    math.randomseed(seed)
    local given = { choose = math.random, store = memory_store.new(), placers = 2 + seed % 2, persons = 1 + seed % 2,
      faults = seed % 6, passes = seed % 4, tries = 1 + seed % 3 }
    for name, value in pairs(options or {}) do given[name] = value end
    if options and options.spoil then options.spoil(given.store) end
    local why = model.run(given)
    if why then return why, seed end
  end
end

describe("the model of the ledger", function()
  it("holds for two processes with a fault anywhere, in any order", function()
    local runs, why, choices = explore { placers = 2, persons = 0, faults = 1, passes = 0 }
    assert.is_nil(why, choices and table.concat(choices, ","))
    assert.is_true(runs > 1000, runs)
  end)

  it("holds for two processes and a person, and passing time, in any order", function()
    local runs, why, choices = explore { placers = 2, persons = 1, faults = 0, passes = 1 }
    assert.is_nil(why, choices and table.concat(choices, ","))
    assert.is_true(runs > 1000, runs)
  end)

  it("is not cut short: no random run ends in a way that the exploration has not seen", function()
    local ends, count = {}, 0
    model.explore(function(choose, memory)
      local why, run = model.run { choose = choose, store = memory_store.new(), placers = 2, persons = 0, faults = 1,
        passes = 0, memory = memory }
      ends[model.ending(run) or ""] = true
      return why
    end)
    for _ in pairs(ends) do count = count + 1 end
    assert.is_true(count >= 10, count)
    for seed = 1, 3000 do
      math.randomseed(seed)
      local _, run = model.run { choose = math.random, store = memory_store.new(), placers = 2, persons = 0, faults = 1,
        passes = 0 }
      assert.is_true(ends[model.ending(run)], seed)
    end
  end)

  it("holds in random longer runs", function()
    local why, seed = random_runs(5000)
    assert.is_nil(why, seed)
  end)

  it("finds two orders if an uncertain end frees the ref", function()
    local function spoil(store) store.doubt = store.free end
    assert.truthy(random_runs(20000, { spoil = spoil }))
    local _, why = explore { placers = 2, persons = 0, faults = 1, passes = 0, spoil = spoil }
    assert.equal("2 orders for one ref", why)
  end)

  it("finds two orders if a store gives a ref to two processes", function()
    assert.truthy(random_runs(20000, { spoil = function(store)
      function store.take() return "taken", 1 end
    end }))
  end)
end)
