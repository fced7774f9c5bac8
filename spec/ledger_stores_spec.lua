-- What smmpanel.ledger asks of a store, of each that comes with it.
local redis_server = require "spec.support.redis"
local redis_store = require "smmpanel.ledger.redis"
local sqlite_store = require "smmpanel.ledger.sqlite"

local directory, server = nil, nil

local STORES = {
  sqlite = function(n) return sqlite_store.new(directory .. "/" .. n .. ".db") end,
  ["redis, a client"] = function(n) return redis_store.new(server:client(), { prefix = n .. ":" }) end,
  ["redis, a function"] = function(n) return redis_store.new(server:connect(), { prefix = n .. ":" }) end,
}

local function entry(ref, token, more)
  local made = { ref = ref, token = token or "t1", fingerprint = "f1", wanted = '{"service":1}', seconds = 60,
  }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

setup(function()
  directory, server = redis_server.scratch(), redis_server.start()
end)

teardown(function()
  server:stop()
  os.execute("rm -rf " .. directory)
end)

for name, new in pairs(STORES) do
  describe("a ledger's store: " .. name, function()
    local store, n = nil, 0
    before_each(function()
      n = n + 1
      store = new(name:gsub("%W", "") .. n)
    end)

    local function pending_refs()
      local refs = {}
      for i, open in ipairs(assert(store:pending())) do refs[i] = open.ref end
      return refs
    end

    it("gives a ref to one taker", function()
      assert.equal("taken", store:take(entry "a"))
      local state, left = store:take(entry("a", "t2"))
      assert.equal("sending", state)
      assert.is_true(left > 50 and left < 63)
      assert.equal("taken", store:take(entry "b"))
    end)

    it("bears the same taker asking again, as after a lost answer", function()
      assert.equal("taken", store:take(entry "a"))
      assert.equal("taken", store:take(entry "a"))
      assert.equal("kept", store:keep(entry "a", '{"order":1}'))
      assert.equal("kept", store:keep(entry "a", '{"order":1}'))
    end)

    it("gives the answer that was kept", function()
      store:take(entry "a")
      assert.equal("kept", store:keep(entry "a", '{"order":1,"message":"it\'s"}'))
      assert.same({ "done", '{"order":1,"message":"it\'s"}' }, { store:take(entry("a", "t2")) })
      assert.same({}, store:pending())
    end)

    it("tells another order under the same ref", function()
      store:take(entry "a")
      assert.equal("mismatch", store:take(entry("a", "t2", { fingerprint = "f2" })))
      store:keep(entry "a", "{}")
      assert.equal("mismatch", store:take(entry("a", "t2", { fingerprint = "f2" })))
    end)

    it("forgets a ref that was freed, by its taker alone", function()
      store:take(entry "a")
      assert.is_true(store:free(entry("a", "t2")))
      assert.equal("sending", (store:take(entry("a", "t2"))))
      assert.is_true(store:free(entry "a"))
      assert.same({}, store:pending())
      assert.equal("taken", store:take(entry("a", "t2", { fingerprint = "f2" })))
    end)

    it("does not free what was kept", function()
      store:take(entry "a")
      store:keep(entry "a", "{}")
      assert.is_true(store:free(entry "a"))
      assert.equal("done", (store:take(entry("a", "t2"))))
    end)

    it("has an end in doubt at once, and one that was never told after the time", function()
      store:take(entry "a")
      assert.is_true(store:doubt(entry("a", "t2")))
      assert.equal("sending", (store:take(entry("a", "t2"))))
      assert.is_true(store:doubt(entry "a"))
      assert.equal("uncertain", store:take(entry("a", "t2")))
      assert.same({ "a" }, pending_refs())
    end)

    it("lists what is open, with what was wanted", function()
      store:take(entry "b")
      store:take(entry("a", "t1", { wanted = '{"link":"x"}' }))
      store:take(entry "c")
      store:keep(entry "c", "{}")
      store:doubt(entry "b")
      local list = assert(store:pending())
      assert.equal(2, #list)
      assert.equal("a", list[1].ref)
      assert.equal("sending", list[1].state)
      assert.is_true(list[1].left > 50)
      assert.equal('{"link":"x"}', list[1].wanted)
      assert.equal("uncertain", list[2].state)
      assert.equal(0, list[2].left)
      assert.is_true(math.abs(list[2].since - os.time()) < 30)
    end)

    it("settles what is open as made or as not made", function()
      store:take(entry "a")
      store:take(entry "b")
      store:doubt(entry "b")
      assert.equal("resolved", store:resolve("a", '{"order":7}'))
      assert.same({ "done", '{"order":7}' }, { store:take(entry("a", "t2")) })
      assert.equal("resolved", store:resolve "b")
      assert.equal("taken", store:take(entry("b", "t2")))
    end)

    it("does not settle as not made what may still be sent, nor anything twice", function()
      store:take(entry "a")
      local state, left = store:resolve "a"
      assert.equal("sending", state)
      assert.is_true(left > 50)
      store:resolve("a", "{}")
      assert.same({ "settled", "{}" }, { store:resolve("a", '{"order":8}') })
      assert.same({ "settled", "{}" }, { store:resolve "a" })
      assert.equal("unknown", store:resolve "never")
      assert.equal("unknown", store:resolve("never", "{}"))
    end)

    it("tells a late taker what came in between", function()
      store:take(entry "a")
      store:resolve("a", '{"order":7}')
      assert.same({ "settled", '{"order":7}' }, { store:keep(entry "a", '{"order":8}') })
      store:take(entry "b")
      store:doubt(entry "b")
      store:resolve "b"
      store:take(entry("b", "t2"))
      assert.equal("conflict", store:keep(entry "b", '{"order":8}'))
      assert.equal("sending", (store:take(entry("b", "t3"))))
    end)

    it("keeps an order whose entry was settled as not made", function()
      store:take(entry "a")
      store:doubt(entry "a")
      store:resolve "a"
      assert.equal("kept", store:keep(entry "a", '{"order":8}'))
      assert.same({ "done", '{"order":8}' }, { store:take(entry("a", "t2")) })
    end)

    it("bears any ref", function()
      local refs = {
        "'", "''; DROP TABLE smmpanel_orders; --", "\\", "%", "_", ":ref", "é", "\255\254", "KEYS[1]", "*",
        "{a}", "a b", ("x"):rep(256), "$1", "a'||'b", "-", "(", "[" }
      for i, ref in ipairs(refs) do assert.equal("taken", store:take(entry(ref, "t" .. i))) end
      for i, ref in ipairs(refs) do
        assert.equal("sending", (store:take(entry(ref, "other"))))
        assert.equal("kept", store:keep(entry(ref, "t" .. i), '{"message":' .. ("%q"):format(i) .. "}"))
      end
      for i, ref in ipairs(refs) do
        assert.same({ "done", '{"message":' .. ("%q"):format(i) .. "}" }, { store:take(entry(ref, "other")) })
      end
    end)

    it("lists more than one page", function()
      for i = 1, 1203 do store:take(entry(("r%04d"):format(i))) end
      local refs = pending_refs()
      assert.equal(1203, #refs)
      assert.equal("r0001", refs[1])
      assert.equal("r1203", refs[1203])
    end)

    it("is the same when it is opened again", function()
      store:take(entry "a")
      store:keep(entry "a", '{"order":1}')
      store:take(entry "b")
      local again = new(name:gsub("%W", "") .. n)
      assert.same({ "done", '{"order":1}' }, { again:take(entry("a", "t2")) })
      assert.equal("b", again:pending()[1].ref)
    end)
  end)
end

describe("a ledger in Redis", function()
  it("forgets settled refs after the time it was given, and open ones never", function()
    local store = redis_store.new(server:client(), { prefix = "exp:", expire = 100 })
    store:take(entry "a")
    store:keep(entry "a", "{}")
    store:take(entry "b")
    store:take(entry "c")
    store:resolve("c", "{}")
    local client = server:client()
    assert.is_true(client:ttl "exp:ref:a" > 90)
    assert.is_true(client:ttl "exp:ref:c" > 90)
    assert.equal(-1, client:ttl "exp:ref:b")
    assert.equal(-1, client:ttl "exp:pending")
  end)

  it("keeps what is settled for good where nothing else was said", function()
    local store = redis_store.new(server:client(), { prefix = "ever:" })
    store:take(entry "a")
    store:keep(entry "a", "{}")
    assert.equal(-1, server:client():ttl "ever:ref:a")
  end)

  it("takes an open ref whose entry was evicted for uncertain", function()
    local store = redis_store.new(server:client(), { prefix = "evicted:" })
    store:take(entry "a")
    server:client():del "evicted:ref:a"
    assert.equal("uncertain", store:take(entry("a", "t2")))
    assert.equal("uncertain", store:pending()[1].state)
    assert.equal("resolved", store:resolve("a", "{}"))
    assert.equal("done", (store:take(entry("a", "t3"))))
  end)
end)
