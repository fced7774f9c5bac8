-- The long run of spec/ledger_crash_spec.lua: 1,000 orders, 300 kills, 300 stops, 100 steps of the wall clock, and
-- 50 restarts of Redis.
local crash = require "spec.support.crash"

describe("1,000 orders with a ref, their four processes killed at 300 points and stopped at 300", function()
  for _, ledger in ipairs { "sqlite", "redis" } do
    it("are placed once each, with a ledger in " .. ledger, function()
      local report = crash.run {
        ledger = ledger, orders = 1000, processes = 4, kills = 300, stops = 300, clock_steps = 100, restarts = 50,
        seed = os.time(),
      }
      print(("\n%s: %d kills, %d of them while orders were being placed, %d stops, %d clock steps, %d restarts of "
        .. "Redis; %d refs cut off by a kill and %d without an answer, once or more; %d uncertain refs settled as made "
        .. "and %d as not made, in %d rounds; %d orders, %.0f s"):format(ledger, report.kills, report.while_placing,
        report.stops, report.clock_steps, report.restarts, report.cut, report.lost, report.made, report.not_made,
        report.rounds, report.total, report.seconds))
      assert.same({}, report.unknown)
      assert.same({}, report.twice)
      assert.same({}, report.unexplained)
      assert.same({ 1000, 1000, 1000 }, { report.placed, report.total, report.counted })
      assert.equal("", report.errors)
      assert.is_true(report.while_placing >= 200)
    end)
  end
end)
