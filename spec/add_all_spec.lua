-- Placing many orders with refs: which were placed, which were not, and running it again.
local core = require "smmpanel.core"
local errors = require "smmpanel.errors"
local process = require "spec.support.process"
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"
local socket = require "socket"
local system = require "spec.support.system"

describe("panel:add_all", function()
  local sandbox, directory, n = nil, nil, 0
  setup(function() sandbox, directory = sandboxes.start { balance = "1000000" }, system.directory() end)
  teardown(function()
    sandbox.stop()
    os.execute("rm -rf " .. directory)
  end)

  local name, ledger
  before_each(function()
    n = n + 1
    name = "all" .. n
    ledger = smmpanel.ledger.sqlite(("%s/%d.db"):format(directory, n))
    sandbox.ask("balance?balance=1000000")
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

  it("places all orders, several at a time", function()
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

  it("sends nothing again when it runs again", function()
    local first = panel():add_all(orders(20))
    local second = panel():add_all(orders(30))
    for ref, made in pairs(first) do assert.same(made, second[ref]) end
    assert.equal(30, sandbox.counts(name).requests)
  end)

  it("stops at the first refusal for lack of funds, and continues when there are some", function()
    sandbox.ask("balance?balance=0.9") -- for ten of them
    local results, err = panel():add_all(orders(40), { concurrency = 2 })
    assert.equal("no_funds", err.code)
    local counts = counted(results)
    assert.equal(10, counts.made)
    assert.is_true(counts.no_funds <= 2)
    assert.equal(40, counts.made + counts.no_funds + counts.unsent)
    assert.is_true(sandbox.counts(name).requests <= 12)
    sandbox.ask("balance?balance=1000000")
    assert.same({ made = 40 }, counted((panel():add_all(orders(40)))))
    assert.equal(40, sandbox.counts(name).made)
  end)

  it("continues after a refusal of one order, and after an uncertain one", function()
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

  it("reads orders from a function, and passes on each answer", function()
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

  it("checks a whole list before it sends anything", function()
    local function throws(said, list, options)
      local ok, thrown = pcall(function() panel():add_all(list, options) end)
      assert.is_false(ok)
      assert.truthy(thrown:find("^spec/add_all_spec.lua") or thrown:find("add_all_spec", 1, true), thrown)
      assert.truthy(thrown:find(said, 1, true), thrown)
    end
    local good = orders(3)
    throws("orders[2] must be { ref = ..., order = ... }, got 'x'", { good[1], "x" })
    throws("the ref of orders[2] must be a string", { good[1], { order = good[2].order } })
    throws("orders[1] and orders[2] have the same ref, 'r1'", { good[1], good[1] })
    local number, text = orders(2)[1], orders(2)[2]
    number.ref, text.ref = 42, "42"
    throws("orders[1] and orders[2] have the same ref, '42'", { number, text })
    throws("has no service", { good[1], { ref = "x", order = { link = "x" } } })
    throws("needs a table with the order's fields", { good[1], { ref = "x" } })
    throws("needs a list of orders", "x")
    throws("unknown option 'concurency'; did you mean 'concurrency'?", good, { concurency = 1 })
    assert.equal(0, sandbox.counts(name).requests)
    assert.same({}, panel():pending())
    local bare = sandbox.panel()
    assert.is_false(pcall(function() bare:add_all(good) end))
  end)

  it("checks a list for holes and for keys", function()
    local function throws(said, list)
      local ok, thrown = pcall(function() panel():add_all(list) end)
      assert.is_false(ok)
      assert.truthy(thrown:find(said, 1, true), thrown)
    end
    local good = orders(5)
    throws("orders[2] is nil: a list must have no holes", { good[1], nil, good[3], good[4] })
    throws("orders must be a list, got a table with the key '", good[1])
    assert.equal(0, sandbox.counts(name).requests)
  end)

  it("calls an iterator that waits itself once at a time", function()
    local other, i, inside, most = panel("latency:0.02"), 0, 0, 0
    local results, err = panel():add_all(function()
      inside = inside + 1
      most = math.max(most, inside)
      assert(other:balance())
      inside, i = inside - 1, i + 1
      return orders(12)[i]
    end, { concurrency = 6 })
    assert.is_nil(err)
    assert.same({ { made = 12 }, 1 }, { counted(results), most })
  end)

  it("ends at a wrong entry of an iterator, and returns what was placed", function()
    local list, i = orders(5), 0
    list[3] = { order = list[3].order }
    local results, err = panel():add_all(function()
      i = i + 1
      return list[i]
    end, { concurrency = 1 })
    assert.equal("bad_entry", err.code)
    assert.truthy(err.message:find("the ref of the order number 3 of the iterator must be a string", 1, true))
    assert.truthy(err.message:find("the remaining orders were not read", 1, true))
    assert.same({ made = 2 }, counted(results))
    list, i = orders(3), 0
    list[2].order = { link = "x" }
    results, err = panel():add_all(function()
      i = i + 1
      return list[i]
    end, { concurrency = 1 })
    assert.same({ made = 1 }, counted(results))
    assert.equal("bad_entry", err.code)
    assert.truthy(err.message:find("^the order of 'r2'"), err.message)
  end)

  it("waits for a low rate instead of failing the orders without a slot in time", function()
    panel():balance()
    local results, err = panel(nil, { rate = 10, timeout = 0.3 }):add_all(orders(12), { concurrency = 12 })
    assert.is_nil(err)
    assert.same({ made = 12 }, counted(results))
  end)

  it("leaves only the orders in flight uncertain when it is killed at a low rate", function()
    local script = ([[
      local smmpanel = require "smmpanel"
      local list = {}
      for i = 1, 64 do
        list[i] = { ref = "r" .. i, order = { service = 1, link = "https://example.com/" .. i, quantity = 100 } }
      end
      local panel = smmpanel.new { url = %q, key = %q, rate = 2, ledger = smmpanel.ledger.sqlite %q }
      panel:add_all(list, { concurrency = 64 })
    ]]):format(sandbox.url_with("latency:0.05", name), sandbox.key, ("%s/%d.db"):format(directory, n))
    local file = directory .. "/low_rate.lua"
    system.write(file, script)
    local pipe = io.popen(("echo $$; exec %s %s"):format(process.lua(), file))
    local pid = pipe:read "*n"
    while sandbox.counts(name).requests < 2 do socket.sleep(0.02) end
    os.execute(("kill -KILL %d"):format(pid))
    pipe:close()
    local sent = sandbox.counts(name).requests
    assert.is_true(#panel():pending() <= 1, #panel():pending() .. " in doubt")
    assert.is_true(sent <= 3)
  end)

  it("pauses when the panel answers 429, and places the rest afterwards", function()
    local seen = {}
    local began = core.now()
    local results, err = panel("429:1@3-4", {
      on_event = function(event) seen[#seen + 1] = event.http_status end,
    }):add_all(orders(8), { concurrency = 2 })
    assert.is_nil(err)
    assert.same({ made = 8 }, counted(results))
    assert.is_true(core.now() - began >= 1)
    assert.equal(10, #seen)
  end)

  it("waited for ever if the panel asked for a pause of a thousand years", function()
    local now, sent, real = 0, 0, core.now
    local loop = setmetatable({ sleep = function(seconds) now = now + seconds end },
      { __index = require "smmpanel.loop.blocking" })
    local left = orders(1)
    core.now = function() return assert(now < 2000 and now, "it still waits") end -- luacheck: ignore 122
    local ok, results = pcall(require("smmpanel.ledger.add_all").run, function() return table.remove(left) end, 1, {
      loop = loop, concurrency = 1, retries = 2, stop_after = 3, on_progress = function() end,
      is_closed = function() return false end,
      add = function()
        sent = sent + 1
        if sent > 1 then return { order = 1 } end
        return nil, errors.new { kind = "http", code = "rate_limited", action = "add", message = "x",
          http_status = 429, retry_after = 31536000000 }
      end,
    })
    core.now = real -- luacheck: ignore 122
    assert.is_true(ok, tostring(results))
    assert.same({ made = 1 }, counted(results))
    assert.is_near(900, now, 2)
  end)

  it("stops when a pause does not help", function()
    local results, err = panel("429:1", { retries = 0 }):add_all(orders(20), { concurrency = 4 })
    assert.equal("rate_limited", err.code)
    assert.equal(20, counted(results).rate_limited + counted(results).unsent)
    assert.is_true(sandbox.counts(name).requests <= 8)
  end)

  it("stops after three uncertain answers in a row", function()
    local results, err = panel("lost", { timeout = 1 }):add_all(orders(30), { concurrency = 1 })
    assert.is_true(err.uncertain)
    assert.truthy(err.message:find("stopped after 3 uncertain answers in a row", 1, true), err.message)
    assert.truthy(err.message:find("27 orders were not sent", 1, true), err.message)
    assert.same({ reset = 3, unsent = 27 }, counted(results))
    assert.equal(3, #panel():pending())
  end)

  it("stops after stop_after equal unknown refusals", function()
    local refused = panel "error:Everything%20is%20upside%20down"
    local results, err = refused:add_all(orders(30), { concurrency = 1, stop_after = 5 })
    assert.equal("unknown", err.code)
    assert.same({ unknown = 5, unsent = 25 }, counted(results))
  end)

  it("reports to on_answer which orders were not tried", function()
    local codes = {}
    panel("lost", { timeout = 1 }):add_all(orders(6), {
      concurrency = 1, on_answer = function(ref, _, err) codes[ref] = err.code end,
    })
    assert.same({ r1 = "reset", r2 = "reset", r3 = "reset", r4 = "unsent", r5 = "unsent", r6 = "unsent" }, codes)
  end)

  it("does not hide an order behind the error of a second use of its ref", function()
    local list, i = orders(3), 0
    list[3] = { ref = "r1", order = { service = 1, link = "https://example.com/other", quantity = 100 } }
    local results, err = panel():add_all(function()
      i = i + 1
      return list[i]
    end, { concurrency = 1 })
    assert.truthy(results.r1.order)
    assert.equal("mismatch", err.code)
  end)

  it("reports events only after the answer was stored", function()
    local waiting = {}
    local watched
    watched = panel(nil, { on_event = function(event)
      if event.type == "attempt" then waiting[#waiting + 1] = #watched:pending() end
    end })
    watched:add_all(orders(3), { concurrency = 1 })
    assert.same({ 0, 0, 0 }, waiting)
  end)
end)
