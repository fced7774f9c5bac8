-- The sandbox panel without its server: exact money, the documented answers, an order's life by the spec's clock, every
-- unusual shape.
local catalog = require "smmpanel.sandbox.panel.catalog"
local checks = require "smmpanel.sandbox.panel.checks"
local config = require "smmpanel.sandbox.server.config"
local faults = require "smmpanel.sandbox.faults"
local form = require "smmpanel.sandbox.form"
local json = require "smmpanel.sandbox.panel.php_json"
local money = require "smmpanel.sandbox.panel.money"
local orders = require "smmpanel.sandbox.panel.orders"
local panel = require "smmpanel.sandbox.panel"
local shapes = require "smmpanel.sandbox.shapes"

local KEYS = { main = "M", second = "S", empty = "E", inactive = "I" }
local LINK = "&link=https%3A%2F%2Fexample.com%2Fp%2F1"

-- A panel with its clock: `at.now` is the time, `at.ask` sends a request as main, `at.ask_as` as another account.
local function new_panel(options)
  local at = { now = 1000000 }
  local given = { keys = KEYS, now = function() return at.now end }
  for name, value in pairs(options or {}) do given[name] = value end
  at.panel = panel.new(given)
  function at.ask_as(key, fields, ...)
    local asked = {}
    for i, text in ipairs { ... } do
      local name, arg = text:match "^([^:]+):?(.*)$"
      asked[i] = { name = name, arg = arg ~= "" and arg or nil }
    end
    local status, headers, body = at.panel:handle(form.parse("key=" .. key .. "&" .. fields), asked)
    assert.equal(200, status)
    assert.equal("application/json", headers["Content-Type"])
    return body
  end
  function at.ask(fields, ...) return at.ask_as("M", fields, ...) end
  function at.add(fields, ...) return at.ask("action=add&" .. fields, ...):match '"order":"?([%w_]+)' end
  function at.status(id) return at.ask("action=status&order=" .. id) end
  function at.balance() return at.ask("action=balance"):match '"balance":"([%d.]+)"' end
  return at
end

local function amount(text) return assert(money.parse(text)) end

describe("money", function()
  it("reads and writes decimals to the last place", function()
    for _, text in ipairs { "0", "0.27819", "100.84292", "12345678901.2345", "0.00000000001",
                            "92233720368547758079.99999999999" } do
      assert.equal(text, money.text(amount(text)))
    end
    assert.equal("8", money.text(amount "8.00"))
    assert.equal("0.9", money.text(amount "0.90"))
    assert.equal("12", money.text(amount(12)))
  end)

  it("refuses anything but a plain decimal with as many places as it can store", function()
    for _, text in ipairs { "", ".", ".5", "-1", "+1", "1e3", "1,5", "0.000000000001", "x", "1.2.3" } do
      assert.is_nil(money.parse(text), text)
    end
  end)

  it("adds and subtracts across limbs", function()
    assert.equal("1000000", money.text(amount "999999.99999999999" + amount "0.00000000001"))
    assert.equal("999999.99999999999", money.text(amount "1000000" - amount "0.00000000001"))
    assert.equal("0", money.text(amount "7.5" - amount "7.50"))
    assert.has_error(function() return amount "1" - amount "1.00000000001" end,
      "1 - 1.00000000001 would be negative")
  end)

  it("charges exactly, where a double does not", function()
    assert.equal("0.1413", money.text(money.per_thousand(amount "0.90", 157)))
    assert.equal("0.08019666655", money.text(money.per_thousand(amount "0.08011655", 1001)))
    assert.equal("716550", money.text(money.per_thousand(amount "0.71655", 1000000000)))
    assert.equal("99999999123456780", money.text(money.times(amount "99999999.12345678", 1000000000)))
    assert.equal("0", money.text(money.times(amount "5", 0)))
    assert.has_error(function() money.times(amount "1", 1.5) end)
    assert.has_error(function() money.per_thousand(amount "0.000000001", 1) end)
  end)

  it("is additive, and a refund restores the balance", function()
    math.randomseed(7)
    for _ = 1, 300 do
      local rate = amount(("%d.%08d"):format(math.random(0, 5000), math.random(0, 99999999)))
      local p, q = math.random(0, 1000000), math.random(0, 1000000)
      local whole = money.per_thousand(rate, p + q)
      local one, other = money.per_thousand(rate, p), money.per_thousand(rate, q)
      assert.equal(money.text(whole), money.text(one + other))
      assert.equal(money.text(one), money.text(whole - other))
      assert.is_false(whole < one)
    end
  end)
end)

