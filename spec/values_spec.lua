-- The decoder's value for a field, by its name and the action.
local corpus = require "spec.support.json_corpus"

local assert_value, decoded = corpus.assert_value, corpus.decoded
local has_integers = math.type ~= nil

-- Returns the value of one field; `json` is the text after the colon.
local function field(action, name, json, decimals)
  return decoded(('{"%s":%s}'):format(name, json), action, decimals)[name]
end

-- An integer on 5.4, a whole number elsewhere.
local function assert_integer(expected, value, context)
  assert.equal(expected, value, context)
  if has_integers then assert.equal("integer", math.type(value), context) end
end

local function assert_float(expected, value, context)
  assert.equal(expected, value, context)
  if has_integers then assert.equal("float", math.type(value), context) end
end

local fields = {
  id = {
    services = { "service", "id" }, add = { "order", "order_id", "id" }, status = { "order", "id", "orders" },
    refill = { "order", "refill" }, refill_status = { "order", "refill" }, cancel = { "order", "cancel" },
  },
  money = {
    services = { "rate" }, add = { "charge", "balance", "remaining_balance" }, status = { "charge" },
    balance = { "balance" },
  },
  count = {
    services = { "min", "max" }, add = { "start_count", "remains" },
    status = { "start_count", "remains", "posts", "runs", "quantity" },
  },
  flag = { services = { "refill", "cancel", "dripfeed", "drip_feed" } },
}

local function each_field(kind, test)
  for action, names in pairs(fields[kind]) do
    for _, name in ipairs(names) do test(action, name, action .. "." .. name) end
  end
end

describe("PROTOCOL 'Ids and values': an id", function()
  it("is an integer, as text or number", function()
    each_field("id", function(action, name, context)
      for _, text in ipairs { "23501", "0", "1", "-7", "9007199254740991", "-9007199254740991" } do
        assert_integer(tonumber(text), field(action, name, text), context)
        assert_integer(tonumber(text), field(action, name, '"' .. text .. '"'), context)
      end
    end)
  end)

  it("stays text if an integer would lose information", function()
    local texts = { "0012", "00", "-0", "-012", "+5", " 5", "5 ", "", "ord_01HG", "1.0", "1e3", "0x10",
      "12a", "-", "--1", "1,5" }
    each_field("id", function(action, name, context)
      for _, text in ipairs(texts) do assert_value(text, field(action, name, '"' .. text .. '"'), context) end
      for _, text in ipairs { "1.0", "1.5", "1e3", "-0", "2E0" } do
        assert_value(text, field(action, name, text), context)
      end
    end)
  end)

  it("loses no digit", function()
    for _, text in ipairs { "92233720368547758079", "18446744073709551616", ("9"):rep(400),
      "-9223372036854775809" } do
      assert_value(text, field("add", "order", text))
      assert_value(text, field("add", "order", '"' .. text .. '"'))
    end
  end)

  it("is an integer up to the limits of Lua's integers", function()
    local limits = { "9007199254740993", "9223372036854775807", "-9223372036854775808", "-9007199254740993" }
    for _, text in ipairs(limits) do
      for _, json in ipairs { text, '"' .. text .. '"' } do
        local value = field("add", "order", json)
        if has_integers then
          assert.equal("integer", math.type(value))
          assert.equal(text, ("%d"):format(value))
        else
          assert.equal(text, value)
        end
      end
    end
    assert_integer(2 ^ 53, field("add", "order", "9007199254740992"))
    assert_integer(-2 ^ 53, field("add", "order", "-9007199254740992"))
  end)

  it("has its type in a list too", function()
    assert.same({ 1, "0002", 3, "x" }, field("status", "orders", '["1","0002",3,"x"]'))
    assert.same({ { 1 }, 2 }, field("status", "orders", '[["1"],2]'))
  end)

  it("of a cancel can be a word, an object or a flag", function()
    assert.equal("requested", field("cancel", "cancel", '"requested"'))
    assert.is_true(field("cancel", "cancel", "true"))
    assert.same({ error = "Incorrect order ID" }, field("cancel", "cancel", '{"error":"Incorrect order ID"}'))
    assert_integer(0, field("cancel", "cancel", "0"))
  end)
end)

