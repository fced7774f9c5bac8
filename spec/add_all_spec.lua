-- Many orders with refs: what was placed, what was not, and running it again.
local redis_server = require "spec.support.redis"
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"

describe("panel:add_all", function()
  local sandbox, directory, n = nil, nil, 0
  setup(function() sandbox, directory = sandboxes.start { balance = "1000000" }, redis_server.scratch() end)
  teardown(function()
    sandbox.stop()
    os.execute("rm -rf " .. directory)
  end)

  local name, ledger
  before_each(function()
    n = n + 1
    name = "all" .. n
    ledger = smmpanel.ledger.sqlite(("%s/%d.db"):format(directory, n))
    sandbox.ask("POST", "balance?balance=1000000")
  end)

  local function panel(fault, more)
    local options = { ledger = ledger, name = name, timeout = 5 }
    for key, value in pairs(more or {}) do options[key] = value end
    return sandbox.panel(fault, options)
  end

  local function orders(count)
    local list = {}
    for i = 1, count do
      local link = ("https://example.com/%s/%d"):format(name, i)
      list[i] = { ref = "r" .. i, order = { service = 1, link = link, quantity = 100 } }
    end
    return list
  end

  local function counted(results)
    local counts = {}
    for _, result in pairs(results) do
      local what = result.order and "made" or result.code
      counts[what] = (counts[what] or 0) + 1
    end
    return counts
  end

  it("places all of them, several at a time", function()
    panel():balance()
    local seen = {}
    local results, err = panel("latency:0.05"):add_all(orders(40), {
      concurrency = 10, on_progress = function(done, total) seen[#seen + 1] = done .. "/" .. total end,
    })
    assert.is_nil(err)
    assert.same({ made = 40 }, counted(results))
    assert.equal(40, sandbox.counts(name).made)
    assert.equal("1/40", seen[1])
    assert.equal("40/40", seen[40])
    local most = sandbox.counts(name).max_in_flight
    assert.is_true(most > 5 and most <= 10, tostring(most))
  end)

  it("sends nothing again when it is run again", function()
    local first = panel():add_all(orders(20))
    local second = panel():add_all(orders(30))
    for ref, made in pairs(first) do assert.same(made, second[ref]) end
    assert.equal(30, sandbox.counts(name).requests)
  end)

  it("stops at the first refusal for want of funds, and goes on when there are some", function()
    sandbox.ask("POST", "balance?balance=0.9") -- for ten of them
    local results, err = panel():add_all(orders(40), { concurrency = 2 })
    assert.equal("no_funds", err.code)
    local counts = counted(results)
    assert.equal(10, counts.made)
    assert.is_true(counts.no_funds <= 2)
    assert.equal(40, counts.made + counts.no_funds + counts.unsent)
    assert.is_true(sandbox.counts(name).requests <= 12)
    sandbox.ask("POST", "balance?balance=1000000")
    assert.same({ made = 40 }, counted((panel():add_all(orders(40)))))
    assert.equal(40, sandbox.counts(name).made)
  end)

  it("goes on after a refusal of one, and after an uncertain one", function()
    local list = orders(6)
    list[2].order.quantity = 1
    local results, err = panel("lost@3-3", { timeout = 1 }):add_all(list, { concurrency = 1 })
    assert.is_nil(err)
    assert.same({ made = 4, bad_quantity = 1, reset = 1 }, counted(results))
    assert.is_true(results.r3.uncertain)
    assert.equal("r3", panel():pending()[1].ref)
    results = panel():add_all(list)
    assert.same({ made = 4, bad_quantity = 1, uncertain = 1 }, counted(results))
  end)

  it("stops when the key is refused, or the ledger fails", function()
    local wrong = smmpanel.new { url = sandbox.url_with("", name), key = "wrong", ledger = ledger }
    local results, err = wrong:add_all(orders(20), { concurrency = 1 })
    assert.equal("invalid_key", err.code)
    assert.same({ invalid_key = 1, unsent = 19 }, counted(results))
    ledger = smmpanel.ledger.sqlite "/nonexistent/l.db"
    results, err = panel():add_all(orders(20), { concurrency = 1 })
    assert.same({ "ledger", "unavailable" }, { err.kind, err.code })
    assert.same({ unavailable = 1, unsent = 19 }, counted(results))
  end)

  it("takes them from a function, and hands each answer over", function()
    local list, i, answered, progress = orders(25), 0, {}, {}
    local results, err = panel():add_all(function()
      i = i + 1
      return list[i]
    end, {
      on_answer = function(ref, made) answered[ref] = made.order end,
      on_progress = function(done, total) progress[#progress + 1] = { done, total } end,
    })
    assert.is_nil(err)
    assert.same({}, results)
    assert.equal(25, sandbox.counts(name).made)
    for _, item in ipairs(list) do assert.truthy(answered[item.ref]) end
    assert.same({ 25 }, progress[25])
  end)

  it("checks all of a list before it sends anything", function()
    local function throws(said, list, options)
      local ok, thrown = pcall(function() panel():add_all(list, options) end)
      assert.is_false(ok)
      assert.truthy(thrown:find("^spec/add_all_spec.lua") or thrown:find("add_all_spec", 1, true), thrown)
      assert.truthy(thrown:find(said, 1, true), thrown)
    end
    local good = orders(3)
    throws("orders[2] must be { ref = ..., order = ... }, got 'x'", { good[1], "x" })
    throws("the ref of orders[2] must be a text", { good[1], { order = good[2].order } })
    throws("orders[1] and orders[2] have the same ref, 'r1'", { good[1], good[1] })
    throws("names no service", { good[1], { ref = "x", order = { link = "x" } } })
    throws("needs a table with the order's fields", { good[1], { ref = "x" } })
    throws("needs a list of orders", "x")
    throws("unknown option 'concurency'; did you mean 'concurrency'?", good, { concurency = 1 })
    assert.equal(0, sandbox.counts(name).requests)
    assert.same({}, panel():pending())
    local bare = sandbox.panel()
    assert.is_false(pcall(function() bare:add_all(good) end))
  end)
end)
