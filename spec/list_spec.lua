-- `list = true`: answers to a list of ids as an array, for JSON.
local cjson = require "cjson"
local by_ids = require "smmpanel.call.by_ids"
local sandbox_support = require "spec.support.sandbox"

describe("the option list", function()
  local sandbox

  lazy_setup(function() sandbox = sandbox_support.start { tls = false } end)
  lazy_teardown(function() if sandbox then sandbox.stop() end end)

  local function ids_of(array, field)
    local found = {}
    for i, entry in ipairs(array) do found[i] = entry[field] end
    return found
  end

  for action, field in pairs { status = "order", refill = "order", refill_status = "refill", cancel = "order" } do
    it("returns the entries of '" .. action .. "' in the order asked, each with its " .. field, function()
      local panel = sandbox.panel()
      local asked = { 100, 1, "10", 1, 999999 }
      local array = panel[action](panel, asked, { list = true, batch_size = 2 })
      assert.same(asked, ids_of(array, field))
      assert.equal(5, #array)
      assert.is_string(array[5].error)
      assert.same(asked, ids_of(cjson.decode(cjson.encode(array)), field))
    end)
  end

  it("has the requested id, even if the record has another", function()
    local array = by_ids.array("status", { 7, "8" },
      { [7] = { order = 8, status = "Completed" }, ["8"] = { charge = 1 } })
    assert.same({ { order = 7, status = "Completed" }, { order = "8", charge = 1 } }, array)
  end)

  it("returns an array for JSON even if a whole request failed", function()
    local array, err = sandbox.panel("500-html", { retries = 0 }):cancel({ 1, 10 }, { list = true })
    assert.equal("http", err.kind)
    assert.same({ { 1, true }, { 10, true } },
      { { array[1].order, array[1].uncertain }, { array[2].order, array[2].uncertain } })
    assert.equal(2, #cjson.decode(cjson.encode(array)))
  end)

  it("of no ids is an empty array", function()
    assert.same({}, (sandbox.panel():status({}, { list = true })))
  end)

  it("is for lists only", function()
    local panel = sandbox.panel()
    assert.has_error(function() panel:status(1, { list = true }) end)
    assert.has_error(function() panel:status({ 1 }, { list = true, on_answer = print }) end)
    assert.has_error(function() panel:status({ 1 }, { list = "yes" }) end)
  end)

  it("is not the default: the table keyed by ids is not an array", function()
    assert.is_false((pcall(cjson.encode, (sandbox.panel():status { 23501 }))))
  end)
end)
