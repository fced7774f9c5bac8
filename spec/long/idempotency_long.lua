-- With an idempotency key at the panel nothing needs to be settled: 300 kills, and answers lost in every way.
local crash = require "spec.support.crash"

describe("1,000 orders at a panel with an idempotency key, their four processes killed at 300 points", function()
  for _, ledger in ipairs { "sqlite", "redis" } do
    it("are placed once each, and none is left pending: " .. ledger, function()
      local report = crash.run {
        ledger = ledger, orders = 1000, processes = 4, kills = 300, stops = 30, clock_steps = 30, restarts = 5,
        seed = os.time(), idempotency_field = "request_id",
      }
      print(("\n%s: %d kills, %d of them while orders were being placed, %d restarts of Redis;"):format(ledger,
        report.kills, report.while_placing, report.restarts))
      print(("%d refs cut off by a kill and %d without an answer, once or more; %d left pending; %d orders, %.0f s")
        :format(report.cut, report.lost, report.made + report.not_made, report.total, report.seconds))
      assert.same({}, report.unknown)
      assert.same({}, report.twice)
      assert.same({ 1, 0, 0 }, { report.rounds, report.made, report.not_made })
      assert.same({ 1000, 1000, 1000 }, { report.placed, report.total, report.counted })
      assert.equal("", report.errors)
      assert.is_true(report.while_placing >= 200)
      assert.is_true(report.lost >= 100)
    end)
  end
end)
