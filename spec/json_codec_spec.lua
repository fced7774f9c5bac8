-- The JSON of the command line, the catalogue's files, the ledgers and the wire log.
local child = require "spec.support.child"
local json = require "smmpanel.util.json"
local schemas = require "smmpanel.api.schemas"

describe("the JSON codec", function()
  it("writes characters that control a terminal as escapes", function()
    assert.equal([["a\u001bb\u0007c\u007fd"]], json.encode "a\27b\7c\127d")
    assert.equal([["a\u0080b\u009bc\u009f"]], json.encode "a\194\128b\194\155c\194\159")
    assert.equal([["\u202ea\u2066b\u2069\u200e\u200f\u061c\u2028\u2029"]], json.encode
      "\226\128\174a\226\129\166b\226\129\169\226\128\142\226\128\143\216\156\226\128\168\226\128\169")
    assert.equal('{"\\u009b":1}', json.encode { ["\194\155"] = 1 })
  end)

  it("writes every other text unchanged", function()
    for _, s in ipairs { "https://x.example/a?b=c", "é ж 中 \240\159\148\165", "\194\160\195\159", "" } do
      assert.equal('"' .. s .. '"', json.encode(s))
    end
    assert.equal([["\"\\\n\r\t\u0000"]], json.encode '"\\\n\r\t\0')
  end)

  it("writes invalid UTF-8 as something readable", function()
    for _, s in ipairs { "\155[31m", "a\195", "\240\159\148", "\237\160\128", "\255\254", "é\128" } do
      local written = json.encode(s)
      assert.is_nil(written:find "[\128-\255]", written)
      assert.is_string(json.decode_record(written))
      assert.is_string(json.decode(written))
    end
  end)

  it("writes numbers to their last digit, and integers without an exponent", function()
    for expected, n in pairs { ["0.30000000000000004"] = 0.1 + 0.2, ["0.9"] = 0.9, ["1000000000000000"] = 1e15,
      ["9007199254740991"] = 2 ^ 53 - 1, ["-5"] = -5, ["1e+300"] = 1e300, null = 0 / 0 } do
      assert.equal(expected, json.encode(n))
    end
    if math.type then assert.equal("9223372036854775807", json.encode(math.maxinteger)) end
  end)

  it("reads back what it wrote, exactly", function()
    local records = { { order = 23501, charge = 0.1 }, { list = { 1, 2.5, "x", { true } } },
      { text = "a\27\194\155é\226\128\174" }, { order = "9007199254740993123456" } }
    for _, value in ipairs(records) do
      assert.same(value, json.decode_record(json.encode(value), schemas.add))
      assert.same(value, json.decode(json.encode(value)))
    end
    assert.equal(9007199254740991, json.decode_record('{"order":9007199254740991}', schemas.add).order)
  end)

  it("reads what ledgers wrote before", function()
    assert.same({ order = 23501, status = "a\27b/é" },
      json.decode_record('{"order":23501,"status":"a\\u001bb/é"}', schemas.add))
    assert.same({ charge = "0.27" }, json.decode_record('{"charge":"0.27"}', schemas.add, "string"))
  end)

  it("reads plain documents with integers as integers, and without nulls", function()
    local value = assert(json.decode '{"status":200,"body":"x","a":null,"list":[1,null,2.5]}')
    assert.same({ status = 200, body = "x", list = { 1, nil, 2.5 } }, value)
    if math.type then assert.equal("integer", math.type(value.status)) end
    assert.is_nil(json.decode "null")
    local none, why = json.decode "{"
    assert.is_nil(none)
    assert.is_string(why)
    assert.equal(5e6, #json.decode('{"body":"' .. ("x"):rep(5e6) .. '"}').body)
  end)

  it("works without lua-cjson, except for plain documents, and says how to get it", function()
    local said = child.run [[
      package.preload.cjson = function() error "no such module" end
      local json = require "smmpanel.util.json"
      print(json.encode { a = "\27" }, json.decode_record('{"a":1}').a)
      print(pcall(json.decode, "{}"))
    ]]
    assert.equal('{"a":"\\u001b"}\t1\n'
      .. "false\tsmmpanel: this needs lua-cjson: apt install lua-cjson, or luarocks install lua-cjson\nexit 0\n", said)
  end)
end)
