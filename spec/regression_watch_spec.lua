-- Defects in watching orders and in placing many, each named as it was seen.
local core = require "smmpanel.core"
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"
local system = require "spec.support.system"
local watch = require "smmpanel.watch"
local work = require "smmpanel.watch.queue"

describe("regression:", function()
  local sandbox, ids, directory
  setup(function()
    sandbox = sandboxes.start { tls = false, balance = "10000" }
    ids, directory = {}, system.directory()
    for i = 1, 4 do
      ids[i] = assert(sandbox.panel():add { service = 1, link = ("https://example.com/%d#ends=never"):format(i),
        quantity = 100 }).order
    end
  end)
  teardown(function()
    sandbox.stop()
    os.execute("rm -rf " .. directory)
  end)

  local function order(name) return { service = 1, link = "https://example.com/" .. name, quantity = 100 } end

  it("an order was sent after its deadline, when the ledger no longer expected it", function()
    local panel = sandbox.panel("", { name = "late", timeout = 0.5, rate = 4 })
    assert(panel:balance()) -- the order now waits a quarter of a second for its moment
    local made, err
    smmpanel.all {
      function() made, err = panel:add(order "late") end,
      function() os.execute "sleep 1" end, -- and the program does something else until it is too late
    }
    assert.is_nil(made)
    assert.same({ "timeout", false, 0 }, { err.kind, err.uncertain or false, sandbox.counts("late").made })
    panel:close()
  end)

  it("a watch in one process lost the orders that a slow program held longer than others may", function()
    local clock, told = core.now, 0
    core.now = function() return clock() + told * 1000 end
    finally(function() core.now = clock end)
    local panel = sandbox.panel()
    local last, err = panel:watch({ 1, 9, 10 }, { interval = 0.2, on_change = function() told = told + 1 end })
    assert.same({ 3, "Partial" }, { told, last[1].status, err })
  end)

  it("the first poller without time for another poll discarded what others were waiting for", function()
    local panel, told = sandbox.panel("latency:0.5@2-2", { name = "away", batch_size = 2 }), 0
    local last, err = panel:watch(ids, { interval = 60, timeout = 20, on_change = function() told = told + 1 end })
    assert.same({ 4, "timeout" }, { told, err.kind })
    for _, id in ipairs(ids) do assert.is_string(last[id].status) end
  end)

  it("an error in on_change was thrown an interval late", function()
    local panel, began = sandbox.panel("latency:0.5@2-2", { name = "thrown", batch_size = 2 }), core.now()
    assert.error(function()
      panel:watch(ids, { interval = 60, on_change = function()
        if core.now() - began > 0.4 then error("thrown", 0) end
      end })
    end, "thrown")
    assert.is_true(core.now() - began < 45)
  end)

  it("a batch returned before one that was due was claimed again and again, empty", function()
    local now, all = 0, {}
    local set = work.new(function() return now end)
    for i = 1, 250 do all[i] = tostring(i) end
    set:add(all)
    local a, c, b = set:claim(100, 6, 75), set:claim(100, 6, 75), set:claim(100, 6, 75)
    set:unchanged(b, b.ids, 55)
    set:unchanged(a, a.ids, 64)
    set:unchanged(c, c.ids, 80)
    now = 61
    b = set:claim(100, 6, 75)
    assert.equal(50, #b.ids)
    now = 66
    set:unchanged(b, b.ids, 1)
    local claim, failure, wait = set:claim(100, 6, 75)
    assert.same({ nil, nil, 1 }, { claim, failure, wait })
    now = 67
    assert.is_true(#set:claim(100, 6, 75).ids > 0)
  end)

  it('a record with `error: ""` was reported as an error, and watched for ever', function()
    for _, nothing in ipairs { "%22%22", "0", "false" } do
      local last, err = sandbox.panel("set:error=" .. nothing):watch({ 1 }, { interval = 0.2, timeout = 20 })
      assert.same({ "Partial" }, { last[1].status, last[1].error or err })
    end
  end)

  it("a panel's own field `cause` was taken for a failed request", function()
    local told = 0
    local _, err = sandbox.panel("set:cause=%22private%22"):watch({ 1 }, { interval = 0.2, timeout = 20,
      on_change = function() told = told + 1 end })
    assert.same({ 1 }, { told, err })
  end)

  it("a watch continued after its time while something was always due", function()
    local panel = sandbox.panel("latency:0.1", { batch_size = 1, concurrency = 1, retries = 0 })
    local began = core.now()
    local _, err = panel:watch({ ids[1], ids[2], ids[3], ids[4], 2, 100 }, { interval = 0.3, timeout = 1 })
    assert.equal("timeout", err.kind)
    assert.is_true(core.now() - began < 30)
  end)

  it("a growing list of orders was not a change", function()
    assert.is_true(watch.same({ orders = { 1, 2 } }, { orders = { 1, 2 } }))
    assert.is_false(watch.same({ orders = { 1, 2 } }, { orders = { 1, 2, 3 } }))
    assert.is_false(watch.same({ orders = { 1, 2 } }, { orders = "1,2" }))
  end)

  it("add_all called an iterator again after its end", function()
    local panel = sandbox.panel("", { name = "iterator", ledger = smmpanel.ledger.sqlite(directory .. "/iterator") })
    local _, err = panel:add_all(coroutine.wrap(function()
      for i = 1, 12 do
        local name = "iterator-" .. i
        coroutine.yield { ref = name, order = order(name) }
      end
    end))
    assert.same({ 12 }, { sandbox.counts("iterator").made, err })
  end)

  it("add_all continued after on_answer had thrown", function()
    local list = {}
    for i = 1, 60 do list[i] = { ref = "thrown-" .. i, order = order("thrown" .. i) } end
    local panel = sandbox.panel("", { name = "disk", ledger = smmpanel.ledger.sqlite(directory .. "/disk") })
    assert.error(function()
      panel:add_all(list, { on_answer = function() error("the disk is full", 0) end })
    end, "the disk is full")
    assert.is_true(sandbox.counts("disk").made <= 8)
  end)
end)