-- Texts that are not decimals, and so stay text.
local odd = { "$5", "1,234,56", "1.234,5,6", "+5", "NaN", "nan", "inf", "Infinity", "-", "-inf", "0x10",
  " 1", "1 ", "1_0", "1.", "1.e2", ".", "e5", "1e", "1e+", "--1", "1.2.3", "1e5.5", "5 USD", "-.",
  "1\\u0000" }

local function assert_odd_text_stays(kind)
  each_field(kind, function(action, name, context)
    for _, text in ipairs(odd) do
      local expected = text:gsub("\\u0000", "\0")
      assert_value(expected, field(action, name, '"' .. text .. '"'), context)
    end
  end)
end

describe("PROTOCOL 'Ids and values': money", function()
  it("is a number, correctly rounded", function()
    local texts = { "0.27819", "100.84292", "0.9", "0.90", "1.1e-5", "0.30000000000000004", "0", "0.0000",
      "-3.5", "1E2", "0.08011655652", "1.2345678901234568e+18", "9007199254740993", "9007199254740992.5",
      "0.1e-7", "1e22", "1e23", "1e-23", "123456789012345678901234567890.123456789", "5e-324",
      "2.4703282292062328e-324", "1.7976931348623157e308", "2.2250738585072011e-308", "9007199254740991e22",
      "8.5e-23", "0.000000000000000000000000000000000000000001",
      "1.00000000000000011102230246251565404236316680908203125", "1" .. ("0"):rep(300),
      "0." .. ("0"):rep(300) .. "1", "1e-400" }
    each_field("money", function(action, name, context)
      for _, text in ipairs(texts) do
        assert_float(tonumber(text) + 0.0, field(action, name, text), context .. " " .. text)
        assert_float(tonumber(text) + 0.0, field(action, name, '"' .. text .. '"'), context .. " " .. text)
      end
      assert_float(0.0, field(action, name, "0e999999999"), context)
      assert_float(0.0, field(action, name, "123e-99999999999"), context)
    end)
  end)

  it("can be written loosely", function()
    assert_float(0.5, field("balance", "balance", '".5"'))
    assert_float(-0.5, field("balance", "balance", '"-.5"'))
    assert_float(12.5, field("balance", "balance", '"00012.50"'))
    assert_float(0.0, field("balance", "balance", '"000"'))
  end)

  it("if random, equals Lua's own conversion", function()
    math.randomseed(7)
    for _ = 1, 2000 do
      local whole, places = math.random(0, 10 ^ math.random(1, 8)), math.random(1, 15)
      local text = ("%d.%0" .. places .. "d"):format(whole, math.random(0, 99999))
      if math.random(3) == 1 then text = text .. "e" .. math.random(-310, 300) end
      local _, value = corpus.decode(('{"balance":"%s"}'):format(text), "balance")
      assert_float(tonumber(text), value.balance)
    end
  end)

  it("that is not an amount stays text", function()
    assert_odd_text_stays "money"
  end)

  it("beyond the range of numbers stays text", function()
    for _, text in ipairs { "1e309", "-1e309", "1e999999999", "1" .. ("0"):rep(400),
      "1.7976931348623159e308" } do
      assert_value(text, field("balance", "balance", text))
      assert_value(text, field("balance", "balance", '"' .. text .. '"'))
    end
  end)

  it("is the unchanged text on request, even for a number", function()
    local texts = { "0.90", "100", "1.10e-5", "0.30000000000000004", "1.2345678901234568e+18", "-3.50",
      "0.0000", "1E2" }
    each_field("money", function(action, name, context)
      for _, text in ipairs(texts) do
        assert_value(text, field(action, name, text, "string"), context)
        assert_value(text, field(action, name, '"' .. text .. '"', "string"), context)
      end
      assert_value("$5", field(action, name, '"$5"', "string"), context)
      assert.is_nil(field(action, name, '""', "string"), context)
      assert.is_nil(field(action, name, "null", "string"), context)
    end)
  end)

  it("does not depend on the locale", function()
    local before = os.setlocale(nil)
    local comma = os.setlocale "de_DE.UTF-8" or os.setlocale "de_DE.utf8" or os.setlocale "fr_FR.UTF-8"
    if not comma then return pending "no locale with a decimal comma is installed here (de_DE.UTF-8)" end
    local ok, quick = pcall(field, "balance", "balance", '"100.84292"')
    local also_ok, slow = pcall(field, "balance", "balance", '"123456789012345678901.5e-10"')
    local comma_ok, with_comma = pcall(field, "balance", "balance", '"1,5"')
    os.setlocale(before)
    assert.is_true(ok and also_ok and comma_ok)
    assert.equal(100.84292, quick)
    assert.equal(12345678901.23456789015, slow)
    assert.equal(1.5, with_comma)
  end)
end)

