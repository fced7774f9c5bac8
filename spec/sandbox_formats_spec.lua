-- What the sandbox reads and writes: exact money, JSON as PHP writes it, forms, and its server's configuration.
local config = require "smmpanel.sandbox.server.config"
local form = require "smmpanel.sandbox.form"
local json = require "smmpanel.sandbox.panel.php_json"
local money = require "smmpanel.sandbox.panel.money"

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
