-- A set of watched orders, tested on each implementation: see smmpanel.watch.queue.
local redis_server = require "spec.support.redis"
local redis_store = require "smmpanel.ledger.redis"
local socket = require "socket"
local sqlite_store = require "smmpanel.ledger.sqlite"
local system = require "spec.support.system"
local work = require "smmpanel.watch.queue"
local watched = require "spec.support.watched"

local directory, server = nil, nil

local SETS = {
  ["in this process"] = function() return work.new(socket.gettime) end,
  ["in SQLite"] = function(n) return watched.set(sqlite_store.new(directory .. "/" .. n .. ".db"), "w") end,
  ["in Redis"] = function(n) return watched.set(redis_store.new(server:connect(), { prefix = n .. ":" }), "w") end,
}

setup(function() directory, server = system.directory(), redis_server.start() end)
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
  describe("watched orders, " .. kind, function()
    local set, n = nil, 0
    before_each(function()
      n = n + 1
      set = new("work" .. n)
    end)

    it("are claimed, each by one poller", function()
      assert.is_true(set:add { "1", "2", "3" })
      local claim = set:claim(2, 0, 60)
      assert.equal(2, #claim.ids)
      assert.same({}, claim.seen)
      local other = set:claim(2, 0, 60)
      assert.equal(1, #other.ids)
      assert.same({ "1", "2", "3" }, sorted { claim.ids[1], claim.ids[2], other.ids[1] })
    end)

    it("are due again at the set time, with their last record", function()
      set:add { "1" }
      local claim = set:claim(10, 0, 60)
      assert.is_true(set:changed(claim, "1", { status = "Pending", charge = "0.50", remains = 10 }, 1))
      local none, failure, wait = set:claim(10, 0, 60)
      assert.is_nil(none)
      assert.is_nil(failure)
      assert.is_true(wait > 0 and wait <= 1)
      socket.sleep(1.05)
      claim = set:claim(10, 0, 60)
      assert.same({ "1" }, claim.ids)
      assert.same({ status = "Pending", charge = "0.50", remains = 10 }, claim.seen["1"])
      assert.is_true(set:unchanged(claim, claim.ids, 0))
      claim = set:claim(10, 0, 60)
      assert.same({ status = "Pending", charge = "0.50", remains = 10 }, claim.seen["1"])
    end)

    it("leave when they are final", function()
      set:add { "1" }
      local claim = set:claim(10, 0, 60)
      assert.is_true(set:changed(claim, "1", { status = "Completed" }))
      assert.same({}, { set:claim(10, 0, 60) })
    end)

    it("stay known when they are final: adding them again reports nothing twice", function()
      set:add { "1", "2" }
      local claim = set:claim(10, 0, 60)
      set:changed(claim, "1", { status = "Canceled" })
      set:unchanged(claim, { "2" }, 0)
      set:add { "1", "2", "3" }
      assert.same({ "2", "3" }, sorted(set:claim(10, 0, 60).ids))
    end)

    it("wait until a batch is full, or until the first has waited long enough", function()
      set:add { "1", "2", "3" }
      local claim = set:claim(3, 0, 60)
      set:unchanged(claim, { claim.ids[1] }, 1)
      set:unchanged(claim, { claim.ids[2] }, 20)
      set:unchanged(claim, { claim.ids[3] }, 600)
      -- Seconds from now; a busy machine has used some of them.
      local _, _, full = set:claim(2, 30, 60)
      assert.is_true(full > 15 and full <= 20, full)
      local _, _, patient = set:claim(3, 10, 60)
      assert.is_true(patient > 6 and patient <= 11, patient)
      socket.sleep(1.05)
      assert.equal(1, #set:claim(3, 0, 60).ids)
    end)

    it("do not wait if all of them are due", function()
      set:add { "1", "2" }
      assert.equal(2, #set:claim(100, 3600, 60).ids)
    end)

    it("can be added again", function()
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
  describe("orders watched by several processes, " .. kind, function()
    local set, other, n = nil, nil, 0
    before_each(function()
      n = n + 1
      set, other = SETS[kind]("shared" .. n), SETS[kind]("shared" .. n)
    end)

    it("go to another process when a lease ends", function()
      set:add { "1", "2" }
      local dead = set:claim(10, 0, 0.2)
      set:changed(dead, "1", { status = "Pending" }, 60)
      assert.is_nil((other:claim(10, 0, 60)))
      socket.sleep(0.25)
      assert.same({ "2" }, other:claim(10, 0, 60).ids)
    end)

    it("cannot be written by a process that has lost them", function()
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

    it("show whether a claim is still valid", function()
      set:add { "1", "2" }
      local late = set:claim(10, 0, 0.1)
      assert.is_true(set:holds(late, "1"))
      socket.sleep(0.15)
      other:claim(10, 0, 60)
      assert.is_false(set:holds(late, "1"))
    end)

    it("are still there after reopening, with their last records", function()
      set:add { "1" }
      set:changed(set:claim(10, 0, 60), "1", { status = "Pending" }, 0)
      local again = SETS[kind]("shared" .. n)
      assert.same({ status = "Pending" }, again:claim(10, 0, 60).seen["1"])
    end)
  end)
end

for _, kind in ipairs { "in SQLite", "in Redis" } do
  describe("a set of watched orders, " .. kind, function()
    local ledger, n = nil, 0
    before_each(function()
      n = n + 1
      ledger = kind == "in SQLite" and sqlite_store.new(("%s/whose%d.db"):format(directory, n))
        or redis_store.new(server:connect(), { prefix = ("whose%d:"):format(n) })
    end)

    local function set_of(panel, account, named)
      return ledger:work("w", { owner = { panel = panel, account = account, named = named or false,
        id = assert(ledger:identity()) } })
    end

    it("belongs to a panel, and to an account if that has a name", function()
      local mine, other_panel = set_of("one.example/api", "k1"), set_of("two.example/api", "k1")
      assert(mine:add { "1", "2" })
      assert(other_panel:add { "1" })
      assert.equal(2, #mine:claim(10, 0, 60).ids)
      assert.equal(1, #other_panel:claim(10, 0, 60).ids)
      local one, two = set_of("three.example/api", "one", true), set_of("three.example/api", "two", true)
      assert(one:add { "1", "2" })
      assert(two:add { "1" })
      assert.equal(2, #one:claim(10, 0, 60).ids)
      assert.equal(1, #two:claim(10, 0, 60).ids)
    end)

    it("is refused to another key of the panel, until the key is adopted", function()
      assert(set_of("one.example/api", "old"):add { "1" })
      local ok, failure = set_of("one.example/api", "new"):add { "1" }
      assert.same({ nil, "other_account" }, { ok, failure.code })
      assert.truthy(failure.message:find("panel:adopt_account()", 1, true))
      ok, failure = set_of("one.example/api", "new", true):add { "1" }
      assert.same({ nil, "other_account" }, { ok, failure.code })
      assert(ledger:adopt { panel = "one.example/api", account = "new", named = false, id = ledger:identity() })
      assert.same({ "1" }, set_of("one.example/api", "new"):claim(10, 0, 60).ids)
    end)

    it("is shared by processes with any wall clock", function()
      local set = set_of("one.example/api", "k")
      set:add { "1", "2" }
      local claim = set:claim(1, 0, 1)
      set:unchanged(claim, claim.ids, 1)
      local time = os.time
      os.time = function(t) return t and time(t) or time() + 86400 end -- luacheck: ignore
      finally(function() os.time = time end) -- luacheck: ignore
      assert.equal(1, #set:claim(10, 0, 1).ids)
      os.time = function(t) return t and time(t) or time() - 86400 end -- luacheck: ignore
      socket.sleep(1.05)
      assert.equal(2, #set_of("one.example/api", "k"):claim(10, 0, 60).ids)
    end)
  end)
end

describe("a set of watched orders", function()
  it("in Redis continues when Redis' clock is set back", function()
    local client, prefix = server:client(), "back:"
    local set = watched.set(redis_store.new(server:connect(), { prefix = prefix }), "w")
    set:add { "1", "2" }
    local claim = set:claim(1, 0, 60)
    set:unchanged(claim, claim.ids, 1)
    claim = set:claim(1, 0, 60)
    local day = 86400e6
    for _, key in ipairs(client:keys(prefix .. "work:*")) do -- as if all of it was done a day later
      for _, id in ipairs { "1", "2" } do client:zincrby(key, ("%.0f"):format(day), id) end
    end
    for _, key in ipairs(client:keys(prefix .. "watch:*")) do
      client:hset(key, "last", ("%.0f"):format(tonumber(client:hget(key, "last")) + day))
    end
    claim.lease = ("%.0f"):format(tonumber(claim.lease) + day)
    assert.is_true(set:holds(claim, claim.ids[1]))
    local _, _, wait = set:claim(10, 0, 60)
    assert.is_true(wait < 2, tostring(wait))
    socket.sleep(wait + 0.05)
    assert.equal(1, #set:claim(10, 0, 60).ids)
  end)

  it("in a Redis that was emptied is not treated as finished", function()
    local client = server:client()
    local set = watched.set(redis_store.new(server:connect(), { prefix = "gone:" }), "w")
    set:add { "1" }
    for _, key in ipairs(client:keys "gone:*") do client:del(key) end
    local claim, failure = set:claim(10, 0, 60)
    assert.same({ nil, "store_changed" }, { claim, failure.code })
  end)

  it("in SQLite is due at once after a reboot, claimed or not", function()
    local path = directory .. "/reboot.db"
    local set = watched.set(sqlite_store.new(path), "w")
    set:add { "1", "2" }
    local claim = set:claim(1, 0, 3600)
    set:unchanged(set:claim(1, 0, 3600), { "2" }, 3600)
    os.execute(("sqlite3 %s \"UPDATE smmpanel_watched SET boot = 'another', due = due + 1e6\""):format(path))
    assert.equal(2, #watched.set(sqlite_store.new(path), "w"):claim(10, 0, 60).ids)
    assert.is_false(set:holds(claim, claim.ids[1]))
  end)

  it("of the previous version goes to the first account that opens it", function()
    local path, client = directory .. "/old.db", server:client()
    os.execute(("sqlite3 %s \"CREATE TABLE smmpanel_work (name TEXT NOT NULL, id TEXT NOT NULL, due REAL NOT NULL, "
      .. "seen TEXT, PRIMARY KEY (name, id)) WITHOUT ROWID; INSERT INTO smmpanel_work VALUES ('w', '7', 5, "
      .. "'{\\\"status\\\":\\\"Pending\\\"}'), ('other', '8', 5, NULL)\""):format(path))
    client:zadd("old:work:w", 5, "7")
    client:hset("old:seen:w", "7", '{"status":"Pending"}')
    for _, ledger in ipairs { sqlite_store.new(path),
      redis_store.new(server:connect(), { prefix = "old:" }) } do
      local claim = watched.set(ledger, "w", "first"):claim(10, 0, 60)
      assert.same({ "7" }, claim.ids)
      assert.same({ status = "Pending" }, claim.seen["7"])
      assert.is_nil((watched.set(ledger, "w", "second"):claim(10, 0, 60)))
    end
  end)
end)