describe("PROTOCOL 'Ids and values': a count", function()
  it("is an integer, as text or number", function()
    each_field("count", function(action, name, context)
      for _, text in ipairs { "50", "0", "-12", "2147483647", "9007199254740991", "100.0", "1e3", "1.5e1",
        "-0", "0.0" } do
        local expected = tonumber(text) == 0 and 0 or tonumber(text) -- no -0
        assert_integer(expected, field(action, name, text), context)
        assert_integer(expected, field(action, name, '"' .. text .. '"'), context)
      end
      assert_integer(50, field(action, name, '"0050"'), context)
    end)
    assert.equal("0", ("%.0f"):format(field("status", "remains", "-0")))
  end)

  it("that is not an integer stays a number", function()
    assert_float(1.5, field("status", "remains", "1.5"))
    assert_float(-0.25, field("status", "remains", "-2.5e-1"))
  end)

  it("that is not a number stays text", function()
    for _, text in ipairs { "+12", "Unknown", "1.5", "50.000", "12/100", "-", "1e-3" } do
      assert_value(text, field("status", "remains", '"' .. text .. '"'))
    end
    assert_odd_text_stays "count"
  end)

  it("that is too large to be exact stays text", function()
    for _, text in ipairs { "92233720368547758079", "1e300", "1e19", "123456789012345678901234",
      "9223372036854775808" } do
      assert_value(text, field("status", "remains", text))
      assert_value(text, field("status", "remains", '"' .. text .. '"'))
    end
    for _, text in ipairs { "1000000000000000000.5", "9223372036854775807.1" } do
      assert_value(text, field("status", "remains", '"' .. text .. '"'))
    end
    local value = field("status", "start_count", "1.2345678901234568e+18")
    if has_integers then
      assert.equal("1234567890123456800", ("%d"):format(value))
    else
      assert.equal("1.2345678901234568e+18", value)
    end
  end)
end)

describe("PROTOCOL 'Ids and values': a flag", function()
  it("is a boolean", function()
    each_field("flag", function(action, name, context)
      for _, json in ipairs { "true", "1", '"1"', '"true"' } do
        assert.is_true(field(action, name, json), context)
      end
      for _, json in ipairs { "false", "0", '"0"', '"false"' } do
        assert.is_false(field(action, name, json), context)
      end
    end)
  end)

  it("that is none of these stays unchanged", function()
    assert_integer(3, field("services", "refill", "3"))
    assert_float(1.0, field("services", "refill", "1.0"))
    for _, text in ipairs { "3", "30 days", "True", "yes", "01", " 1", "on" } do
      assert_value(text, field("services", "refill", '"' .. text .. '"'))
    end
  end)
end)

