-- The long run of spec/limiter_spec.lua: eight processes, 50 requests a second, any ten seconds of thirty.
local fleet = require "spec.support.fleet"
local redis_server = require "spec.support.redis"

describe("a limiter in Redis under eight processes", function()
  it("lets through 50 a second, within 5 %, and gives each its share", function()
    local server = redis_server.start()
    local report = fleet.limited { redis = server.port, processes = 8, side_by_side = 2, rate = 50, seconds = 30 }
    server:stop()
    local most, least = report.window(10)
    print(("\n%d requests; %d to %d in any 10 s"):format(report.total, least, most))
    assert.is_true(least >= 475 and most <= 525)
    for path, count in pairs(report.shares) do
      print(path, count, ("%.1f %%"):format(100 * count / report.total))
      assert.is_near(1 / 8, count / report.total, 0.01)
    end
  end)
end)
