-- The long runs of spec/limiter_spec.lua: eight processes at 50 requests per second, any ten seconds of thirty; and
-- four of them while clocks are set, processes are stopped and Redis is restarted.
local fleet = require "spec.support.fleet"
local redis_server = require "spec.support.redis"
local shifted_clock = require "spec.support.shifted_clock"
local socket = require "socket"
local system = require "spec.support.system"

local RATE = 50

describe("a limiter in Redis under eight processes", function()
  it("lets 50 per second through, within 5 %, and gives each process its share", function()
    local server = redis_server.start()
    local report = fleet.limited { redis = server.port, processes = 8, side_by_side = 2, rate = RATE, seconds = 30 }
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

describe("a limiter in Redis under four processes", function()
  local directory, clock, server
  before_each(function()
    directory = system.directory()
    clock = shifted_clock.new(directory)
    server = redis_server.start("--appendonly yes", clock.environment)
  end)
  after_each(function()
    server:stop()
    os.execute("rm -rf " .. directory)
  end)

  local function run(seconds, meanwhile)
    local report = fleet.limited { redis = server.port, processes = 4, side_by_side = 4, rate = RATE,
      seconds = seconds, environment = clock.environment, meanwhile = meanwhile }
    local most = report.window(1)
    print(("\n%d requests in %d s; %d in one second at most; the longest gap %.2f s"):format(report.total, seconds,
      most, report.longest_gap))
    assert.is_true(most <= RATE * 1.1)
    return report
  end

  it("is respected while clocks are set by a minute, a day and a year, and back", function()
    local report = run(16, function()
      for _, shift in ipairs { 60, 0, -60, 0, 86400, -86400, 31536000, -31536000, 0 } do
        socket.sleep(1.5)
        clock:set(shift)
      end
    end)
    assert.is_true(report.longest_gap < 1, report.longest_gap)
    assert.is_true(report.total >= RATE * 16 * 0.9)
  end)

  it("is respected while processes are stopped and continue", function()
    local report = run(15, function(pids)
      for i = 1, 6 do
        local pid = pids[i % 4 + 1]
        os.execute("kill -STOP " .. pid)
        socket.sleep(1.5)
        os.execute("kill -CONT " .. pid)
        socket.sleep(0.3)
      end
    end)
    assert.is_true(report.total >= RATE * 15 * 0.8)
  end)

  it("is respected while Redis hangs and is restarted", function()
    local report = run(14, function()
      for _ = 1, 3 do
        socket.sleep(1.5)
        server:kill "TERM"
        socket.sleep(0.3)
        server:start()
        socket.sleep(1)
        server:signal "STOP"
        socket.sleep(0.5)
        server:signal "CONT"
      end
    end)
    assert.is_true(report.total >= RATE * 14 * 0.5)
  end)
end)
