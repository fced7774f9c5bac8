-- One rate limit for several processes, in Redis.
local blocking = require "smmpanel.loop.blocking"
local core = require "smmpanel.core"
local limiter_redis = require "smmpanel.limiter.redis"
local fleet = require "spec.support.fleet"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local smmpanel = require "smmpanel"
local socket = require "socket"

local SECOND = 1e6 -- a slot is a moment in microseconds

-- What is asked of the slots themselves holds on a busy machine too; the waits depend on when they are asked for.
local function slot(limiter, before) return tonumber((select(2, limiter:reserve(60, before)))) end

describe("a limiter in Redis", function()
  local server
  setup(function() server = redis_server.start() end)
  teardown(function() server:stop() end)

  local n = 0
  local function limiter(rate, name)
    if not name then n = n + 1 end
    return limiter_redis.new(server:connect(), { name = name or "n" .. n, rate = rate })
  end

  it("gives evenly spaced slots, in the order of the requests", function()
    local budget = limiter(1)
    local wait, first = budget:reserve(60)
    assert.equal(0, wait)
    for i = 1, 5 do assert.equal(i * SECOND, slot(budget) - first) end
  end)

  it("is the same for every user of its name", function()
    local first = slot(limiter(1, "shared"))
    assert.equal(SECOND, slot(limiter(1, "shared")) - first)
    assert.equal(0, (limiter(1, "other"):reserve(60)))
  end)

  it("reserves no slot that is too far away", function()
    local budget = limiter(0.1)
    local first = slot(budget)
    for _ = 1, 5 do assert.is_nil(budget:reserve(5)) end
    assert.equal(10 * SECOND, slot(budget) - first)
  end)

  it("does not save unused slots", function()
    local budget = limiter(10)
    for _ = 1, 3 do budget:reserve(60) end
    socket.sleep(0.5)
    assert.equal(0, (budget:reserve(60)))
    assert.is_true(budget:reserve(60) > 0)
  end)

  it("delays all callers, even those that already have a slot", function()
    local mine, other = limiter(10, "held"), limiter(10, "held")
    mine:reserve(60)
    local wait, moment = mine:reserve(60)
    assert.is_true(wait < 0.15)
    other:hold(50)
    local again, later = mine:reserve(60, moment)
    assert.is_near(50, again, 2)
    assert.equal(SECOND / 10, slot(other) - later)
    assert.equal(later, select(2, mine:reserve(60, later)))
    other:hold(1) -- no hold ends another that lasts longer
    assert.equal(2 * SECOND / 10, slot(other) - later)
  end)

  it("gives a new slot to a caller that comes late", function()
    local budget = limiter(10)
    budget:reserve(60)
    local wait, first = budget:reserve(60)
    socket.sleep(wait + 0.3)
    local again, other = budget:reserve(60, first)
    assert.is_true(again < 0.1)
    assert.not_equal(first, other)
  end)

  it("continues when Redis' clock is set back, with slots and holds", function()
    local budget, client = limiter(10, "back"), server:client()
    local key, day = "{smmpanel}:limiter:back", 24 * 60 * 60 * 1e6
    budget:reserve(60)
    local _, early = budget:reserve(60)
    budget:hold(30)
    for _, field in ipairs { "next", "hold", "last" } do -- as if all of it was a day later
      client:hset(key, field, ("%.0f"):format(tonumber(client:hget(key, field)) + day))
    end
    early = ("%.0f"):format(tonumber(early) + day)
    local wait, first = budget:reserve(60)
    assert.is_near(30, wait, 2)
    assert.equal(SECOND / 10, slot(budget, early) - first)
  end)

  it("loses at most one slot with a process that is killed", function()
    local times = fleet.clock()
    local command = "echo $$; exec %s spec/support/limited_worker.lua %s %d 2 60 64"
    local pipe = io.popen(command:format(process.lua(), times.url, server.port))
    local pid = pipe:read "*n"
    while #times.arrivals() < 2 do socket.sleep(0.02) end
    os.execute("kill -KILL " .. ("%d"):format(pid))
    pipe:close()
    times.stop()
    assert.is_true(limiter(2, "test"):reserve(60) <= 1.1)
  end)

  it("leaves nothing behind", function()
    limiter(10, "gone"):reserve(60)
    local ttl = server:client():ttl "{smmpanel}:limiter:gone"
    assert.is_true(ttl > 0 and ttl <= 10)
  end)

  it("fails a call if it cannot be reached, and nothing is sent", function()
    local away = redis_server.start()
    local budget = limiter_redis.new(away:connect(), { name = "x", rate = 10 })
    away:stop()
    local times = fleet.clock()
    local panel = smmpanel.new { url = times.url, key = "test-key", limiter = budget, retries = 0 }
    local _, err = panel:balance()
    assert.same({ "network", "limiter" }, { err.kind, err.code })
    assert.truthy(err.message:find("is Redis up", 1, true))
    assert.same({}, times.arrivals())
    times.stop()
  end)

  it("is respected by several processes, each with its share", function()
    local report = fleet.limited {
      redis = server.port, processes = 4, side_by_side = 2, rate = 80, seconds = 3,
    }
    local most, least = report.window(1)
    -- How close they come depends on the machine, which may be busy. Without the limiter each process sends 80.
    assert.is_true(most <= 80 * 1.5 and least >= 80 * 0.25, ("%d to %d in a second"):format(least, most))
    -- So do their shares: the long run measures them within 1 %. Here no process is left out.
    for _, count in pairs(report.shares) do
      assert.is_near(1 / 4, count / report.total, 0.15)
    end
  end)

  it("delays every process when the panel tells one of them to wait", function()
    local report = fleet.limited {
      redis = server.port, processes = 3, side_by_side = 2, rate = 50, seconds = 4,
      slow = { after = 1, seconds = 2 },
    }
    -- Requests in flight at that moment may still arrive. Without the pause a gap is 0.02 s.
    assert.is_true(report.longest_gap > 1, ("a gap of %.2f s"):format(report.longest_gap))
  end)
end)