describe("the writer of JSON", function()
  it("keeps the order of fields, the digits of numbers, and PHP's escapes", function()
    assert.equal('{"b":1,"a":"x\\/y","c":[],"d":{},"e":null,"f":true,"g":1.10}',
      json.encode(json.object("b", 1, "a", "x/y", "c", json.array(), "d", json.object(), "e", json.null,
        "f", true, "g", json.literal "1.10")))
    assert.equal('"\\u00e9\\ud83d\\udd25\\n\\u0000\\"\\\\"', json.encode "é🔥\n\0\"\\")
    assert.equal('"é🔥/"', json.encode("é🔥/", { utf8 = true }))
    assert.equal("9007199254740992", json.encode(2 ^ 53))
  end)

  it("writes well-formed text for bytes that are not UTF-8", function()
    assert.equal('"\\u00ffx\\u00e2\\u0082"', json.encode "\255x\226\130")
  end)

  it("sets, drops and renames fields in place", function()
    local object = json.object("a", 1, "b", 2, "none", nil)
    assert.equal('{"z":1,"b":3}', json.encode(object:copy():rename("a", "z"):set("b", 3)))
    assert.equal('{"b":2}', json.encode(object:copy():drop "a"))
    assert.equal('{"a":1,"b":2}', json.encode(object))
  end)

  it("refuses a fraction instead of changing it", function()
    assert.has_error(function() json.encode(1.5) end)
    assert.has_error(function() json.encode {} end)
  end)
end)

describe("the reader of forms", function()
  it("decodes + and percent escapes, once", function()
    assert.same({ a = "1 2", b = "%41é&=", c = "", d = "", [""] = "x", e = "50% off" },
      form.parse "a=1+2&b=%2541%C3%A9%26%3D&c=&d&=x&e=50% off")
    assert.same({ a = "2" }, form.parse "a=1&a=2")
    assert.same({}, form.parse(nil))
  end)
end)

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

