-- Four processes that place the same orders are killed and stopped at random points, and their wall clock jumps: no
-- order is placed twice, none is lost, and only orders in flight are uncertain. The long run is in
-- spec/long/ledger_crash_long.lua.
local crash = require "spec.support.crash"

describe("orders with a ref, their processes killed at random", function()
  for _, ledger in ipairs { "sqlite", "redis" } do
    it("are placed once each, with a ledger in " .. ledger, function()
      local report = crash.run {
        ledger = ledger, orders = 60, processes = 4, kills = 16, stops = 8, clock_steps = 4, restarts = 1,
        seed = os.time(),
      }
      assert.same({}, report.unknown) -- everything the panel has made was done or pending
      assert.same({}, report.twice)
      assert.same({}, report.unexplained)
      assert.same({ 60, 60, 60 }, { report.placed, report.total, report.counted })
      assert.equal("", report.errors)
      assert.is_true(report.while_placing > 0)
    end)
  end

  it("are left pending by no run that comes to its end, at a panel with an idempotency key", function()
    local report = crash.run {
      ledger = "sqlite", orders = 20, processes = 2, kills = 6, seed = os.time(), idempotency_field = "request_id",
    }
    assert.same({}, report.unknown)
    assert.same({}, report.twice)
    assert.same({ 1, 0, 0 }, { report.rounds, report.made, report.not_made }) -- nobody had to settle anything
    assert.same({ 20, 20, 20 }, { report.placed, report.total, report.counted })
    assert.equal("", report.errors)
    assert.is_true(report.while_placing > 0)
  end)
end)
