-- A hundred days of a shop whose answers get lost, among other customers: no verdict is wrong.
local broken = require "spec.support.broken_panels"
local world = require "spec.support.uncertain_world"

local function days(options)
  local sum = { uncertain = 0, settled = 0, wrong = {}, writes = 0, reasons = {} }
  for seed = 1, 100 do
    options.seed, options.orders = seed, 40
    local report = world.run(options)
    sum.uncertain, sum.settled = sum.uncertain + report.uncertain, sum.settled + report.settled
    sum.writes = sum.writes + report.writes
    for _, line in ipairs(report.wrong) do sum.wrong[#sum.wrong + 1] = seed .. ": " .. line end
    for reason, count in pairs(report.reasons) do sum.reasons[reason] = (sum.reasons[reason] or 0) + count end
  end
  local reasons = {}
  for reason, count in pairs(sum.reasons) do reasons[#reasons + 1] = reason .. " " .. count end
  print(("%d uncertain, %d settled, %d wrong (%s)"):format(sum.uncertain, sum.settled, #sum.wrong,
    table.concat(reasons, ", ")))
  return sum
end

describe("panel:investigate over a hundred days", function()
  it("settles nine of ten uncertain orders, and none wrongly", function()
    local sum = days { strangers = 50 }
    assert.same({}, sum.wrong)
    assert.is_true(sum.uncertain >= 2000)
    assert.is_true(sum.settled >= 0.9 * sum.uncertain)
    assert.equal(0, sum.writes)
  end)

  it("is not wrong either where other customers' orders are shown, or all orders are equal", function()
    assert.same({}, days({ wrap = broken.shows_others }).wrong)
    assert.same({}, days({ order = function(ref)
      return { service = 1, link = "https://example.com/" .. ref, quantity = 100 }
    end }).wrong)
  end)
end)
