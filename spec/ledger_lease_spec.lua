-- Until when an attempt may still be sent, by two clocks and by what became of its process.
local lease = require "smmpanel.ledger.lease"
local process = require "smmpanel.ledger.process"

describe("an attempt's lease", function()
  local WALL = 1.7e9

  local function row(placer, more)
    local made = { state = "open", placer = placer }
    for name, value in pairs(more or {}) do made[name] = value end
    return made
  end

  local function here(uptime, wall, life)
    return { boot = "b1", uptime = uptime, wall = WALL + wall, life = function() return life end }
  end

  local SAME = ("b1 n1 7 70 1000.000 %.0f 90"):format(WALL)
  local ELSEWHERE = ("b2 n1 7 70 5.000 %.0f 90"):format(WALL)

  it("follows the clock since boot, however the wall clock is set", function()
    for _, step in ipairs { 0, 60, 86400, 3.2e7, -60, -86400, -3.2e7 } do
      assert.same({ "sending", 80 }, { lease.state(row(SAME), here(1010, step, "running")) })
      assert.equal(80, (lease.too_early(row(SAME), here(1010, step, "running"))))
      assert.equal("uncertain", (lease.state(row(SAME), here(1091, step, "running"))))
      assert.is_nil(lease.too_early(row(SAME), here(1091, step, "running")))
    end
  end)

  it("is not ended early by setting one clock, if the placer is on another machine", function()
    assert.equal(80, select(2, lease.state(row(ELSEWHERE, { age = 10 }), here(1, 86400))))
    assert.equal(80, select(2, lease.state(row(ELSEWHERE, { age = 86400 }), here(1, 10))))
    assert.equal(90, (lease.too_early(row(ELSEWHERE, { age = 91 }), here(1, -3600))))
    assert.is_nil(lease.too_early(row(ELSEWHERE, { age = 91 }), here(1, 91)))
  end)

  it("ends when its process has died, and not while it is stopped", function()
    assert.equal("uncertain", (lease.state(row(SAME), here(1010, 10, "dead"))))
    assert.equal(80, (lease.too_early(row(SAME), here(1010, 10, "dead"))))
    assert.equal("sending", (lease.state(row(SAME), here(9999, 10, "stopped"))))
    assert.same({ 1, "7" }, { lease.too_early(row(SAME), here(9999, 10, "stopped")) })
    assert.is_nil(lease.too_early(row(SAME, { state = "doubt" }), here(9999, 10, "stopped")))
  end)

  it("ended when the machine rebooted, if all are on one machine", function()
    assert.equal("uncertain", (lease.state(row(ELSEWHERE, { one_machine = true }), here(1, 10))))
    assert.equal("sending", (lease.state(row(ELSEWHERE), here(1, 10))))
  end)

  it("sees this process as running, and an ended one as dead", function()
    local now = process.here()
    local me = process.parse(process.placer(60))
    if me.start == "-" then return pending "no /proc here" end
    assert.equal("running", now.life(me))
    me.start = "1"
    assert.equal("dead", now.life(me))
    me.boot = "another"
    assert.is_nil(now.life(me))
  end)
end)
