-- A hundred days of a shop whose answers get lost, among fifty other customers: no verdict is wrong.
local broken = require "spec.support.broken_panels"
local network = require "spec.support.sandbox"
local world = require "spec.support.uncertain_world"

local BROKEN = 20 -- days of each panel that breaks an assumption

local function days(name, options, seeds)
  options.orders, options.customers = 40, 50
  local sum, reasons = world.days(options, seeds), {}
  for reason, count in pairs(sum.reasons) do reasons[#reasons + 1] = reason .. " " .. count end
  table.sort(reasons)
  print(("\n%s: %d uncertain, %d settled, %d wrong, %d reads, %d writes (%s)"):format(name, sum.uncertain, sum.settled,
    #sum.wrong, sum.reads, sum.writes, table.concat(reasons, ", ")))
  assert.same({}, sum.wrong)
  assert.equal(0, sum.writes)
  return sum
end

describe("panel:investigate over a hundred days", function()
  it("settles nine of ten uncertain orders, and none wrongly", function()
    local sum = days("as documented", {}, 100)
    assert.is_true(sum.uncertain >= 2000)
    assert.is_true(sum.settled >= 0.9 * sum.uncertain)
    assert.is_true(sum.reads >= sum.uncertain)
  end)

  for name, how in pairs {
    ["scattered numbers"] = { wrap = broken.scattered, reason = "ids_do_not_grow" },
    ["numbers from two ranges"] = { wrap = broken.two_ranges, reason = "ids_do_not_grow" },
    ["ids that are not numbers"] = { wrap = broken.opaque, reason = "ids_not_numbers" },
  } do
    it("settles nothing if the panel gives " .. name, function()
      local sum = days(name, { wrap = how.wrap }, BROKEN)
      assert.equal(0, sum.settled)
      assert.equal(sum.uncertain, sum.reasons[how.reason])
    end)
  end

  it("settles nothing if the panel shows other customers' orders", function()
    local sum = days("shows others' orders", { wrap = broken.shows_others }, BROKEN)
    assert.is_true((sum.reasons.others_orders or 0) + (sum.reasons.no_stranger or 0) >= 0.9 * sum.uncertain)
  end)

  it("does not choose between equal concurrent orders", function()
    local sum = days("equal orders", { order = world.equal_order }, BROKEN)
    assert.is_true(sum.reasons.several_fit > 0)
  end)

  it("is equally right over the network", function()
    local sum = days("over the network", { sandboxes = network }, 5)
    assert.is_true(sum.uncertain > 80)
    assert.is_true(sum.settled >= 0.9 * sum.uncertain)
  end)
end)
