-- A store is the one that a process saw first, or it is refused; and data of the previous version is migrated.
local core = require "smmpanel.core"
local entries = require "spec.support.entries"
local once = require "smmpanel.ledger.place_once"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local redis_store = require "smmpanel.ledger.redis"
local smmpanel = require "smmpanel"
local sqlite_store = require "smmpanel.ledger.sqlite"
local system = require "spec.support.system"

-- Each time with another owner, which the store has not registered.
local function take(store, ref, token)
  local id, failure = store:identity()
  if not id then return nil, failure end
  return store:take(entries.new(store, ref, token))
end

local function fails(code, words, result, failure)
  assert.is_nil(result)
  assert.equal(code, failure.code)
  assert.truthy(failure.message:find(words, 1, true), failure.message)
end

local function refs_of(store)
  local refs = {}
  for i, row in ipairs(assert(store:pending(entries.owner(store), nil, 100))) do
    refs[i] = row.ref .. " " .. row.state
  end
  return refs
end

local function execute(command)
  local result = os.execute(command)
  return result == true or result == 0
end

-- A search path that works in any directory.
local function from_root(list)
  return ((";" .. list):gsub(";%./", ";" .. core.absolute "." .. "/"):sub(2))
end

describe("a ledger's file", function()
  local directory
  before_each(function() directory = system.directory() end)
  after_each(function() os.execute("rm -rf " .. directory) end)

  local function path(name) return directory .. "/" .. (name or "l.db") end
  local function exists(name)
    local file = io.open(path(name))
    if file then file:close() end
    return file ~= nil
  end

  it("stays the same file after chdir and a lock of another process", function()
    os.execute(("mkdir %s/a %s/b"):format(directory, directory))
    local program = ([[
      package.path, package.cpath = %q, %q
      local lfs = require "lfs"
      lfs.chdir "%s/a"
      local sqlite = require "smmpanel.ledger.sqlite"
      local entries = require "spec.support.entries"
      local store = sqlite.new("orders.db", { busy_timeout = 0.05 })
      local other = sqlite.new("../a/orders.db")
      assert(store:take(entries.new(store, "x", "t1")) == "taken")
      lfs.chdir "../b"
      assert(other:identity())
      other.connection:execute "BEGIN IMMEDIATE"
      local word, failure = store:take(entries.new(store, "y", "t1"))
      assert(word == nil and failure.code == "busy", failure and failure.message)
      other.connection:execute "ROLLBACK"
      local held, row = store:take(entries.new(store, "x", "t2"))
      print(held, row.token)
    ]]):format(from_root(package.path), from_root(process.plain_cpath()), directory)
    system.write(path "p.lua", program)
    local said = system.output(process.lua() .. " " .. path "p.lua" .. " 2>&1")
    assert.equal("held\tt1\n", said)
    assert.is_true(exists "a/orders.db")
    assert.is_false(exists "b/orders.db")
  end)

  it("is refused when it was deleted, and not created again", function()
    local store = sqlite_store.new(path())
    assert.equal("taken", (take(store, "a")))
    os.execute("rm " .. path() .. "*")
    fails("store_changed", "is missing", take(store, "a"))
    fails("store_changed", "is missing", take(sqlite_store.new(path()), "a"))
    assert.is_false(exists())
  end)

  it("is refused if another file has replaced it, or if another ledger was copied into it", function()
    local store = sqlite_store.new(path())
    assert.equal("taken", (take(store, "a")))
    local other = sqlite_store.new(path "other.db")
    assert.equal("taken", (take(other, "b")))
    other.connection:execute("PRAGMA wal_checkpoint(TRUNCATE)"):close()
    os.execute(("mv %s %s; cp %s %s"):format(path(), path "away.db", path "other.db", path()))
    fails("store_changed", "is not the file", take(store, "a"))
    os.execute(("mv %s %s"):format(path "away.db", path()))
    assert.equal("held", (take(store, "a", "t2")))
    store.connection.handle:close()
    store.connection.handle = nil
    os.execute(("rm -f %s-wal %s-shm; cat %s > %s"):format(path(), path(), path "other.db", path()))
    fails("store_changed", "is not the file", take(store, "a"))
  end)

  it("is refused if it has two names", function()
    local store = sqlite_store.new(path())
    assert.equal("taken", (take(store, "a")))
    assert.is_true(execute(("ln %s %s"):format(path(), path "second.db")))
    fails("store_changed", "has 2 names", take(store, "a"))
    fails("store_changed", "has 2 names", take(sqlite_store.new(path "second.db"), "a"))
    os.execute("rm " .. path "second.db")
    assert.equal("held", (take(store, "a", "t2")))
  end)

  it("is one ledger under a symbolic link", function()
    assert.is_true(execute(("ln -s %s %s"):format(path(), path "link.db")))
    assert.equal("taken", (take(sqlite_store.new(path()), "a")))
    assert.equal("held", (take(sqlite_store.new(path "link.db"), "a", "t2")))
  end)

  it("is refused if only the file is mounted, as in a container", function()
    assert.equal("taken", (take(sqlite_store.new(path()), "a")))
    os.execute("mkdir " .. directory .. "/c && touch " .. directory .. "/c/l.db")
    system.write(path "p.lua", ([[
      package.path, package.cpath = %q, %q
      local store = require "smmpanel.ledger.sqlite".new "%s/c/l.db"
      local id, failure = store:identity()
      print(id, failure and failure.code, failure and failure.message)
    ]]):format(package.path, process.plain_cpath(), directory))
    local command = "unshare -rm sh -c 'mount --bind %s %s/c/l.db && %s %s' 2>&1"
    local said = system.output(command:format(path(), directory, process.lua(), path "p.lua"))
    if said:find "unshare" or said:find "mount:" then return pending "no mounts of its own here" end
    assert.truthy(said:find("^nil\tstore_changed\t.*single file"), said)
  end)

  it("is not created with create = false", function()
    fails("store_changed", "create = false", take(sqlite_store.new(path(), { create = false }), "a"))
    assert.is_false(exists())
    assert.equal("taken", (take(sqlite_store.new(path()), "a")))
    assert.equal("held", (take(sqlite_store.new(path(), { create = false }), "a", "t2")))
  end)

  it("is refused if its name means memory", function()
    for _, name in ipairs { ":memory:", ":memory: ", "file::memory:", "FILE:x?mode=memory", "file:x.db" } do
      local ok, thrown = pcall(sqlite_store.new, name)
      assert.is_false(ok)
      assert.truthy(thrown:find("does not persist", 1, true), thrown)
    end
  end)

  it("of a newer schema is refused", function()
    local store = sqlite_store.new(path())
    take(store, "a")
    store.connection:execute "PRAGMA user_version = 99"
    fails("store", "schema version 99", take(sqlite_store.new(path()), "a"))
  end)

  it("of the previous version is migrated, with all its contents", function()
    os.execute(("cp spec/data/ledger_1.db %s"):format(path()))
    local store = sqlite_store.new(path())
    assert.same({ "doubt doubt", "open open" }, refs_of(store))
    local row = store:find(entries.new(store, "made"))
    assert.same({ "made", '{"order":23501}', 1, true }, { row.state, row.answer, row.attempt, row.ours })
    assert.equal("held", (take(store, "open", "t2")))
    assert.equal("held", (store:take(entries.new(store, "made", "t2", { owner = entries.owner(store, "key2") }))))
    assert.equal("resolved", store:resolve(entries.new(store, "doubt", nil, { attempt = 1 })))
    assert.equal("taken", (take(store, "doubt", "t2")))
    assert.equal(store:identity(), sqlite_store.new(path()):identity())
  end)

  it("of version 2 is taken over, with all attempts", function()
    os.execute(("cp spec/data/ledger_2.db %s"):format(path()))
    local store = sqlite_store.new(path())
    assert.same({ "again open", "doubt doubt", "open open" }, refs_of(store))
    local states = {}
    for i, row in ipairs(store:attempts(entries.new(store, "again"))) do states[i] = row.attempt .. row.state end
    assert.same({ "1not_made", "2open" }, states)
    assert.same({ "made", '{"order":23501}' }, { store:find(entries.new(store, "made")).state,
      store:find(entries.new(store, "made")).answer })
    assert.same({ "taken", 3 }, { take(store, "free", "t8") })
    assert.equal(23501, store:made(entries.owner(store), 0, 1e9, 10)[1].made)
    assert.equal("kept", store:keep(entries.new(store, "open", "tok-open", { attempt = 1 }), '{"order":5}', 5))
    assert.equal("resolved", store:resolve(entries.new(store, "again", nil, { attempt = 2 })))
    assert.same({ "taken", 3 }, { take(store, "again", "t9") })
    assert.same({ "again open", "doubt doubt", "free open" }, refs_of(store))
  end)

  it("of the previous version answers panel:add as before", function()
    os.execute(("cp spec/data/ledger_1.db %s"):format(path()))
    local panel = smmpanel.new { url = "https://panel.example/api/v2", key = "k",
      ledger = smmpanel.ledger.sqlite(path()), transport = error }
    local function order(ref) return { service = 1, link = "https://example.com/" .. ref, quantity = 100 } end
    assert.same({ order = 23501 }, panel:add(order "made", { ref = "made" }))
    assert.equal("uncertain", select(2, panel:add(order "open", { ref = "open" })).code)
    assert.equal("mismatch", select(2, panel:add(order "other", { ref = "made" })).code)
    assert.equal("https://example.com/doubt", panel:pending()[1].order.link)
  end)
end)

