-- Exact decimals for money.
local decimal = require "smmpanel.util.decimal"

local function round_trip(text)
  local value = decimal.parse(text)
  return value and decimal.text(value)
end

describe("a decimal", function()
  it("is read in every form that a price has", function()
    local forms = { ["0"] = "0", ["0.90"] = "0.9", ["00012.3400"] = "12.34", ["5."] = "5", [".5"] = "0.5",
      ["1.1e-5"] = "0.000011", ["1.5E3"] = "1500", ["1.2345678901234568e+18"] = "1234567890123456800",
      ["0.08011655652"] = "0.08011655652", ["100.84292"] = "100.84292" }
    for text, expected in pairs(forms) do assert.equal(expected, round_trip(text), text) end
  end)

  it("is not read from anything else", function()
    local texts = { "", ".", "-1", "+1", "1,234", "1.2.3", "0x10", "nan", "inf", "1e", "e5", " 1", "1e999999" }
    for _, text in ipairs(texts) do
      assert.is_nil(decimal.parse(text), text)
    end
    for _, value in ipairs { 0 / 0, 1 / 0, -1, true, {} } do assert.is_nil(decimal.parse(value)) end
  end)

  it("is read from a number by the digits that distinguish it from its neighbours", function()
    assert.equal("0.1", round_trip(0.1))
    assert.equal("0.30000000000000004", round_trip(0.1 + 0.2))
    assert.equal("0.08011655652", round_trip(0.08011655652))
    assert.equal("1000000000000000000000", round_trip(1e21))
  end)

  it("adds, subtracts and compares across scales", function()
    local a, b = decimal.parse "1.5", decimal.parse "0.00000000025"
    assert.equal("1.50000000025", tostring(a + b))
    assert.equal("1.49999999975", tostring(a - b))
    assert.is_true(b < a)
    assert.is_true(decimal.parse "1.50" == a)
    assert.is_true(a <= a)
    assert.is_false(a < a)
    assert.equal("0", tostring(a - a))
    assert.has_error(function() return b - a end, "0.00000000025 - 1.5 would be negative")
  end)

  it("multiplies beyond what a double or 64 bits hold", function()
    local a = decimal.parse "123456789012345678901234567890.123456789"
    assert.equal("15241578753238836750495351562566681945005334557625361987875.019051998750190521",
      tostring(a * a))
    assert.equal("9007199254740.992", decimal.text(decimal.per_thousand(decimal.parse "1", 2 ^ 53)))
    assert.has_error(function() decimal.times(a, 1.5) end)
    assert.has_error(function() decimal.times(a, -1) end)
  end)
end)
