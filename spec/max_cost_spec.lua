-- max_cost: what an order may cost, for one order and for a whole list.
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"
local system = require "spec.support.system"

describe("max_cost", function()
  local sandbox, directory
  setup(function() sandbox, directory = sandboxes.start { balance = "1000000" }, system.directory() end)
  teardown(function()
    sandbox.stop()
    os.execute("rm -rf " .. directory)
  end)

  -- service 1 costs 0.9 for 1,000
  local ORDER = { service = 1, link = "https://example.com/1", quantity = 1000 }

  it("of add: sends nothing that costs more, and fetches the catalogue once", function()
    local actions = {}
    local panel = sandbox.panel(nil, {
      name = "one", on_event = function(event)
        if event.type == "attempt" then actions[#actions + 1] = event.action end
      end,
    })
    local made, err = panel:add(ORDER, { max_cost = "0.89" })
    assert.is_nil(made)
    assert.same({ "max_cost", 0 }, { err.code, err.attempts })
    assert.truthy(err.message:find("costs 0.9", 1, true), err.message)
    assert.truthy(panel:add(ORDER, { max_cost = 0.9 }))
    assert.same({ "services", "add" }, actions)
  end)

  it("of add: an unknown price counts as over the limit", function()
    local panel = sandbox.panel(nil, { name = "unknown" })
    local _, err = panel:add({ service = 987654, link = "x", quantity = 1 }, { max_cost = 1e9 })
    assert.equal("max_cost", err.code)
    assert.truthy(err.message:find("the catalogue has no service 987654", 1, true), err.message)
    _, err = sandbox.panel("503", { name = "away", retries = 0 }):add(ORDER, { max_cost = 1e9 })
    assert.equal("max_cost", err.code)
    assert.equal("services", err.cause.action)
    assert.equal(0, sandbox.counts("away").made or 0)
  end)

  it("of add: an order without a slot in the rate limit is refused, and throws nothing", function()
    local panel = sandbox.panel(nil, { name = "slotless", rate = 0.01 })
    local _, err = panel:add(ORDER, { max_cost = 100, timeout = 1 }) -- the catalogue took the only slot
    assert.same({ "timeout", "rate", 0 }, { err.kind, err.code, err.attempts })
    _, err = panel:add(ORDER, { max_cost = 100, timeout = 1 })
    assert.same({ "timeout", "rate", 0 }, { err.kind, err.code, err.attempts })
  end)

  it("of add_all: stops before the order that would exceed it", function()
    local panel = sandbox.panel(nil, { name = "all", ledger = smmpanel.ledger.sqlite(directory .. "/max.db") })
    local list = {}
    for i = 1, 20 do
      list[i] = { ref = "r" .. i, order = { service = 1, link = "https://example.com/" .. i, quantity = 1000 } }
    end
    local results, err = panel:add_all(list, { max_cost = "4.5", concurrency = 3 })
    assert.equal("max_cost", err.code)
    assert.equal(5, sandbox.counts("all").made)
    assert.truthy(results.r20.code == "unsent" and results.r5.order)
  end)

  it("of add_all, with a rate limit: orders known to the ledger cost neither money nor a slot", function()
    local panel = sandbox.panel(nil, { name = "again", rate = 100,
      ledger = smmpanel.ledger.sqlite(directory .. "/again.db") })
    local list = {}
    for i = 1, 10 do
      list[i] = { ref = "r" .. i, order = { service = 1, link = "https://example.com/a" .. i, quantity = 1000 } }
    end
    local _, err = panel:add_all(list, { max_cost = "4.5", concurrency = 1 })
    assert.equal("max_cost", err.code)
    panel = sandbox.panel(nil, { name = "again", rate = 0.001, timeout = 2,
      ledger = smmpanel.ledger.sqlite(directory .. "/again.db") })
    assert(panel:balance()) -- the next slot is far away
    local known = {}
    for i = 1, 5 do known[i] = list[i] end
    local results
    results, err = panel:add_all(known, { max_cost = "0.01" })
    assert.is_nil(err)
    for i = 1, 5 do assert.truthy(results["r" .. i].order) end
    assert.equal(5, sandbox.counts("again").made)
  end)

  it("is an amount of money", function()
    assert.error_matches(function() sandbox.panel():add(ORDER, { max_cost = "much" }) end, "max_cost must be an amount")
  end)
end)