describe("a ledger's Redis", function()
  local server
  setup(function() server = redis_server.start() end)
  teardown(function() server:stop() end)
  before_each(function() server:client():flushall() end)

  it("is refused when it was emptied, or if another one answers", function()
    local store = redis_store.new(server:connect())
    assert.equal("taken", (take(store, "a")))
    server:client():flushall()
    fails("store_changed", "missing or was replaced", take(store, "a"))
    assert.equal("taken", (take(redis_store.new(server:connect()), "a")))
    fails("store_changed", "missing or was replaced", take(store, "a"))
  end)

  it("is not created with create = false", function()
    fails("store_changed", "create = false", take(redis_store.new(server:connect(), { create = false }), "a"))
    assert.same({}, server:client():keys "*")
    assert.equal("taken", (take(redis_store.new(server:connect()), "a")))
    assert.equal("held", (take(redis_store.new(server:connect(), { create = false }), "a", "t2")))
  end)

  it("is refused while it may lose acknowledged writes, unless allowed", function()
    local client = server:client()
    for _, case in ipairs {
      { "appendonly", "no", "yes", "appendonly" }, { "appendfsync", "everysec", "always", "appendfsync" },
      { "maxmemory-policy", "allkeys-lru", "noeviction", "maxmemory-policy" },
    } do
      client:config("set", case[1], case[2])
      fails("unsafe", case[4], take(redis_store.new(server:connect()), "a"))
      assert.truthy(redis_store.new(server:connect(), { unsafe = true }):identity())
      client:config("set", case[1], case[3])
    end
    client:config("set", "maxmemory-policy", "volatile-ttl")
    assert.truthy(redis_store.new(server:connect()):identity())
    fails("unsafe", "maxmemory-policy", take(redis_store.new(server:connect(), { expire = 10 }), "a"))
    client:config("set", "maxmemory-policy", "noeviction")
    assert.truthy(redis_store.new(server:client()):identity())
  end)

  it("of the previous version is migrated, with all its contents", function()
    local client = server:client()
    for line in io.lines "spec/data/ledger_1.redis" do
      local word, key, a, b = line:match "^(%S+)\t([^\t]*)\t([^\t]*)\t(.*)$"
      client[word:lower()](client, key, a, b)
    end
    local store = redis_store.new(server:connect(), { prefix = "old:" })
    assert.same({ "doubt doubt", "open open" }, refs_of(store))
    local row = store:find(entries.new(store, "made"))
    assert.same({ "made", '{"order":23501}', 1, true }, { row.state, row.answer, row.attempt, row.ours })
    assert.equal("held", (take(store, "open", "t2")))
    assert.equal("resolved", store:resolve(entries.new(store, "doubt", nil, { attempt = 1 })))
    assert.equal("taken", (take(store, "doubt", "t2")))
    assert.equal("held", (take(store, "doubt", "t3")))
    assert.equal(2, #store:attempts(entries.new(store, "doubt")))
    assert.equal("kept", store:keep(entries.new(store, "open", "tok-open", { attempt = 1 }), '{"order":5}', 5))
    assert.same({ "doubt open" }, refs_of(store))
    assert.equal("1-11631be72817020227dc3362", once.fingerprint("panel.example",
      { "service", "1", "link", "https://example.com/made", "quantity", "100" }))
  end)
end)
