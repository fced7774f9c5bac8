-- The long run of spec/ledger_crash_spec.lua: 1,000 orders, 320 kills, and with Redis six of Redis itself.
local crash = require "spec.support.crash"

describe("1,000 orders with a ref, their four processes killed at 320 points", function()
  for _, ledger in ipairs { "sqlite", "redis" } do
    it("are placed once each, with a ledger in " .. ledger, function()
      local report = crash.run {
        ledger = ledger, orders = 1000, processes = 4, kills = 320, restarts = 6, seed = os.time(),
      }
      print(("\n%s: %d kills, %d of them while orders were being placed, %d restarts of Redis; %d uncertain refs "
        .. "settled as made and %d as not made, in %d rounds; %d orders, %.0f s"):format(ledger, report.kills,
        report.while_placing, report.restarts, report.made, report.not_made, report.rounds, report.total,
        report.seconds))
      assert.same({}, report.unknown)
      assert.same({}, report.twice)
      assert.same({ 1000, 1000, 1000 }, { report.placed, report.total, report.counted })
      assert.equal("", report.errors)
      assert.is_true(report.while_placing >= 200)
    end)
  end
end)
