-- A set of orders to be watched, what each kind of it does: see smmpanel.work.
local redis_server = require "spec.support.redis"
local redis_store = require "smmpanel.ledger.redis"
local socket = require "socket"
local sqlite_store = require "smmpanel.ledger.sqlite"
local work = require "smmpanel.watch.queue"

local directory, server = nil, nil

local SETS = {
  ["in this process"] = function() return work.new(socket.gettime) end,
  ["in SQLite"] = function(n) return sqlite_store.new(directory .. "/" .. n .. ".db"):work "w" end,
  ["in Redis"] = function(n) return redis_store.new(server:connect(), { prefix = n .. ":" }):work "w" end,
}

setup(function() directory, server = redis_server.scratch(), redis_server.start() end)
teardown(function()
  server:stop()
  os.execute("rm -rf " .. directory)
end)

local function sorted(list)
  local copy = {}
  for i, id in ipairs(list) do copy[i] = id end
  table.sort(copy)
  return copy
end

for kind, new in pairs(SETS) do
  describe("orders to be watched, " .. kind, function()
    local set, n = nil, 0
    before_each(function()
      n = n + 1
      set = new("work" .. n)
    end)

    it("are claimed, each by one", function()
      assert.is_true(set:add { "1", "2", "3" })
      local claim = set:claim(2, 0, 60)
      assert.equal(2, #claim.ids)
      assert.same({}, claim.seen)
      local other = set:claim(2, 0, 60)
      assert.equal(1, #other.ids)
      assert.same({ "1", "2", "3" }, sorted { claim.ids[1], claim.ids[2], other.ids[1] })
    end)

    it("are due again when it was said, with what was seen", function()
      set:add { "1" }
      local claim = set:claim(10, 0, 60)
      assert.is_true(set:changed(claim, "1", { status = "Pending", charge = 0.5, remains = 10 }, 0.3))
      local none, failure, wait = set:claim(10, 0, 60)
      assert.is_nil(none)
      assert.is_nil(failure)
      assert.is_near(0.3, wait, 0.1)
      socket.sleep(0.35)
      claim = set:claim(10, 0, 60)
      assert.same({ "1" }, claim.ids)
      assert.same({ status = "Pending", charge = 0.5, remains = 10 }, claim.seen["1"])
      assert.is_true(set:unchanged(claim, claim.ids, 0))
      claim = set:claim(10, 0, 60)
      assert.same({ status = "Pending", charge = 0.5, remains = 10 }, claim.seen["1"])
    end)

    it("leave when they are final", function()
      set:add { "1" }
      local claim = set:claim(10, 0, 60)
      assert.is_true(set:changed(claim, "1", { status = "Completed" }))
      assert.same({}, { set:claim(10, 0, 60) })
    end)

    it("are waited for until a batch is full, or the first has waited long enough", function()
      set:add { "1", "2", "3" }
      local claim = set:claim(3, 0, 60)
      set:unchanged(claim, { claim.ids[1] }, 0.2)
      set:unchanged(claim, { claim.ids[2] }, 0.3)
      set:unchanged(claim, { claim.ids[3] }, 60)
      local _, _, full = set:claim(2, 30, 60)
      assert.is_near(0.3, full, 0.1)
      local _, _, patient = set:claim(3, 0.5, 60)
      assert.is_near(0.7, patient, 0.1)
      socket.sleep(0.25)
      assert.equal(1, #set:claim(3, 0, 60).ids)
    end)

    it("are not waited for when all of them are due", function()
      set:add { "1", "2" }
      assert.equal(2, #set:claim(100, 3600, 60).ids)
    end)

    it("bear being added again", function()
      set:add { "1", "2" }
      local claim = set:claim(10, 0, 60)
      for _, id in ipairs(claim.ids) do set:changed(claim, id, { status = "Pending" }, 60) end
      set:add { "1", "2", "3" }
      assert.same({ "3" }, set:claim(1, 0, 60).ids)
    end)

    it("are many", function()
      local ids, seen = {}, {}
      for i = 1, 2500 do ids[i] = ("order %d'"):format(i) end
      set:add(ids)
      local claim = set:claim(100, 0, 60)
      while claim do
        for _, id in ipairs(claim.ids) do
          assert.is_nil(seen[id])
          seen[id] = true
        end
        claim = set:claim(100, 0, 60)
      end
      for _, id in ipairs(ids) do assert.is_true(seen[id]) end
    end)
  end)
end

for _, kind in ipairs { "in SQLite", "in Redis" } do
  describe("orders watched by several, " .. kind, function()
    local set, other, n = nil, nil, 0
    before_each(function()
      n = n + 1
      set, other = SETS[kind]("shared" .. n), SETS[kind]("shared" .. n)
    end)

    it("fall to another when the lease of who has them is over", function()
      set:add { "1", "2" }
      local dead = set:claim(10, 0, 0.2)
      set:changed(dead, "1", { status = "Pending" }, 60)
      assert.is_nil((other:claim(10, 0, 60)))
      socket.sleep(0.25)
      assert.same({ "2" }, other:claim(10, 0, 60).ids)
    end)

    it("cannot be written by one who has lost them", function()
      set:add { "1", "2", "3" }
      local late = set:claim(10, 0, 0.1)
      socket.sleep(0.15)
      local claim = other:claim(10, 0, 60)
      assert.equal(3, #claim.ids)
      assert.is_true(set:changed(late, "1", { status = "Old" }, 0))
      assert.is_true(set:changed(late, "2", { status = "Old" }))
      assert.is_true(set:unchanged(late, { "3" }, 0))
      assert.is_nil((set:claim(10, 0, 60)))
      for _, id in ipairs(claim.ids) do other:unchanged(claim, { id }, 0) end
      claim = other:claim(10, 0, 60)
      assert.same({ "1", "2", "3" }, sorted(claim.ids))
      assert.same({}, claim.seen)
    end)

    it("are still there when it is opened again, with what was seen", function()
      set:add { "1" }
      set:changed(set:claim(10, 0, 60), "1", { status = "Pending" }, 0)
      local again = SETS[kind]("shared" .. n)
      assert.same({ status = "Pending" }, again:claim(10, 0, 60).seen["1"])
    end)
  end)
end
