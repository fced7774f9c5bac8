-- No digit of an id or an amount is lost, on either Lua, in any locale.
local failures = require "smmpanel.ledger.failures"
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"

local has_integers = math.type ~= nil

describe("PROTOCOL 'Ids and values': exact", function()
  local sandbox
  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox.stop() end)

  local function order_of(id)
    local panel = sandbox.panel("id:" .. id)
    return assert(panel:add { service = 1, link = "https://e.com/", quantity = 50 }).order
  end

  it("an id of 54 bits", function()
    local id = order_of "9007199254740993"
    if has_integers then
      assert.equal("integer", math.type(id))
      assert.equal("9007199254740993", ("%d"):format(id))
    else
      assert.equal("9007199254740993", id)
    end
  end)

  it("an id beyond 64 bits is text", function()
    assert.equal("92233720368547758079", order_of "92233720368547758079")
  end)

  it("a long id in the message of an order that the ledger could not store", function()
    local err = failures.not_kept("a", { order = 1700000000000123 }, "full", "disk full")
    assert.matches("the panel made order 1700000000000123 ", err.message, 1, true)
    assert.matches("call panel:resolve(ref, 1700000000000123)", err.message, 1, true)
  end)

  it("an opaque id is text, and can be requested", function()
    local id = order_of "opaque"
    assert.equal("string", type(id))
    local record, err = sandbox.panel(""):status(id)
    assert.is_nil(err)
    assert.equal("USD", record.currency)
  end)

  it("an answer is read only by its own call, whatever was read before it", function()
    local exact, plain = sandbox.panel("", { decimals = "string" }), sandbox.panel ""
    local broken = sandbox.panel("tail", { retries = 0 })
    for _ = 1, 10 do
      assert.equal("string", type(exact:balance().balance))
      assert.equal("number", type(plain:balance().balance))
      assert.equal("response", select(2, broken:balance()).kind)
      local records = smmpanel.all {
        function() return plain:services()[1] end, function() return exact:services()[1] end,
        function() return plain:balance() end,
      }
      assert.equal("number", type(records[1].rate))
      assert.equal("string", type(records[2].rate))
      assert.equal("USD", records[3].currency)
      assert.is_nil(records[3].service)
    end
  end)

  it("counts and ids are integers, money is not", function()
    local panel = sandbox.panel ""
    local record = assert(panel:status(order_of "77"))
    local service = assert(panel:services())[1]
    if not has_integers then return assert.equal(0, record.remains % 1) end
    local integers = { record.remains, record.start_count, service.service, service.min, service.max }
    for _, value in ipairs(integers) do
      assert.equal("integer", math.type(value))
    end
    assert.equal("float", math.type(record.charge))
    assert.equal("float", math.type(service.rate))
  end)

  it("amounts are as the panel wrote them, on request", function()
    local panel = sandbox.panel("set:balance=0.10000000000", { decimals = "string" })
    assert.equal("0.10000000000", assert(panel:balance()).balance)
    local url = sandbox.url_with "body:%7B%22balance%22:1.2345678901234568e%252B18%7D"
    local text = smmpanel.new { url = url, key = "k", decimals = "string" }
    assert.equal("1.2345678901234568e+18", assert(text:balance()).balance)
  end)

  it("in a locale with a decimal comma", function()
    local panel = sandbox.panel ""
    local before, plain = os.setlocale(nil), assert(panel:balance())
    if not os.setlocale "de_DE.UTF-8" then
      return pending "the locale de_DE.UTF-8 is not installed here"
    end
    local balance, err = panel:balance()
    panel:add { service = 1, link = "https://e.com/", quantity = 50.0, extra = 0.5 }
    os.setlocale(before)
    assert.is_nil(err)
    assert.is_true(plain.balance % 1 > 0)
    assert.equal(plain.balance, balance.balance)
    local requests = sandbox.counts().last
    local fields = requests[#requests].fields
    assert.equal("0.5", fields.extra)
    assert.equal("50", fields.quantity)
  end)
end)