describe("an order's life", function()
  local function parts(text)
    return text:match '"status":"([^"]+)"', text:match '"remains":"(%d+)"', text:match '"charge":"([%d.]+)"'
  end
  local function check(at, id, after, status, remains, charge)
    at.now = 1000000 + after
    assert.same({ status, remains, charge }, { parts(at.status(id)) })
  end

  it("follows the clock from Pending to Completed", function()
    local at = new_panel()
    local id = at.add "service=1&link=x&quantity=1000"
    check(at, id, 0, "Pending", "1000", "0.9")
    assert.equal("0", at.status(id):match '"start_count":"(%d+)"')
    check(at, id, 2, "Processing", "1000", "0.9")
    check(at, id, 4, "In progress", "1000", "0.9")
    check(at, id, 17, "In progress", "500", "0.9")
    assert.equal("21168", at.status(id):match '"start_count":"(%d+)"')
    check(at, id, 30, "Completed", "0", "0.9")
    check(at, id, 1e7, "Completed", "0", "0.9")
  end)

  it("ends as Partial, with the rest refunded once", function()
    local at = new_panel()
    local id = at.add "service=19&link=x&quantity=1001"
    assert.equal("99.39928781", at.balance())
    check(at, id, 29, "In progress", "425", "1.44363219")
    check(at, id, 30, "Partial", "401", "0.865314")
    assert.equal("99.977606", at.balance())
    assert.equal("99.977606", at.balance())
  end)

  it("is refunded in full when the panel cancels it, even if nobody requests its status", function()
    local at = new_panel()
    local id = at.add "service=20&link=x&quantity=1000"
    assert.equal("100.18292", at.balance())
    at.now = at.now + 40
    assert.equal("100.84292", at.balance())
    check(at, id, 41, "Canceled", "1000", "0")
  end)

  it("ends as its link says", function()
    local at = new_panel()
    local failed = at.add "service=1&quantity=100&link=x%23ends=In_error"
    local never = at.add "service=1&quantity=100&link=x%23ends=never"
    check(at, failed, 30, "In error", "100", "0")
    check(at, never, 1e9, "In progress", "100", "0.09")
  end)

  it("is ended early by a cancellation, some time after the request", function()
    local at = new_panel()
    local early = at.add "service=1&link=x&quantity=1000"
    assert.equal('[{"order":' .. early .. ',"cancel":1}]', at.ask("action=cancel&orders=" .. early))
    assert.equal('[{"order":' .. early .. ',"cancel":{"error":"Order can\'t be canceled"}}]',
      at.ask("action=cancel&orders=" .. early))
    assert.equal("99.94292", at.balance())
    at.now = at.now + 4
    local late = at.add "service=1&link=x&quantity=1000"
    check(at, early, 5, "Partial", "962", "0.0342")
    at.now = 1000000 + 4 + 12
    at.ask("action=cancel&orders=" .. late)
    check(at, late, 21, "Partial", "500", "0.45")
    assert.equal("100.35872", at.balance())
    local pending = at.add "service=4&link=x&quantity=10&keywords=a"
    at.ask("action=cancel&orders=" .. pending)
    assert.equal('[{"order":2,"cancel":1}]', at.ask "action=cancel&orders=2")
  end)

  it("is cancelled completely if nothing was delivered yet", function()
    local at = new_panel()
    local id = at.add "service=1&link=x&quantity=50"
    at.ask("action=cancel&orders=" .. id)
    check(at, id, 5, "Partial", "49", "0.0009")
    local never = at.add "service=1&quantity=100&link=x%23ends=never"
    at.ask("action=cancel&orders=" .. never)
    check(at, never, 10, "Canceled", "100", "0")
  end)

  it("cannot be cancelled if the service does not allow it, or when it has ended", function()
    local at = new_panel()
    local id = at.add "service=3&link=x"
    assert.truthy(at.ask("action=cancel&orders=" .. id):find "not eligible for cancellation")
    id = at.add "service=1&link=x&quantity=50"
    at.now = at.now + 30
    assert.truthy(at.ask("action=cancel&orders=" .. id):find "can't be canceled")
  end)
end)

describe("a refill", function()
  it("is for completed orders, one at a time, within the refill period", function()
    local at = new_panel()
    local id = at.add "service=1&link=x&quantity=50"
    local refill = "action=refill&order=" .. id
    assert.equal('{"error":"Order is not completed"}', at.ask(refill))
    at.now = at.now + 30
    assert.equal('{"refill":"1"}', at.ask(refill))
    assert.equal('{"error":"Refill was requested already"}', at.ask(refill))
    assert.equal('{"status":"Pending"}', at.ask "action=refill_status&refill=1")
    at.now = at.now + 5
    assert.equal('{"status":"In progress"}', at.ask "action=refill_status&refill=1")
    at.now = at.now + 5
    assert.equal('{"status":"Completed"}', at.ask "action=refill_status&refill=1")
    assert.equal('{"refill":"2"}', at.ask(refill))
    at.now = at.now + 86400 * orders.REFILL_DAYS
    assert.equal('{"error":"Refill days are over"}', at.ask(refill))
  end)

  it("is refused if the service has none, and may be rejected", function()
    local at = new_panel()
    local none = at.add "service=12&link=x&quantity=10&username=u"
    local rejected = at.add "service=1&quantity=50&link=x%23refill=Rejected"
    at.now = at.now + 30
    assert.equal('{"error":"Refill is disabled for this service"}', at.ask("action=refill&order=" .. none))
    at.ask("action=refill&order=" .. rejected)
    at.now = at.now + 10
    assert.equal('{"status":"Rejected"}', at.ask "action=refill_status&refill=1")
  end)
end)

