-- One thread serves all panels of a program: one panel's data must not delay the calls to another.
local core = require "smmpanel.core"
local hostile = require "spec.support.hostile"
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"

local unpack_list = table.unpack or unpack
local ATTACKS = 8 -- at once
local BUSY = 2 -- seconds that a busy machine may add; what this looks for took 7 and more
local CALLS = 100 -- to the healthy panel, during the attacks

describe("a healthy panel next to one that sends", function()
  local bad, good, healthy, alone

  local function worst_of(calls)
    local times = {}
    for i = 1, calls do
      local before = core.now()
      assert.equal(1.5, assert(healthy:balance()).balance)
      times[i] = core.now() - before
    end
    return math.max(unpack_list(times))
  end

  setup(function()
    bad, good = raw.start(), raw.start()
    healthy = smmpanel.new { url = good.url { hostile.GOOD }, key = "k", timeout = 30, retries = 0 }
    worst_of(5)
    alone = worst_of(100)
  end)
  teardown(function()
    bad.stop()
    good.stop()
  end)

  local function attack(steps)
    local client = core.client {
      url = bad.url(steps), key = "k", max_body = 64e6, connect_timeout = 5, user_agent = "x",
    }
    local attacks = {}
    for i = 1, ATTACKS do
      attacks[i] = assert(core.start(client, { action = "balance", deadline = core.now() + 30 }))
    end
    return attacks
  end

  local function spare(case)
    it(case[1], function()
      local attacks = attack(case[2])
      local worst = worst_of(CALLS)
      for _, transfer in ipairs(attacks) do transfer:cancel() end
      local before = core.now()
      while core.in_flight() > 0 and core.now() - before < 20 do
        core.wait(0.1)
        core.step()
      end
      assert.equal(0, core.in_flight())
      assert.is_true(worst < 2 * alone + BUSY, ("%.3f s, and %.3f s alone"):format(worst, alone))
    end)
  end
  for _, case in ipairs(hostile.CASES) do spare(case) end
  for _, case in ipairs(hostile.BOMBS) do spare(case) end
end)