describe("the option rate", function()
  it("is respected", function()
    local times = fleet.clock()
    local panel = smmpanel.new { url = times.url, key = "test-key", rate = 20, retries = 0, timeout = 10 }
    local tasks, began = {}, core.now()
    for i = 1, 20 do tasks[i] = function() return panel:balance() end end
    smmpanel.all(tasks)
    assert.is_true(core.now() - began >= 19 / 20 - 0.01)
    assert.equal(20, #times.arrivals())
    times.stop()
  end)

  it("delays the whole process after a 429, also callers that already have a slot", function()
    local times = fleet.clock()
    local panel = smmpanel.new { url = times.base .. "/slow/1", key = "test-key", rate = 20, retries = 0 }
    local tasks = {}
    for i = 1, 3 do tasks[i] = function() return panel:balance { timeout = 10 } end end
    smmpanel.all(tasks)
    local at = times.arrivals()
    assert.equal(3, #at)
    assert.is_true(at[2].at - at[1].at > 0.9 and at[3].at - at[2].at > 0.9)
    times.stop()
  end)

  it("is respected after the process was stopped for a while", function()
    local times = fleet.clock()
    local panel = smmpanel.new { url = times.url, key = "test-key", rate = 20, timeout = 30 }
    local tasks = {}
    for i = 1, 40 do tasks[i] = function() return panel:balance() end end
    tasks[41] = function()
      while #times.arrivals() < 3 do blocking.sleep(0.05) end
      local until_then = core.now() + 1.2
      while core.now() < until_then do socket.sleep(0.1) end -- nothing of this process runs
    end
    smmpanel.all(tasks)
    local most = fleet.window(times.arrivals(), 0.5)
    times.stop()
    -- Ten, and those that a busy machine delays. To catch up after the pause, 24 would be sent at once.
    assert.is_true(most <= 20, most .. " in half a second at 20 a second")
  end)

  it("lets a read through while 256 bulk callers wait", function()
    local times = fleet.clock()
    local panel = smmpanel.new { url = times.url, key = "test-key", rate = 20, retries = 0, timeout = 60 }
    local tasks, failures = {}, {}
    for i = 1, 256 do
      tasks[i] = function()
        local _, err = panel:call("bulk", {}, { timeout = 3 })
        failures[err and err.code or "ok"] = (failures[err and err.code or "ok"] or 0) + 1
      end
    end
    local took
    tasks[257] = function()
      local began = core.now()
      assert(panel:balance())
      took = core.now() - began
    end
    smmpanel.all(tasks)
    times.stop()
    assert.is_true(took < 3, ("%.1f s"):format(took)) -- the slots of 256 callers are 13 s
    assert.is_true(failures.ok > 20 and failures.rate > 150)
  end)
end)
