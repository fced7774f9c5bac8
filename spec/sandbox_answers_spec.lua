-- The sandbox panel's documented answers, its catalogue, and the price and refusal of a new order.
local catalog = require "smmpanel.sandbox.panel.catalog"
local checks = require "smmpanel.sandbox.panel.checks"
local new_panel = require "spec.support.sandbox_panel"

local LINK = "&link=https%3A%2F%2Fexample.com%2Fp%2F1"

describe("the documented answers", function()
  it("match the documentation exactly", function()
    local at = new_panel()
    local services = at.ask "action=services"
    assert.equal('[{"service":1,"name":"Followers","type":"Default","category":"First Category",' ..
      '"rate":"0.90","min":"50","max":"10000","refill":true,"cancel":true},{"service":2,"name":"Comments",' ..
      '"type":"Custom Comments","category":"Second Category","rate":"8","min":"10","max":"1500",' ..
      '"refill":false,"cancel":true},', services:sub(1, 296))
    assert.equal('{"balance":"100.84292","currency":"USD"}', at.ask "action=balance")
    assert.equal('{"charge":"0.27819","start_count":"3572","status":"Partial","remains":"157",' ..
      '"currency":"USD"}', at.status(1))
    assert.equal('{"1":{"charge":"0.27819","start_count":"3572","status":"Partial","remains":"157",' ..
      '"currency":"USD"},"10":{"error":"Incorrect order ID"},"100":{"charge":"1.44219",' ..
      '"start_count":"234","status":"In progress","remains":"10","currency":"USD"}}',
      at.ask "action=status&orders=1,10,100")
    assert.equal('{"order":23501}', at.ask("action=add&service=1&quantity=1000" .. LINK))
    assert.equal('{"refill":"1"}', at.ask "action=refill&order=1")
    assert.equal('[{"order":1,"refill":2},{"order":3,"refill":{"error":"Incorrect order ID"}}]',
      at.ask "action=refill&orders=1,3")
    assert.equal('{"status":"Completed"}', at.ask "action=refill_status&refill=1")
    assert.equal('[{"refill":1,"status":"Completed"},{"refill":3,"status":{"error":"Refill not found"}}]',
      at.ask "action=refill_status&refills=1,3")
    assert.equal('[{"order":9,"cancel":{"error":"Incorrect order ID"}},{"order":2,"cancel":1}]',
      at.ask "action=cancel&orders=9,2")
  end)

  it("explain what is wrong with a request", function()
    local at = new_panel()
    assert.equal('{"error":"Invalid API key"}', at.ask_as("nobody", "action=balance"))
    assert.equal('{"error":"Invalid API key"}', at.ask_as("", "action=balance"))
    assert.equal('{"error":"Your account is inactive"}', at.ask_as("I", "action=balance"))
    for _, fields in ipairs { "", "action=", "action=Balance", "action=nosuch", "action=status",
                              "action=refill", "action=refill_status", "action=cancel" } do
      assert.equal('{"error":"Incorrect request"}', at.ask(fields), fields)
    end
    assert.equal('{"error":"Incorrect request"}', select(3, at.panel:handle {}))
    assert.equal('{"error":"Incorrect request"}', select(3, at.panel:handle { action = "balance" }))
    assert.equal('{"error":"Incorrect order ID"}', at.ask "action=status&order=abc")
    assert.equal('{"error":"Incorrect order ID"}', at.ask "action=refill&order=9")
    assert.equal('{"error":"Refill not found"}', at.ask "action=refill_status&refill=9")
    assert.equal(2, at.panel.wrong_keys)
  end)

  it("accept 100 ids and no more, each once", function()
    local at, ids = new_panel(), {}
    for i = 1, 100 do ids[i] = 5000 + i end
    local text = "action=status&orders=" .. table.concat(ids, ",")
    assert.equal(100, select(2, at.ask(text):gsub("Incorrect order ID", "")))
    assert.equal(100, select(2, at.ask(text .. ",5001"):gsub("Incorrect order ID", "")))
    assert.equal('{"error":"Maximum 100 order IDs in one request"}', at.ask(text .. ",4999"))
    assert.equal('{"":{"error":"Incorrect order ID"}}', at.ask "action=status&orders=,,")
  end)

  it("carry nothing out for ids that are too many, or truncated", function()
    local at, ids = new_panel(), { 2 }
    for i = 1, 100 do ids[#ids + 1] = 5000 + i end
    assert.truthy(at.ask("action=cancel&orders=" .. table.concat(ids, ",")):find "Maximum 100")
    assert.equal('[{"order":9,"cancel":{"error":"Incorrect order ID"}}]',
      at.ask("action=cancel&orders=9,2", "ids-cut:1"))
    at.ask("action=refill&orders=9,1", "ids-cut:1")
    assert.equal('[{"order":2,"cancel":1}]', at.ask "action=cancel&orders=2")
    assert.equal('{"refill":"1"}', at.ask "action=refill&order=1")
  end)

  it("separate accounts", function()
    local at = new_panel()
    local id = at.add("service=1&quantity=50" .. LINK)
    assert.equal('{"error":"Incorrect order ID"}', at.ask_as("S", "action=status&order=" .. id))
    assert.equal('{"error":"Incorrect order ID"}', at.ask_as("S", "action=refill&order=1"))
    at.ask "action=refill&order=1"
    assert.equal('{"error":"Refill not found"}', at.ask_as("S", "action=refill_status&refill=1"))
    assert.equal('{"balance":"100.84292","currency":"USD"}', at.ask_as("S", "action=balance"))
    assert.equal('{"balance":"0","currency":"USD"}', at.ask_as("E", "action=balance"))
  end)
end)

describe("the catalogue", function()
  it("has every type, each with a rule of the panel", function()
    local types, count = {}, 0
    for _, service in ipairs(catalog.new()) do
      assert.is_true(checks.knows(service.type), service.type)
      count = count + (types[service.type] and 0 or 1)
      types[service.type] = true
    end
    assert.equal(17, count)
  end)

  it("grows to any size, the same each time, with realistic texts", function()
    local one, other = new_panel { services = 2000 }, new_panel { services = 2000 }
    local text = one.ask "action=services"
    assert.equal(text, other.ask "action=services")
    assert.equal(2000, select(2, text:gsub('"service":', "")))
    assert.is_true(#text / 2000 > 220 and #text / 2000 < 320, "bytes a service: " .. #text / 2000)
    assert.is_nil(text:find "[\128-\255]")
    assert.truthy(text:find("\\ud83d", 1, true))
    assert.equal("2000", one.ask("action=add&service=2000&quantity=1" .. LINK):match "minimal" and "2000")
  end)
end)

describe("a new order", function()
  -- By service: its fields, and which of them may be missing.
  local examples = {
    [1] = { "quantity=50", "link=x" }, [3] = { "link=x" }, [4] = { "link=x", "quantity=10", "keywords=a" },
    [2] = { "link=x", "comments=1%0A2%0A3%0A4%0A5%0A6%0A7%0A8%0A9%0A10" }, [5] = { "link=x", "comments=a" },
    [6] = { "link=x", "quantity=20", "usernames=a", "hashtags=b" },
    [7] = { "link=x", "quantity=20", "usernames=a" },
    [8] = { "link=x", "usernames=a" }, [9] = { "link=x", "quantity=20", "hashtag=a" },
    [10] = { "link=x", "quantity=20", "username=u" }, [11] = { "link=x", "quantity=20", "media=m" },
    [12] = { "link=x", "quantity=10", "username=u" }, [13] = { "link=x", "username=u", "comments=a" },
    [14] = { "link=x", "quantity=10", "answer_number=2" }, [15] = { "link=x", "quantity=100", "groups=g" },
    [16] = { "username=u", "min=20", "max=30", "delay=0" },
    [17] = { "link=x", "quantity=500", "country=US", "device=1", "type_of_traffic=3" },
  }

  it("of each type is accepted with the fields that the type requires, and not without any of them", function()
    local at = new_panel { balance = "1000" }
    for service, fields in pairs(examples) do
      local all = ("action=add&service=%d&%s"):format(service, table.concat(fields, "&"))
      assert.truthy(at.ask(all):match '^{"order":%d+}$', all)
      for _, field in ipairs(fields) do
        local less = (all .. "&"):gsub("&" .. field:gsub("%p", "%%%0") .. "&", "&")
        assert.truthy(at.ask(less):match '^{"error":"[^"]+"}$', less)
      end
    end
  end)

  it("is refused with the documented texts", function()
    local at = new_panel()
    local function refused(text, fields)
      assert.equal('{"error":"' .. text .. '"}', at.ask("action=add&" .. fields), fields)
    end
    refused("Incorrect service ID", "link=x&quantity=100")
    refused("Incorrect service ID", "service=999&link=x&quantity=100")
    refused("Incorrect service ID", "service=1abc&link=x&quantity=100")
    refused("Bad link", "service=1&quantity=100")
    refused("Bad link", "service=1&quantity=100&link=+")
    refused("Quantity is required", "service=1&link=x")
    refused("Quantity less than minimal 50", "service=1&link=x&quantity=49")
    refused("Quantity more than maximal 10000", "service=1&link=x&quantity=10001")
    for _, quantity in ipairs { "1e3", "100.5", "-100", "%2B100", "0x64", "9999999999" } do
      refused("Quantity must be a whole number", "service=1&link=x&quantity=" .. quantity)
    end
    refused("Not enough funds on balance", "service=1&link=x&quantity=10000&runs=12&interval=1")
    refused("Required parameter is missing: comments", "service=2&link=x&comments=%0A+%0D%0A")
    refused("Quantity less than minimal 10", "service=2&link=x&comments=a%0A%0Ab%0D%0A")
    refused("Required parameter is missing: google_keyword",
      "service=17&link=x&quantity=500&country=US&device=1&type_of_traffic=1")
    refused("Required parameter is missing: referring_url",
      "service=17&link=x&quantity=500&country=US&device=1&type_of_traffic=2")
    refused("Incorrect device", "service=17&link=x&quantity=500&country=US&device=6&type_of_traffic=3")
    refused("Incorrect answer number", "service=14&link=x&quantity=10&answer_number=two")
    refused("This service does not support drip-feed",
      "service=12&username=u&link=x&quantity=10&runs=2&interval=5")
    refused("Required parameter is missing: interval", "service=1&link=x&quantity=50&runs=2")
    refused("Required parameter is missing: runs", "service=1&link=x&quantity=50&interval=2")
    refused("Incorrect runs", "service=1&link=x&quantity=50&runs=0&interval=2")
    refused("Incorrect delay", "service=16&username=u&min=20&max=30&delay=7")
    refused("Incorrect expiry", "service=16&username=u&min=20&max=30&delay=5&expiry=2030-01-31")
    refused("Incorrect quantity: min and max must be whole numbers, min the smaller",
      "service=16&username=u&min=30&max=20&delay=5")
    assert.equal("100.84292", at.balance())
  end)

  it("costs exactly its price, and an account can be emptied to the last decimal", function()
    local at = new_panel { balance = "0.0900000001" }
    assert.truthy(at.add "service=1&link=x&quantity=100")
    assert.equal("0.0000000001", at.balance())
    at = new_panel()
    at.add "service=18&link=x&quantity=101" -- 0.00071655 * 101 / 1000
    assert.equal("100.84284762845", at.balance())
    for _ = 1, 1000 do at.add "service=18&link=x&quantity=101" end
    assert.equal("100.77047607845", at.balance())
    at = new_panel()
    at.add "service=3&link=x"
    assert.equal("88.34292", at.balance())
    assert.equal('{"error":"Not enough funds on balance"}',
      at.ask_as("E", "action=add&service=1&link=x&quantity=50"))
  end)

  it("waits for another order for the same link, if the service requires it", function()
    local at = new_panel()
    at.add "service=21&link=x&quantity=50"
    assert.truthy(at.ask("action=add&service=21&link=x&quantity=50"):find "active order with this link")
    assert.truthy(at.add "service=21&link=y&quantity=50")
    at.now = at.now + 31
    assert.truthy(at.add "service=21&link=x&quantity=50")
  end)
end)
