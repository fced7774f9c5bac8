-- The queue of one process for a rate limit, with the spec's own clock.
local limiter = require "smmpanel.limiter.local"
local line = require "smmpanel.limiter.line"

describe("the queue for a rate limit", function()
  local now, queue
  before_each(function()
    now = 100
    queue = line.new(function() return now end, 0.1)
  end)

  it("lets one caller ask, and returns the time of the next check to the others", function()
    local first, second, third = queue:join(200, true), queue:join(200, true), queue:join(200, true)
    assert.equal(0, (queue:ask(first)))
    queue:promise(first, 30) -- the limiter may take long to answer, and nobody waits for that
    assert.is_true(queue:ask(third) < 1)
    queue:expect(first, 0.5)
    assert.is_near(0.5, queue:ask(second), 1e-9)
    assert.is_near(0.6, queue:ask(third), 1e-9)
    queue:leave(first)
    assert.is_true(queue:ask(third) > 0)
    assert.equal(0, (queue:ask(second)))
  end)

  it("serves the earliest deadline first", function()
    local late, early = queue:join(200, true), queue:join(150, true)
    assert.is_true(queue:ask(late) > 0)
    assert.equal(0, (queue:ask(early)))
  end)

  it("alternates between short reads and bulk work", function()
    local order = {}
    local tickets = {}
    for i = 1, 4 do tickets[#tickets + 1] = { queue:join(200, true), "bulk" .. i } end
    for i = 1, 3 do tickets[#tickets + 1] = { queue:join(200, false), "short" .. i } end
    while #tickets > 0 do
      for i, pair in ipairs(tickets) do
        if queue:ask(pair[1]) == 0 then
          order[#order + 1] = pair[2]
          queue:leave(pair[1])
          table.remove(tickets, i)
          break
        end
      end
    end
    assert.same({ "short1", "bulk1", "short2", "bulk2", "short3", "bulk3", "bulk4" }, order)
    assert.is_true(queue:is_empty())
  end)

  it("lets an awake caller go if slots are close together", function()
    local fast = line.new(function() return now end, 0.001)
    local first, second, far = fast:join(200, true), fast:join(200, true), nil
    for _ = 1, 40 do far = fast:join(200, true) end
    assert.is_true(fast:ask(far) > 0)
    assert.equal(0, (fast:ask(second)))
    fast:leave(second)
    assert.equal(0, (fast:ask(first)))
  end)

  it("does not wait for callers that were killed", function()
    local holder, dead, alive = queue:join(200, true), queue:join(200, true), queue:join(200, true)
    assert.equal(0, (queue:ask(holder)))
    queue:expect(holder, 0.5)
    queue:ask(dead)
    queue:ask(alive)
    now = now + 2
    assert.equal(0, (queue:ask(alive)))
    assert.is_true(queue:ask(dead) > 0) -- it was only stopped
    queue:leave(alive)
    assert.is_true(queue:ask(holder) == 0 and queue:ask(dead) > 0)
    queue:leave(holder)
    queue:leave(dead)
    assert.is_true(queue:is_empty())
  end)
end)

describe("a rate limit in this process", function()
  it("is exact over any window, whatever the callers' delays", function()
    local now, seed, sent = 0, 7, {}
    local function random()
      seed = (seed * 16807) % 2147483647
      return seed / 2147483647
    end
    local limit = limiter.new(10, function() return now end)
    for _ = 1, 2000 do
      local wait, slot = limit:reserve(1e9)
      while wait > 0 do
        local stopped = random() < 0.02 and random() * 5 or 0
        now = now + wait + random() * 0.02 + stopped
        wait, slot = limit:reserve(1e9, slot)
      end
      sent[#sent + 1] = now
      if random() < 0.01 then now = now + random() * 3 end
    end
    local first = 1
    for last = 1, #sent do
      while sent[last] - sent[first] > 1 do first = first + 1 end
      assert.is_true(last - first + 1 <= 11)
    end
  end)
end)
