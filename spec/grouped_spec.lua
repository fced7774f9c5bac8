-- Numbers as people and PHP's number_format write them: read if they are unambiguous, otherwise kept as text. The core
-- reads them in answers, and util/decimal if money is text.
local core = require "smmpanel.core"
local decimal = require "smmpanel.util.decimal"

local schema = core.schema { money = "money", count = "count" }

local function read(name, text, decimals)
  local decoder = core.decoder(schema, decimals or "number")
  assert(decoder:feed(('{"%s":"%s"}'):format(name, text)))
  local ok, value = decoder:finish()
  assert(ok, value)
  return value[name]
end

-- text -> as money, as a count; false: it stays text
local CASES = {
  ["1,234.56780"] = { 1234.5678, false }, ["99,999,999.99990"] = { 99999999.9999, false },
  ["1,234.5"] = { 1234.5, false }, ["1.234,56"] = { 1234.56, false }, ["1.234.567,89"] = { 1234567.89, false },
  ["5.000.000"] = { 5000000, 5000000 }, ["1,234,567"] = { 1234567, 1234567 }, ["2,5"] = { 2.5, false },
  ["1,234"] = { false, 1234 }, ["50.000"] = { 50, false }, ["1.500"] = { 1.5, false }, ["10.200"] = { 10.2, false },
  ["0,125"] = { 0.125, false }, ["1234,567"] = { 1234.567, false }, ["-1,234.5"] = { -1234.5, false },
  ["12,34,567"] = { false, false }, ["1,234,56"] = { false, false }, ["1.2.3"] = { false, false },
  [",5"] = { false, false }, ["5,"] = { false, false }, ["123,456."] = { false, false }, ["1,2,3"] = { false, false },
  ["100.0"] = { 100, 100 }, ["0.500"] = { 0.5, false }, ["1 234"] = { false, false }, ["0,500,000"] = { false, false },
}

describe("a number with separators", function()
  for text, wanted in pairs(CASES) do
    it(text, function()
      assert.equal(wanted[1] or text, read("money", text))
      assert.equal(wanted[2] or text, read("count", text))
      assert.equal(wanted[2] or text, read("count", text, "string"))
      assert.equal(text, read("money", text, "string"))
      if text:find "^%-" then return end
      local value = decimal.parse(text)
      assert.equal(wanted[1] or nil, value and tonumber(decimal.text(value)))
    end)
  end
  it("of any length is safe", function()
    for length = 1, 200 do
      local text = ("1,234,"):rep(length):sub(1, length)
      read("money", text)
      read("count", text)
    end
  end)
end)
