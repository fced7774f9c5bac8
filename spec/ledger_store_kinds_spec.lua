-- What only one of the built-in stores does: expiry and eviction in Redis, a conflict of two connections in SQLite.
local entries = require "spec.support.entries"
local redis_server = require "spec.support.redis"
local redis_store = require "smmpanel.ledger.redis"
local sqlite_store = require "smmpanel.ledger.sqlite"
local system = require "spec.support.system"

describe("a ledger in Redis", function()
  local server
  setup(function() server = redis_server.start() end)
  teardown(function() server:stop() end)

  local function entry(store, ref, token, attempt)
    return entries.new(store, ref, token, { attempt = attempt })
  end

  it("drops settled refs after the set time, and never open ones", function()
    local store = redis_store.new(server:client(), { prefix = "exp:", expire = 100 })
    for _, ref in ipairs { "a", "b", "c" } do store:take(entry(store, ref)) end
    store:keep(entry(store, "a", "t1", 1), "{}")
    store:resolve(entry(store, "c", "t1", 1), "{}")
    local client = server:client()
    local ttl = {}
    for _, key in ipairs(client:keys "exp:*") do ttl[key:match "^[^\n]*"] = client:ttl(key) end
    assert.is_true(ttl["exp:ref:a"] > 90 and ttl["exp:ref:c"] > 90)
    assert.same({ -1, -1, -1 }, { ttl["exp:ref:b"], ttl["exp:pending"], ttl["exp:ledger"] })
  end)

  it("keeps settled refs forever by default", function()
    local store = redis_store.new(server:client(), { prefix = "ever:" })
    store:take(entry(store, "a"))
    store:keep(entry(store, "a", "t1", 1), "{}")
    local client = server:client()
    for _, key in ipairs(client:keys "ever:*") do assert.equal(-1, client:ttl(key)) end
  end)

  it("ignores a take that arrives after it was freed, as over a network that was interrupted", function()
    local store = redis_store.new(server:client(), { prefix = "late:" })
    store:free(entry(store, "a"))
    assert.equal("held", (store:take(entry(store, "a"))))
    assert.same({}, store:pending(entries.owner(store), nil, 9))
    assert.is_false(store:find(entry(store, "b")))
    assert.same({ "taken", 1 }, { store:take(entry(store, "a", "t2")) })
    store:free(entry(store, "a", "t2"))
    assert.equal("held", (store:take(entry(store, "a", "t2"))))
    assert.same({ "taken", 2 }, { store:take(entry(store, "a", "t3")) })
    store:resolve(entry(store, "a", nil, 2))
    store:free(entry(store, "a", "t4"))
    assert.equal("held", (store:take(entry(store, "a", "t4"))))
    assert.same({ "taken", 3 }, { store:take(entry(store, "a", "t5")) })
    assert.equal(2, #store:attempts(entry(store, "a")))
  end)

  it("blocks no other account by freeing what was never taken", function()
    local store = redis_store.new(server:client(), { prefix = "late2:" })
    local shop = { owner = entries.owner(store, "shop", true) }
    store:take(entries.new(store, "a", "t1", shop))
    store:free(entry(store, "a", "t2"))
    local word, row = store:take(entry(store, "a", "t3"))
    assert.same({ "held", false }, { word, row.ours })
  end)

  it("treats an open ref whose entry was evicted as uncertain", function()
    local store = redis_store.new(server:client(), { prefix = "evicted:" })
    store:take(entry(store, "a"))
    local client = server:client()
    client:del(client:keys("evicted:ref:*")[1])
    assert.equal("doubt", select(2, store:take(entry(store, "a", "t2"))).state)
    assert.equal("doubt", store:pending(entries.owner(store), nil, 9)[1].state)
    assert.equal("resolved", store:resolve(entry(store, "a", nil, 1), "{}"))
    assert.equal("made", select(2, store:take(entry(store, "a", "t3"))).state)
  end)
end)

describe("a ledger in SQLite", function()
  local directory
  setup(function() directory = system.directory() end)
  teardown(function() os.execute("rm -rf " .. directory) end)

  it("reports a conflict if another attempt begins while the answer of a resolved one is stored", function()
    local path = directory .. "/conflict.db"
    local store, other = sqlite_store.new(path), sqlite_store.new(path)
    store:take(entries.new(store, "a"))
    store:resolve(entries.new(store, "a", nil, { attempt = 1 }))
    local connection, rows = store.connection, store.connection.rows
    function connection.rows(self, statement, ...)
      local list, why = rows(self, statement, ...)
      if statement:find("FROM smmpanel_orders", 1, true) then
        connection.rows = nil
        assert.equal("taken", other:take(entries.new(other, "a", "t2")))
      end
      return list, why
    end
    assert.equal("conflict", store:keep(entries.new(store, "a", "t1", { attempt = 1 }), '{"order":1}', 1))
    assert.equal('{"order":1}', store:attempts(entries.new(store, "a"))[1].answer)
  end)
end)
