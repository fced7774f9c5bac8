-- The requirements of smmpanel.ledger, tested on each built-in store.
local entries = require "spec.support.entries"
local memory_store = require "spec.support.memory_store"
local redis_server = require "spec.support.redis"
local redis_store = require "smmpanel.ledger.redis"
local sqlite_store = require "smmpanel.ledger.sqlite"
local system = require "spec.support.system"

local directory, server = nil, nil
local kept_in_memory = {}

local STORES = {
  memory = function(n)
    kept_in_memory[n] = kept_in_memory[n] or memory_store.new()
    return kept_in_memory[n]
  end,
  sqlite = function(n) return sqlite_store.new(directory .. "/" .. n .. ".db") end,
  ["redis, a client"] = function(n) return redis_store.new(server:client(), { prefix = n .. ":" }) end,
  ["redis, a function"] = function(n) return redis_store.new(server:connect(), { prefix = n .. ":" }) end,
}

setup(function()
  directory, server = system.directory(), redis_server.start()
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

    local function entry(ref, token, more) return entries.new(store, ref, token, more) end
    local function owner(...) return entries.owner(store, ...) end
    local function at(ref, token, attempt, more)
      local made = entry(ref, token, more)
      made.attempt = attempt
      return made
    end

    -- A ref as another process sees it: its state and its answer.
    local function seen(ref, more)
      local word, row = store:take(entry(ref, "another", more))
      if word == "taken" then return word, row end
      return row.state, row.answer or row.ours
    end

    local function pending_refs(after, limit)
      local refs = {}
      for i, open in ipairs(assert(store:pending(owner(), after, limit or 100))) do refs[i] = open.ref end
      return refs
    end

    it("has a constant id", function()
      local id = assert(store:identity())
      assert.equal(id, new(name:gsub("%W", "") .. n):identity())
      assert.equal(id, store:identity())
    end)

    it("gives a ref to one taker", function()
      assert.same({ "taken", 1 }, { store:take(entry "a") })
      local word, row = store:take(entry("a", "t2"))
      assert.same({ "held", "open", "t1", 1, true }, { word, row.state, row.token, row.attempt, row.ours })
      assert.equal(entry("a").fingerprint, row.fingerprint)
      assert.truthy(row.placer:find " 90$")
      assert.equal("taken", (store:take(entry "b")))
    end)

    it("accepts a repeated take of the same taker, as after a lost answer", function()
      assert.same({ "taken", 1 }, { store:take(entry "a") })
      assert.same({ "taken", 1 }, { store:take(entry "a") })
      assert.equal("kept", store:keep(at("a", "t1", 1), '{"order":1}', 1))
      assert.equal("kept", store:keep(at("a", "t1", 1), '{"order":1}', 1))
    end)

    it("returns the stored answer", function()
      store:take(entry "a")
      assert.equal("kept", store:keep(at("a", "t1", 1), '{"order":1,"message":"it\'s"}', 1))
      assert.same({ "made", '{"order":1,"message":"it\'s"}' }, { seen "a" })
      assert.equal("made", store:find(entry "a").state)
      assert.is_false(store:find(entry "never"))
      assert.same({}, pending_refs())
    end)

    it("begins another attempt after one that its taker freed", function()
      store:take(entry "a")
      assert.is_true(store:free(entry("a", "t2")))
      assert.equal("open", (seen "a"))
      assert.is_true(store:free(entry "a"))
      assert.same({}, pending_refs())
      assert.same({ "taken", 2 }, { store:take(entry("a", "t2", { fingerprint = "f2" })) })
      assert.equal("conflict", store:keep(at("a", "t1", 1), '{"order":1}', 1))
      assert.equal("open", (seen "a"))
    end)

    it("does not free or doubt a stored answer", function()
      store:take(entry "a")
      store:keep(at("a", "t1", 1), "{}")
      assert.is_true(store:free(entry "a"))
      assert.is_true(store:doubt(entry "a"))
      assert.equal("made", (seen "a"))
    end)

    it("has an uncertain outcome when its taker reports it", function()
      store:take(entry "a")
      assert.is_true(store:doubt(entry("a", "t2")))
      assert.equal("open", (seen "a"))
      assert.is_true(store:doubt(entry "a"))
      assert.equal("doubt", (seen "a"))
      assert.same({ "a" }, pending_refs())
    end)

    it("lets only its token replace an attempt", function()
      store:take(entry "a")
      store:doubt(entry "a")
      assert.equal("held", (store:take(entry("a", "t2", { over = "t9" }))))
      assert.same({ "taken", 2 }, { store:take(entry("a", "t2", { over = "t1" })) })
      assert.equal("open", (seen "a"))
    end)

    it("lists open refs with their orders, in pages", function()
      store:take(entry "b")
      store:take(entry("a", "t1", { wanted = '{"link":"x"}' }))
      store:take(entry "c")
      store:keep(at("c", "t1", 1), "{}")
      store:take(entry "d")
      store:doubt(entry "b")
      local list = assert(store:pending(owner(), nil, 100))
      assert.equal(3, #list)
      assert.same({ "a", "open", '{"link":"x"}', 1 },
        { list[1].ref, list[1].state, list[1].wanted, list[1].attempt })
      assert.same({ "b", "doubt" }, { list[2].ref, list[2].state })
      assert.same({ "a", "b" }, pending_refs(nil, 2))
      assert.same({ "b", "d" }, pending_refs("a", 2))
      assert.same({}, pending_refs("d", 2))
    end)

    it("settles an open ref as made or as not made, and keeps the attempts", function()
      store:take(entry "a")
      store:take(entry "b")
      assert.equal("resolved", store:resolve(at("a", nil, 1), '{"order":7}', 7))
      assert.same({ "made", '{"order":7}' }, { seen "a" })
      assert.equal("resolved", store:resolve(at("b", nil, 1)))
      assert.same({ "taken", 2 }, { store:take(entry("b", "t2")) })
      local attempts = assert(store:attempts(entry "b"))
      assert.same({ 1, "not_made", 2, "open" },
        { attempts[1].attempt, attempts[1].state, attempts[2].attempt, attempts[2].state })
    end)

    it("settles the attempt that was checked, and no other", function()
      store:take(entry "a")
      store:resolve(at("a", nil, 1))
      store:take(entry("a", "t2"))
      assert.same({ "other_attempt", 2 }, { store:resolve(at("a", nil, 1)) })
      assert.same({ "other_attempt", 2 }, { store:resolve(at("a", nil, 1), '{"order":1}', 1) })
      assert.equal("open", (seen "a"))
    end)

    it("settles nothing twice", function()
      store:take(entry "a")
      store:resolve(at("a", nil, 1), "{}")
      assert.same({ "settled", "{}" }, { store:resolve(at("a", nil, 1), '{"order":8}', 8) })
      assert.same({ "settled", "{}" }, { store:resolve(at("a", nil, 1)) })
      assert.equal("unknown", store:resolve(at("never", nil, 1)))
    end)

    it("reports to a late taker what happened in between, and stores its answer", function()
      store:take(entry "a")
      store:resolve(at("a", nil, 1), '{"order":7}', 7)
      assert.same({ "settled", '{"order":7}' }, { store:keep(at("a", "t1", 1), '{"order":8}', 8) })
      store:take(entry "b")
      store:resolve(at("b", nil, 1))
      store:take(entry("b", "t2"))
      for _ = 1, 2 do -- the first reply may be lost
        assert.equal("conflict", store:keep(at("b", "t1", 1), '{"order":8}', 8))
      end
      assert.same({ "settled", '{"order":8}' }, { store:keep(at("b", "t1", 1), '{"order":9}', 9) })
      assert.equal("open", (seen "b"))
      assert.equal('{"order":8}', assert(store:attempts(entry "b"))[1].answer)
      store:take(entry "c")
      store:resolve(at("c", nil, 1))
      assert.equal("kept", store:keep(at("c", "t1", 1), '{"order":9}', 9))
      assert.same({ "made", '{"order":9}' }, { seen "c" })
    end)

    it("separates keys and names of one panel, and answers none for another", function()
      local other, named, also = { owner = owner "key2" }, { owner = owner("shop", true) },
        { owner = owner("blog", true) }
      store:take(entry "a")
      assert.same({ "open", false }, { seen("a", other) })
      assert.same({ "open", false }, { seen("a", named) })
      assert.equal("other_account", store:resolve(at("a", nil, 1, other)))
      store:take(entry("b", "t1", named))
      assert.same({ "open", false }, { seen "b" })
      assert.equal("taken", (seen("b", also)))
      local elsewhere = owner()
      elsewhere.panel = "panel.example/api/v1"
      assert.equal("taken", (seen("a", { owner = elsewhere })))
    end)

    it("accepts a new key for the same account on request", function()
      local other = { owner = owner "key2" }
      store:take(entry "a")
      store:keep(at("a", "t1", 1), '{"order":1}', 1)
      assert.same({ "made", '{"order":1}' }, { seen("a", other) })
      assert.is_false(store:find(entry("a", nil, other)).ours)
      assert.equal(1, store:adopt(other.owner))
      assert.equal(0, store:adopt(other.owner))
      assert.is_true(store:find(entry("a", nil, other)).ours)
      store:take(entry("b", "t2", other))
      assert.is_true(store:find(entry "b").ours)
      assert.is_false(store:find(entry("b", nil, { owner = owner("shop", true) })).ours)
      assert.equal(1, store:adopt(owner("shop", true)))
      assert.is_true(store:find(entry("b", nil, { owner = owner("shop", true) })).ours)
    end)

    it("finds the orders of its panel by number, and the largest before each attempt", function()
      for i, ref in ipairs { "a", "b", "c" } do
        store:take(entry(ref))
        store:keep(at(ref, "t1", 1), "{}", 10 * i)
      end
      store:take(entry "d")
      assert.equal(30, store:find(entry "d").floor)
      local list = assert(store:made(owner(), 10, 30, 100))
      assert.same({ "b", 20, "c", 30 }, { list[1].ref, list[1].made, list[2].ref, list[2].made })
      assert.equal(1, #store:made(owner(), 10, 30, 1))
      assert.equal(2, #store:made(owner("shop", true), 10, 30, 100))
      list = store:made(owner(), -1, 30, -2)
      assert.same({ 20, 30, nil }, { list[1].made, list[2].made, list[3] })
    end)

    it("keeps evidence about an attempt", function()
      store:take(entry "a")
      assert.is_true(store:note(at("a", nil, 1), '{"verdict":"unknown"}'))
      assert.equal('{"verdict":"unknown"}', store:find(entry "a").evidence)
      assert.is_true(store:note(at("never", nil, 1), "{}"))
    end)

    it("accepts any ref", function()
      local refs = {
        "'", "''; DROP TABLE smmpanel_orders; --", "\\", "%", "_", ":ref", "é", "\255\254", "KEYS[1]", "*",
        "{a}", "a b", ("x"):rep(256), "$1", "a'||'b", "-", "(", "[" }
      for i, ref in ipairs(refs) do assert.equal("taken", (store:take(entry(ref, "t" .. i)))) end
      for i, ref in ipairs(refs) do
        assert.equal("open", (seen(ref)))
        assert.equal("kept", store:keep(at(ref, "t" .. i, 1), '{"message":' .. ("%q"):format(i) .. "}"))
      end
      for i, ref in ipairs(refs) do
        assert.same({ "made", '{"message":' .. ("%q"):format(i) .. "}" }, { seen(ref) })
      end
    end)

    it("lists more than one page", function()
      for i = 1, 603 do store:take(entry(("r%04d"):format(i))) end
      local refs = pending_refs(nil, 2 ^ 31)
      assert.equal(603, #refs)
      assert.same({ "r0001", "r0603" }, { refs[1], refs[603] })
    end)

    it("finds an adopted key's order, not the one of another name", function()
      for i, name_of_account in ipairs { "shop", "bar" } do
        local more = { owner = owner(name_of_account, true) }
        store:take(entry("a", "t" .. i, more))
        store:keep(at("a", "t" .. i, 1, more), ('{"order":%d}'):format(i), i)
      end
      assert.equal("taken", (store:take(entry("b", "t3"))))
      assert.equal(1, store:adopt(owner("bar", true)))
      assert.same({ "made", '{"order":2}' }, { seen "a" })
    end)

    it("takes an adopted key's ref again although another account has the same ref", function()
      for i, name_of_account in ipairs { "shop", "bar" } do
        store:take(entry("a", "t" .. i, { owner = owner(name_of_account, true) }))
      end
      store:resolve(at("a", nil, 1, { owner = owner("bar", true) }))
      store:take(entry("b", "t3"))
      assert.equal(1, store:adopt(owner("bar", true)))
      assert.same({ "taken", 2 }, { store:take(entry("a", "t4")) }) -- SQLite's store never returned
    end)

    it("skips no ref at the end of a page that two accounts hold", function()
      for _, name_of_account in ipairs { "shop", "bar" } do
        store:take(entry("b", "t" .. name_of_account, { owner = owner(name_of_account, true) }))
      end
      store:take(entry "a")
      store:take(entry "c")
      assert.same({ "a", "b", "b" }, pending_refs(nil, 2))
      assert.same({ "b", "b" }, pending_refs("a", 1))
      assert.same({ "c" }, pending_refs("b", 1))
      assert.same({ "a", "b", "b", "c" }, pending_refs(nil, 3))
    end)

    it("is the same after reopening", function()
      store:take(entry "a")
      store:keep(at("a", "t1", 1), '{"order":1}', 1)
      store:take(entry "b")
      store = new(name:gsub("%W", "") .. n)
      assert.same({ "made", '{"order":1}' }, { seen "a" })
      assert.same({ "b" }, pending_refs(nil, 10))
    end)
  end)
end