describe("a drip-feed", function()
  it("is paid at once, and places an order each interval", function()
    local at = new_panel()
    local id = at.add "service=1&link=x&quantity=100&runs=3&interval=1"
    assert.equal("100.57292", at.balance())
    assert.equal('{"status":"In progress","runs":"3","orders":["23502"]}', at.status(id))
    assert.equal(1, #at.panel.made)
    at.now = at.now + 119
    assert.equal('{"status":"In progress","runs":"3","orders":["23502","23503"]}', at.status(id))
    at.now = at.now + 31
    assert.equal('{"status":"Completed","runs":"3","orders":["23502","23503","23504"]}', at.status(id))
    assert.equal("0.09", at.status(23503):match '"charge":"([%d.]+)"')
    assert.equal("100.57292", at.balance())
    assert.truthy(at.ask("action=cancel&orders=" .. id):find "not eligible")
    assert.truthy(at.ask("action=refill&order=" .. id):find "not eligible")
  end)
end)

describe("a subscription", function()
  it("places an order for each post, and pays it then", function()
    local at = new_panel()
    local id = at.add "service=16&username=u&min=20&max=20&posts=2&delay=0"
    assert.equal('{"status":"Active","expiry":"","posts":"2","orders":["23502"]}', at.status(id))
    assert.equal("100.83792", at.balance())
    at.now = at.now + 20
    assert.equal("100.83292", at.balance())
    at.now = at.now + 30
    assert.equal('{"status":"Completed","expiry":"","posts":"2","orders":["23502","23503"]}', at.status(id))
  end)

  it("waits for its delay, serves old posts, and ends after its expiry", function()
    local at = new_panel()
    at.now = 86400 * 365
    local id = at.add "service=16&username=u&min=20&max=20&delay=5&old_posts=1&expiry=01%2F01%2F1971"
    assert.equal('{"status":"Active","expiry":"01\\/01\\/1971","posts":"0","orders":["23502"]}',
      at.status(id))
    at.now = at.now + 339
    assert.truthy(at.status(id):find('"orders":["23502","23503"]', 1, true))
    at.now = 86400 * 366 + 1
    assert.equal("Expired", at.status(id):match '"status":"(%a+)"')
  end)

  it("pauses without money, and is limited without an end", function()
    local at = new_panel { balance = "0.009" }
    local id = at.add "service=16&username=u&min=20&max=20&delay=0"
    at.now = at.now + 20
    assert.equal("Paused", at.status(id):match '"status":"(%a+)"')
    at = new_panel()
    id = at.add "service=16&username=u&min=20&max=20&delay=0"
    at.now = at.now + 1e8
    assert.equal(orders.CHILDREN_MAX, select(2, at.status(id):gsub('"%d%d%d%d%d"', "")))
  end)

  it("knows the calendar", function()
    assert.equal(86400, checks.expiry "01/01/1970")
    assert.equal(951868800, checks.expiry "29/02/2000")
    assert.equal(4102444800, checks.expiry "31/12/2099")
    for _, text in ipairs { "", "1/1/70", "32/01/2030", "01/13/2030", "2030/01/01" } do
      assert.is_nil(checks.expiry(text), text)
    end
  end)
end)

describe("a shape", function()
  local ONE = '"charge":"0.27819","start_count":"3572","status":"Partial","remains":"157","currency":"USD"'
  local UNKNOWN = '{"error":"Incorrect order ID"}'
  local SERVICE = '{"service":1,"name":"Followers","type":"Default","category":"First Category",' ..
    '"rate":"0.90","min":"50","max":"10000","refill":true,"cancel":true'
  local MANY = "status&orders=1,3"
  local function flag(yes) return SERVICE:gsub('"refill":.*', '"refill":' .. yes .. ',"cancel":' .. yes) end

  -- The shape as requested, the action, and the beginning of the answer.
  local cases = {
    { "set:status=5", "status&order=1", '{' .. ONE:gsub('"Partial"', "5") .. '}' },
    { "drop:charge", "status&order=1", '{"start_count"' },
    { "rename:charge=cost", "status&order=1", '{"cost":"0.27819","start_count"' },
    { "numbers", "status&order=1",
      '{"charge":0.27819,"start_count":3572,"status":"Partial","remains":157,"currency":"USD"}' },
    { "numbers", "balance", '{"balance":100.84292,"currency":"USD"}' },
    { "numbers", "services", '[' .. SERVICE:gsub('"0.90"', "0.9"):gsub('"(%d+)"', "%1") },
    { "nulls", "status&order=1",
      '{"charge":null,"start_count":null,"status":"Partial","remains":null,"currency":null}' },
    { "counts:+12", "status&order=1", '{' .. ONE:gsub('"3572"', '"+12"'):gsub('"157"', '"+12"') .. '}' },
    { "counts", "status&order=1", '{' .. ONE:gsub('"3572"', '""'):gsub('"157"', '""') .. '}' },
    { "no-currency", "status&order=1", '{' .. ONE:gsub(',"currency":"USD"', "") .. '}' },
    { "success", "balance", '{"balance":"100.84292","currency":"USD","status":"success"}' },
    { "success", "status&order=3", UNKNOWN },
    { "error-null", "balance", '{"balance":"100.84292","currency":"USD","error":null}' },
    { "pretty", "balance", '\n{\n    "balance": "100.84292",\n    "currency": "USD"\n}' },
    { "utf8", "services", '[' .. SERVICE },
    { "services-wrapped", "services", '{"services":[' .. SERVICE },
    { "services-empty-data", "services", '{"status":"success","data":"Empty Data"}' },
    { "services-empty-list", "services", '[]' },
    { "services-empty-object", "services", '{}' },
    { "services-extra", "services", '[' .. SERVICE .. ',"dripfeed":false,"desc":' },
    { "services-other", "services", '[' .. SERVICE .. ',"drip_feed":"1","description":null,' },
    { "services-no-type", "services", '[' .. SERVICE:gsub('"type":"Default",', "") },
    { "services-no-category", "services", '[' .. SERVICE:gsub('"First Category"', "null") },
    { "services-snake", "services", '[' .. SERVICE:gsub("Default", "default") },
    { "services-lower", "services", '[' .. SERVICE:gsub("Default", "default") },
    { "services-text-ids", "services", '[' .. SERVICE:gsub('"service":1', '"service":"1"') },
    { "flags-numbers", "services", '[' .. flag "1" },
    { "flags-digits", "services", '[' .. flag '"1"' },
    { "flags-words", "services", '[' .. flag '"true"' },
    { "flags-three", "services", '[' .. flag "3" },
    { "flags-text", "services", '[' .. flag '"30 days"' },
    { "id:92233720368547758079", "add", '{"order":92233720368547758079}' },
    { "id:opaque", "add", '{"order":"ord_01HG00005BCD"}' },
    { "add-text", "add", '{"order":"23501"}' },
    { "add-extra", "add", '{"status":"success","message":"Order placed","order":23501,"charge":"0.045",' ..
      '"start_count":"0","remaining_balance":"100.79792","currency":"USD"}' },
    { "add-100", "add", '{"status":100,"order":23501}' },
    { "add-no-id", "add", '{"status":"success","message":"Order scheduled"}' },
    { "add-order_id", "add", '{"order_id":23501}' },
    { "add-id", "add", '{"id":23501}' },
    { "order-echoed", "status&order=1", '{' .. ONE .. ',"order":1}' },
    { "order-differs", MANY, '{"1":{' .. ONE .. ',"order":777},"3":' .. UNKNOWN .. '}' },
    { "start-null", "status&order=1", '{' .. ONE:gsub('"3572"', "null") .. '}' },
    { "state:Inprogress", "status&order=1", '{' .. ONE:gsub("Partial", "Inprogress") .. '}' },
    { "states-numbers", "status&order=1", '{' .. ONE:gsub('"Partial"', "3") .. '}' },
    { "states-snake", "status&order=100", '{"charge":"1.44219","start_count":"234","status":"in_progress",' },
    { "status-bare", MANY, '{"1":{' .. ONE .. '},"3":"Incorrect order ID"}' },
    { "status-bare", "status&orders=0,1", '["Incorrect order ID",{' .. ONE .. '}]' },
    { "status-list", MANY, '[{"error":"Incorrect order ID","order":3},{' .. ONE .. ',"order":1}]' },
    { "status-list-no-ids", MANY, '[{' .. ONE .. '},' .. UNKNOWN .. ']' },
    { "status-none", MANY, '[]' },
    { "status-none", "status&order=1", '{' .. ONE .. '}' },
    { "status-php", "status&orders=0,1", '[' .. UNKNOWN .. ',{' .. ONE .. '}]' },
    { "ids-left-out", MANY, '{"1":{' .. ONE .. '}}' },
    { "ids-left-out", "status&orders=3,4", '[]' },
    { "ids-left-out", "cancel&orders=2,3", '[{"order":2,"cancel":1}]' },
    { "ids-cut:1", MANY, '{"1":{' .. ONE .. '}}' },
    { "ids-max:1", MANY, '{"error":"Maximum 1 order IDs in one request"}' },
    { "refill-number", "refill&order=1", '{"refill":1}' },
    { "refill-nested-error", "refill&order=3", '{"refill":' .. UNKNOWN .. '}' },
    { "refill_status-nested-error", "refill_status&refill=7", '{"status":{"error":"Refill not found"}}' },
    { "refill_status-list", "refill_status&refill=1", '[{"refill":1,"status":"Completed"}]',
      "refill&order=1" },
    { "refill_status-keyed", "refill_status&refills=1,7",
      '{"1":{"status":"Completed"},"7":{"error":"Refill not found"}}', "refill&order=1" },
    { "refill_status-prefix", "refill_status&refill=1", '{"status":"tasks.status.completed"}',
      "refill&order=1" },
    { "cancel-keyed", "cancel&orders=2,9", '{"2":{"cancel":"requested"},"9":' .. UNKNOWN .. '}' },
    { "cancel-rows", "cancel&orders=2,9",
      '[{"order":2,"cancel":1},{"order":9,"error":"Incorrect order ID"}]' },
    { "cancel-zero", "cancel&orders=2,9", '[{"order":2,"cancel":1},{"order":9,"cancel":0}]' },
    { "error-msg", "status&order=3", '{"status":"error","msg":"Incorrect order ID"}' },
    { "error-message", "status&order=3", '{"status":"error","message":"Incorrect order ID"}' },
    { "error-reason", "status&order=3", '{"status":"error","reason":"Incorrect order ID"}' },
    { "error-code", "status&order=3", '{"error":"Incorrect order ID","code":"E104"}' },
    { "error-status", "status&order=3", '{"error":"Incorrect order ID","status":"104"}' },
    { "error-errors", "status&order=3", '{"errors":["Incorrect order ID"]}' },
    { "error-in-list", "status&order=3", '[' .. UNKNOWN .. ']' },
    { "error-msg", "balance", '{"balance":"100.84292","currency":"USD"}' },
    { "wrapped", "balance", '{"success":true,"data":{"balance":"100.84292","currency":"USD"}}' },
    { "wrapped", "status&order=3", '{"success":false,"data":{"message":"Incorrect order ID"}}' },
    { "wrapped-status", MANY, '{"status":"success","result":{"1":{' .. ONE .. '},"3":' .. UNKNOWN .. '}}' },
    { "list-of-one", "balance", '[{"balance":"100.84292","currency":"USD"}]' },
    { "list-of-one", "cancel&orders=2,9", '[[{"order":2,"cancel":1},{"order":9,"cancel":' .. UNKNOWN .. '}]]' },
    { "single-keys", MANY, '[{"1":{' .. ONE .. '}},{"3":' .. UNKNOWN .. '}]' },
    { "json-string", "balance", [["{\"balance\":\"100.84292\",\"currency\":\"USD\"}"]] },
    { "capital-keys", "balance", '{"Balance":"100.84292","Currency":"USD"}' },
    { "start-counter", "status&order=1", '{' .. ONE:gsub("start_count", "start_counter") .. '}' },
    { "php-money", "balance", '{"balance":"100.84292","currency":"USD"}' },
    { "add-data-id", "add", '{"status":true,"data":{"id":23501}}' },
    { "add-orders", "add", '{"orders":[23501]}' },
    { "add-bare-success", "add", '{"success":true,"message":"Thank you"}' },
    { "cancel-echo", "cancel&orders=2,9", '[{"order":2,"cancel":2},{"order":9,"cancel":' .. UNKNOWN .. '}]' },
    { "error-detail", "status&order=3", '{"detail":"Incorrect order ID"}' },
    { "error-pair", "status&order=3", '{"error":"E104","message":"Incorrect order ID"}' },
    { "error-string", "status&order=3", '"Incorrect order ID"' },
    { "error-with-order", "add", '{"error":"Could not be saved","order":23501}' },
    { "language:fr", "status&order=3", '{"error":"Commande introuvable"}' },
    { "language:de", "status&order=2",
      '{"charge":"0.9","start_count":"500","status":"In Arbeit","remains":"400","currency":"USD"}' },
    { "localised", MANY, '{"1":{' .. ONE .. '},"3":{"error":"Hatal\\u0131 sipari\\u015f numaras\\u0131"}}' },
  }

  local covered = {}
  for _, case in ipairs(cases) do
    local shape, action, expected, before = case[1], case[2], case[3], case[4]
    covered[shape:match "^[^:]+"] = true
    it(shape .. " for " .. action, function()
      local at = new_panel()
      if before then at.ask("action=" .. before) end
      local fields = action == "add" and "add&service=1&quantity=50&link=x" or action
      local body = at.ask("action=" .. fields, shape)
      local whole = expected:find "[%]}]$"
      assert.equal(expected, whole and body or body:sub(1, #expected))
    end)
  end

  it("each is covered here, and in the README", function()
    local readme = io.open("lua/smmpanel/sandbox/README.md"):read "*a"
    for _, list in ipairs { shapes.list, faults.list } do
      for _, entry in ipairs(list) do
        local row = ("| `%s` | %s |"):format(entry.name, entry.what)
        assert.truthy(readme:find(row, 1, true), "not in the README: " .. row)
      end
    end
    for _, entry in ipairs(shapes.list) do
      assert.is_true(covered[entry.name:match "^[^:]+"], entry.name .. " has no case")
    end
  end)

  it("leaves the documented catalogue unchanged, and combines with others", function()
    local at = new_panel()
    local before = at.ask "action=services"
    at.ask("action=services", "services-wrapped", "numbers", "nulls")
    local expected = '{"services":[{"service":"1","name":"Followers","type":"Default",' ..
      '"category":"First Category","rate":0.9,'
    assert.equal(expected, at.ask("action=services", "services-wrapped", "numbers",
      "services-text-ids"):sub(1, #expected))
    assert.equal(before, at.ask "action=services")
  end)

  it("gives an order the requested id, and finds it by this id", function()
    local at = new_panel()
    assert.equal('{"order":9007199254740993}', at.ask("action=add&service=1&quantity=50&link=x",
      "id:9007199254740993"))
    assert.truthy(at.status "9007199254740993":find "Pending")
  end)
end)

describe("a list of faults", function()
  local function plan(text, counts)
    local specs, problem = faults.parse(text)
    assert.is_nil(problem)
    return assert(faults.plan(faults.due(specs, counts or {})))
  end

  it("is read with arguments and counts", function()
    local made = plan "latency:0.3,cut:10,bom,numbers,set:remains=%221%2C5%22"
    assert.equal(0.3, made.latency)
    assert.same({ "cut", 10 }, { made.way, made.pace })
    assert.same({ "\239\187\191" }, made.before)
    assert.same({ { name = "numbers" }, { name = "set", arg = 'remains="1,5"' } }, made.shapes)
    assert.same({}, plan(nil).shapes)
    assert.equal("a,b", plan("error:a%2Cb").answer.body:match '"error":"(.*)"')
    assert.equal(503, plan("503-html").answer.status)
    assert.equal("text/html; charset=UTF-8", plan("503-html").answer.type)
    assert.equal("", plan("500-empty").answer.body)
  end)

  it("applies by its own count", function()
    local counts, seen = {}, {}
    for i = 1, 6 do
      local made = plan("500@2,html@4-5,bom@6-", counts)
      seen[i] = made.answer and made.answer.status or #made.before
    end
    assert.same({ 500, 500, 0, 200, 200, 1 }, seen)
  end)

  it("is refused if it names an unknown fault", function()
    for _, text in ipairs { "nosuch", "500-jpeg", "600", "CODE", "lost@x", "lost@" } do
      local specs, problem = faults.parse(text)
      assert.same({}, specs)
      assert.truthy(problem:find "unknown fault", text)
    end
    local _, problem = faults.parse "lost@1-2-3"
    assert.equal("@1-2-3 is not a range of requests: write @2, @3-5 or @3-", problem)
    local made
    made, problem = faults.plan((faults.parse "latency:soon"))
    assert.is_nil(made)
    assert.equal("latency:soon: soon is not a number", problem)
    _, problem = faults.plan((faults.parse "status"))
    assert.equal("status: a number is needed", problem)
  end)

  it("has a rate limit by the clock", function()
    local windows, limit = {}, { count = 2, seconds = 10 }
    local headers, refused = faults.limited(windows, "a", limit, 100)
    assert.is_false(refused)
    assert.same({ ["X-RateLimit-Limit"] = "2", ["X-RateLimit-Remaining"] = "1",
                  ["X-RateLimit-Reset"] = "110" }, headers)
    assert.is_false(select(2, faults.limited(windows, "a", limit, 101)))
    headers, refused = faults.limited(windows, "a", limit, 103.5)
    assert.is_true(refused)
    assert.equal("7", headers["Retry-After"])
    assert.is_false(select(2, faults.limited(windows, "b", limit, 103.5)))
    assert.is_false(select(2, faults.limited(windows, "a", limit, 110)))
  end)
end)

describe("the server's configuration", function()
  it("has all its values, and no placeholder remains", function()
    local place = { dir = "/tmp/x", lua = "/l", nginx = "/n", modules = { "/m/a.so" }, port = 20001, token = "abc",
                    tls_port = 20002 }
    local text = config.nginx(place)
    assert.truthy(text:find('load_module "/m/a.so";', 1, true))
    assert.truthy(text:find("listen 127.0.0.1:20001;", 1, true))
    assert.truthy(text:find("listen 127.0.0.1:20002 ssl http2;", 1, true))
    assert.is_nil(text:find "%${")
    assert.is_nil(config.watcher(place):find "%${%w")
    place.tls_port = nil
    assert.is_nil(config.nginx(place):find "ssl")
    assert.is_nil(config.watcher(place):find "openssl")
  end)

  it("passes the options on as Lua, with any contents", function()
    local options = { balance = "1.5", services = 10, keys = { main = 'a"b\\\n', second = "x" } }
    local load_text = loadstring or load
    assert.same(options, load_text(config.options(options))())
  end)
end)
