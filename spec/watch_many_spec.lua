-- Many orders watched to their end: see spec/long/watch_long.lua for very many.
local redis_server = require "spec.support.redis"
local watching = require "spec.support.watching"

-- What holds however many there are and whoever watches.
local function check(report, expected, interval, slack)
  assert.same({ expected, 0, 0, 0 }, { report.told, report.untold, report.twice, report.strange })
  assert.equal(0, report.too_late)
  assert.is_true(report.shortest >= interval * 0.999)
  local least = report.ids / 100
  assert.is_true(report.requests <= least * slack, report.requests .. " requests for " .. report.ids .. " ids")
end

describe("1,500 orders are watched to their end, each change told once, in full batches", function()
  local CHANGES = 1500 + 750 * 1 + 750 * 2 -- all are new once; half of them change once, half of them twice

  it("in this process", function()
    local report = watching.here { orders = 1500, phase = 0, last = 2, interval = 0.6, rate = 1000 }
    check(report, CHANGES, 0.6, 1.25)
  end)

  it("by two that share a SQLite file", function()
    local directory = redis_server.scratch()
    local path = directory .. "/ledger.db"
    local report = watching.shared { orders = 1500, phase = 0, last = 2, interval = 0.9, rate = 1000, workers = 2,
      directory = directory, ledger = path }
    os.execute("rm -rf " .. directory)
    -- So few, at so short an interval, do not always fill a batch in the time that the first of it may wait: what
    -- holds of many is in spec/long. Here no more than that nothing is polled one by one.
    check(report, CHANGES, 0.9, 3)
  end)
end)