describe("DESIGN 'Values': absent", function()
  it("is null, in every field", function()
    for kind in pairs(fields) do
      each_field(kind, function(action, name, context)
        assert.same({}, decoded(('{"%s":null}'):format(name), action), context)
      end)
    end
    assert.same({}, decoded '{"name":null}')
  end)

  it('is "" in a count, a flag or money, and nowhere else', function()
    for kind in pairs(fields) do
      each_field(kind, function(action, name, context)
        local value = field(action, name, '""')
        if kind == "id" then assert.equal("", value, context) else assert.is_nil(value, context) end
      end)
    end
    assert.equal("", field("services", "desc", '""'))
  end)

  it("removes a field that was set before", function()
    assert.same({ b = 2 }, decoded '{"a":1,"a":null,"b":2}')
    assert.same({ a = 3 }, decoded '{"a":1,"a":null,"a":3}')
    assert.same({}, decoded('{"min":"5","min":""}', "services"))
  end)

  it("leaves a hole in an array", function()
    local list = decoded '[1,null,3,null]'
    assert.same({ [1] = 1, [3] = 3 }, list)
    assert.same({ [2] = { [3] = "x" } }, decoded '[null,[null,null,"x"]]')
    assert.same({ [2] = 5 }, field("status", "orders", '[null,"5"]'))
  end)
end)

describe("DESIGN 'Values': unknown fields", function()
  it("keep their JSON type", function()
    for _, action in ipairs { "call", "services", "status", "made_up", "" } do
      local text = '{"x":"12","y":"","z":"true","n":7,"f":1.0,"e":1e3,"t":true,"b":false,"currency":"USD"}'
      local value = decoded(text, action)
      assert.same({ x = "12", y = "", z = "true", n = 7, f = 1.0, e = 1e3, t = true, b = false,
        currency = "USD" }, value)
      assert_integer(7, value.n)
      assert_float(1.0, value.f)
      assert_float(1000.0, value.e)
    end
  end)

  it("lose no digit of an integer, and make no number infinite", function()
    assert_value("92233720368547758079", field("call", "x", "92233720368547758079"))
    assert_value("1e999", field("call", "x", "1e999"))
    assert_value(has_integers and 9007199254740993 or "9007199254740993", field("call", "x",
      "9007199254740993"))
    assert_integer(0, field("call", "x", "-0"))
  end)

  it("get no type from another action's names", function()
    assert_value("5", field("balance", "order", '"5"'))
    assert_value("5", field("services", "charge", '"5"'))
    assert_value("1", field("status", "cancel", '"1"'))
    assert_value("1", field("call", "order", '"1"'))
    assert_value("1", field("services", "smallest", '"1"'))
    assert_value("1", field("services", "mi", '"1"'))
  end)

  it("can be anything but an object", function()
    assert_value("text", decoded('"text"', "services"))
    assert_value(5, decoded("5", "services"))
    assert_value(false, decoded("false", "services"))
    assert_value({ 1, "2" }, decoded('[1,"2"]', "services"))
    assert.is_nil(decoded("null", "services"))
  end)
end)

describe("DESIGN 'Values': tables", function()
  it("have string keys for an object, integers for an array", function()
    assert_value({ ["1"] = "a", ["2"] = "b" }, decoded '{"1":"a","2":"b"}')
    assert_value({ "a", "b" }, decoded '["a","b"]')
    assert_value({ [""] = 1, ["a\0b"] = 2 }, decoded '{"":1,"a\\u0000b":2}')
  end)

  it("have the last of two fields of one name", function()
    assert.same({ a = 2 }, decoded '{"a":1,"a":2}')
    assert.same({ { a = 2, b = 3 }, { a = 5, b = 6 } }, decoded '[{"a":1,"b":3,"a":2},{"b":6,"a":4,"a":5}]')
  end)

  it("are typed at any depth", function()
    assert_integer(5, decoded('{"data":{"services":[{"service":"5"}]}}', "services").data.services[1].service)
    local deep = decoded(('{"a":['):rep(20) .. '{"rate":"0.5"}' .. ("]}"):rep(20), "services")
    for _ = 1, 20 do deep = deep.a[1] end
    assert_float(0.5, deep.rate)
    local many = decoded('{"1":{"charge":"0.5","order":"7"},"2":{"error":"Incorrect order ID"}}', "status")
    assert_value({ ["1"] = { charge = 0.5, order = 7 }, ["2"] = { error = "Incorrect order ID" } }, many)
  end)
end)
