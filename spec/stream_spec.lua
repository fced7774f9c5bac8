-- Ids that are read one by one, with results in their order as the answers arrive.
local smmpanel = require "smmpanel"
local sandboxes = require "spec.support.sandbox"

describe("panel:status(function, { on_answer = ... })", function()
  local sandbox
  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox.stop() end)

  local function counter(last)
    local i = 0
    return function()
      if i == last then return nil end
      i = i + 1
      return i + 500000
    end
  end

  it("answers each id in order, even if later requests are answered first", function()
    local panel, got = sandbox.panel("latency:0.3@1", { name = "order", batch_size = 10 }), {}
    local result, err = panel:status(counter(95), { on_answer = function(id, record, entry)
      assert.is_nil(record)
      assert.equal("bad_order", entry.code)
      got[#got + 1] = id
    end })
    assert.same({}, result)
    assert.is_nil(err)
    for i = 1, 95 do assert.equal(500000 + i, got[i]) end
    assert.equal(10, sandbox.counts "order".requests)
  end)

  it("calls a function that waits itself once at a time, and never after it threw", function()
    local panel, other, calls, inside, most = sandbox.panel(), sandbox.panel "latency:0.02", 0, 0, 0
    local ok, thrown = pcall(panel.status, panel, function()
      inside, calls = inside + 1, calls + 1
      most = math.max(most, inside)
      assert(other:balance())
      inside = inside - 1
      if calls == 4 then error("no more", 0) end
      return 23501 + calls
    end, { on_answer = function() end, batch_size = 1, concurrency = 4 })
    assert.same({ false, "no more", 1, 4 }, { ok, thrown, most, calls })
  end)

  it("returns the records of a list, also for an id that occurs twice", function()
    local got = {}
    sandbox.panel():status({ 1, 100, 1 }, {
      on_answer = function(id, record) got[#got + 1] = { id, record.status } end,
    })
    assert.same({ { 1, "Partial" }, { 100, "In progress" }, { 1, "Partial" } }, got)
  end)

  it("reads no more ids when the function ends or throws, or when on_answer throws", function()
    local panel = sandbox.panel("", { name = "throws", batch_size = 1, concurrency = 1 })
    local ok, thrown = pcall(panel.status, panel, counter(1000), { on_answer = function() error("enough", 0) end })
    assert.is_false(ok)
    assert.equal("enough", thrown)
    assert.equal(1, sandbox.counts "throws".requests)
    panel:status(function() return nil end, { on_answer = error })
    assert.equal(1, sandbox.counts "throws".requests)
  end)

  it("sends no further request after the key was refused, and answers every id", function()
    local count = 0
    local panel = smmpanel.new { url = sandbox.url_with("", "key"), key = "wrong-key-1", batch_size = 1,
      concurrency = 2 }
    local _, err = panel:status(counter(50), { on_answer = function(_, _, entry)
      count = count + 1
      assert.equal("invalid_key", entry.code)
    end })
    assert.equal("invalid_key", err.code)
    assert.equal(50, count)
    assert.is_true(sandbox.counts "key".requests <= 2)
  end)

  it("throws without on_answer, and for one id with it", function()
    local panel = sandbox.panel()
    assert.error_matches(function() panel:status(counter(1)) end, "ids from a function need the option on_answer")
    assert.error_matches(function() panel:status(1, { on_answer = print }) end, "on_answer is for a list of ids")
    local ok, thrown = pcall(panel.add, panel, { service = 1, quantity = "x" })
    assert.is_false(ok)
    local wrong = smmpanel.argument_error(thrown)
    assert.same({ where = "panel:add", field = "quantity", code = "invalid",
      message = "quantity must be a whole number, got 'x'" }, wrong)
    assert.is_nil(smmpanel.argument_error "something else")
  end)
end)
