-- The long run of spec/watch_many_spec.lua: 100,000 orders, in this process, and by three with Redis, one killed.
local redis_server = require "spec.support.redis"
local redis_store = require "smmpanel.ledger.redis"
local socket = require "socket"
local system = require "spec.support.system"
local watched = require "spec.support.watched"
local watching = require "spec.support.watching"

-- After a Redis that loses the last second, changes are reported again; it waits for no disk.
local FSYNC = "--appendfsync everysec"
local ORDERS, INTERVAL, RATE = 100000, 12, 120
-- A third of them changes once, one twice, one three times; and each is new once.
local CHANGES = ORDERS + (ORDERS - 1) / 3 * (2 + 3 + 1) + 2

local function check(report, seconds)
  local most, least = report.window(10)
  print(("\n%d changes told, %d not, %d twice; %d requests for %d polls of an order (%.3f of the least); "
    .. "%d to %d in any 10 s; %.3f s between two polls of one; %d polls of completed orders; kB: %s; %.0f s"):format(
    report.told, report.untold, report.twice, report.requests, report.ids, report.requests / (report.ids / 100),
    least, most, report.shortest, report.too_late, table.concat(report.memory, " "), seconds))
  assert.same({ 0, 0 }, { report.untold, report.strange })
  assert.equal(CHANGES, report.told)
  assert.is_true(report.requests <= report.ids / 100 * 1.05)
  assert.is_true(report.shortest >= INTERVAL * 0.999)
  assert.is_true(most <= RATE * 10 * 1.05)
end

describe("100,000 orders are watched until all are final", function()
  it("by one process", function()
    local began = os.time()
    local report = watching.here { orders = ORDERS, phase = 30, last = 3, interval = INTERVAL, rate = RATE }
    check(report, os.time() - began)
    assert.equal(0, report.twice)
    assert.equal(0, report.too_late)
    -- The first size is taken when each was polled once; the queue has its size after the second round.
    assert.is_true(report.memory[3] <= report.memory[2] * 1.05)
  end)

  it("by three that share them in Redis, one of them killed", function()
    local began, server, directory = os.time(), redis_server.start(FSYNC), system.directory()
    -- The claims of the killed worker go to the others after 20 s, within the phase.
    local report = watching.shared { orders = ORDERS, phase = 50, last = 3, interval = INTERVAL, rate = RATE,
      workers = 3, kill_after = 25, directory = directory, ledger = server.port }
    server:stop()
    os.execute("rm -rf " .. directory)
    check(report, os.time() - began)
    -- When it died, each of its pollers was reporting one change at most.
    assert.is_true(report.twice <= 8)
    for _, most in ipairs(report.memory) do assert.is_true(most < 64 * 1024) end
  end)

  it("use little memory in Redis", function()
    local server, ids = redis_server.start(FSYNC), {}
    local client = server:client()
    local set = watched.set(redis_store.new(server:connect(), { unsafe = true }), "all")
    for i = 1, ORDERS do ids[i] = ("%d"):format(20000000 + i) end
    set:add(ids)
    local began, processed = socket.gettime(), client:info().stats.total_commands_processed
    for _ = 1, ORDERS / 100 do
      local claim = assert(set:claim(100, 0, 600))
      for _, id in ipairs(claim.ids) do
        set:changed(claim, id, { status = "In progress", charge = 0.27819, start_count = 3572, remains = 157,
          currency = "USD" }, 600)
      end
    end
    local seconds = socket.gettime() - began
    local bytes = 0
    for _, key in ipairs(client:keys "*") do
      bytes = bytes + client:eval("return redis.call('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', '0')", 1, key)
    end
    processed = client:info().stats.total_commands_processed - processed
    print(("\n%.0f bytes of Redis for an order; %.1f commands for a change, %.0f changes a second"):format(
      bytes / ORDERS, processed / ORDERS, ORDERS / seconds))
    server:stop()
    assert.is_true(bytes / ORDERS < 500)
  end)
end)
