-- What a ledger stores of an order: its record as text, and a fingerprint of its fields.
local json = require "smmpanel.util.json"
local once = require "smmpanel.ledger.place_once"
local schemas = require "smmpanel.api.schemas"

describe("a record in a ledger", function()
  it("is restored unchanged", function()
    local records = {
      { order = 23501 }, { order = "ord_01HG", status = "success" }, { order = "9007199254740993123456" },
      { charge = 0.1, remaining_balance = 1e-7, n = 0.30000000000000004, m = 1.5e300, z = -0.25 },
      { message = 'a "quote" \\ \n\t\127 é \0 end', flag = true, other = false },
      { list = { 1, 2, 3 }, names = { "a", "b" }, nested = { { x = 1 }, { y = { 1 } } } },
    }
    for _, made in ipairs(records) do assert.same(made, json.decode_record(json.encode(made), schemas.add)) end
    if math.type then
      local again = json.decode_record(json.encode { order = math.maxinteger }, schemas.add)
      assert.equal("integer", math.type(again.order))
    end
  end)

  it("is the same text for the same record", function()
    assert.equal('{"a":1,"b":0.5,"c":"x"}', json.encode { c = "x", b = 0.5, a = 1 })
  end)

  it("has money in the form of the panel's current option", function()
    assert.equal("0.27819", json.decode_record('{"charge":"0.27819"}', schemas.add, "string").charge)
    assert.equal(0.27819, json.decode_record('{"charge":"0.27819"}', schemas.add, "number").charge)
  end)
end)

describe("an order's fingerprint", function()
  it("is the same in every Lua", function()
    assert.equal("1-2b8511f43bdab490198ccb78",
      once.fingerprint("example.com/api/v2", { "service", "1", "comments", { "a", "b" } }))
  end)

  it("does not collide among many similar orders", function()
    local seen = {}
    for i = 1, 20000 do
      local print = once.fingerprint("example.com", { "service", "1", "link", "https://example.com/" .. i })
      assert.is_nil(seen[print])
      seen[print] = true
    end
  end)
end)
