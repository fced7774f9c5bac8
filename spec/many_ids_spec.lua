-- Any number of ids: split into requests, sent concurrently, each with a result.
local sandboxes = require "spec.support.sandbox"

local function count(list)
  local n = 0
  for _ in pairs(list) do n = n + 1 end
  return n
end

describe("PROTOCOL 'status', many: 1,234 ids, some twice", function()
  local sandbox, made, ids
  setup(function()
    sandbox = sandboxes.start()
    made = {}
    local panel = sandbox.panel ""
    for i = 1, 20 do
      made[i] = assert(panel:add { service = 1, link = "https://example.com/" .. i, quantity = 50 }).order
    end
    ids = {}
    for _, id in ipairs(made) do ids[#ids + 1] = id end
    for id = 700001, 700000 + 1214 do ids[#ids + 1] = id end
    for i = 1, 100 do ids[#ids + 1] = ids[i] end -- asked twice
    assert.equal(1334, #ids)
  end)
  teardown(function() sandbox.stop() end)

  local function check(many)
    assert.equal(1234, count(many))
    for _, id in ipairs(made) do assert.equal("USD", many[id].currency) end
    for id = 700001, 701214 do assert.equal("bad_order", many[id].code) end
  end

  it("are sent as 13 requests of at most 100, at most `concurrency` at a time", function()
    local progress = {}
    local many, err = sandbox.panel("latency:0.05", { name = "thirteen", concurrency = 4 }):status(ids, {
      on_progress = function(done, total) progress[#progress + 1] = { done, total } end,
    })
    assert.is_nil(err)
    check(many)
    local counts = sandbox.counts "thirteen"
    assert.equal(13, counts.requests)
    assert.is_true(counts.max_in_flight <= 4)
    assert.is_true(counts.max_in_flight >= 2)
    assert.equal(13, #progress)
    assert.same({ 1234, 1234 }, progress[13])
    for _, request in ipairs(counts.last) do
      local _, commas = request.fields.orders:gsub(",", "")
      assert.is_true(commas <= 99)
    end
  end)

  it("are complete if one request fails", function()
    local many, err = sandbox.panel("500-html@1", { name = "one-fails", retries = 0 }):status(ids)
    assert.equal("http", err.kind)
    assert.equal(1234, count(many))
    local failed = 0
    for _, id in ipairs(ids) do
      local record = many[id]
      if record.cause then
        assert.equal(err, record.cause)
        record.cause = nil
        failed = failed + 1
      end
    end
    assert.is_true(failed == 100 or failed == 34)
  end)

  it("are complete if the panel leaves ids out", function()
    local many, err = sandbox.panel("ids-left-out", { name = "left-out" }):status(ids)
    assert.is_nil(err)
    assert.equal(1234, count(many))
    assert.equal("missing", many[700001].code)
    assert.equal("USD", many[made[1]].currency)
  end)

  it("are complete if the panel returns a list in another order", function()
    check(assert(sandbox.panel("status-list"):status(ids)))
  end)

  it("are complete if the panel silently truncates the list", function()
    local many = sandbox.panel("ids-cut:50"):status(ids)
    assert.equal(1234, count(many))
    local missing = 0
    for _, record in pairs(many) do missing = missing + (record.code == "missing" and 1 or 0) end
    assert.equal(1234 - 12 * 50 - 34, missing)
  end)

  it("are errors, not guesses, if the list has no ids", function()
    local many, err = sandbox.panel("status-list-no-ids"):status { made[1], made[2] }
    assert.equal("response", err.kind)
    assert.equal("response", many[made[1]].cause.kind)
  end)

  it("are keyed as they were given", function()
    local many = assert(sandbox.panel(""):status { made[1], tostring(made[1]), tostring(made[2]) })
    assert.equal(many[made[1]].charge, many[tostring(made[1])].charge)
    assert.is_nil(many[made[2]])
    assert.equal(3, count(many))
  end)

  it("none at all is no request", function()
    local panel = sandbox.panel("", { name = "none" })
    assert.same({}, panel:status {})
    local counts = sandbox.counts "none"
    assert.is_true(counts.requests == nil or counts.requests == 0)
  end)
end)
