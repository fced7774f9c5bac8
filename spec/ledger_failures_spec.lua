-- A ledger that fails reports a code and what to do; the ref is then not taken.
local entries = require "spec.support.entries"
local limiter_redis = require "smmpanel.limiter.redis"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local redis_store = require "smmpanel.ledger.redis"
local sqlite_store = require "smmpanel.ledger.sqlite"
local system = require "spec.support.system"

local take = entries.take

local function keep(store, ref, answer)
  return store:keep(entries.new(store, ref, "t1", { owner = entries.taker, attempt = 1 }), answer)
end

local function fails(code, advice, result, failure)
  assert.is_nil(result)
  assert.equal(code, failure.code)
  assert.truthy(failure.message:find(advice, 1, true), failure.message)
end

local function throws(said, f, ...)
  local ok, thrown = pcall(f, ...)
  assert.is_false(ok)
  assert.truthy(thrown:find(said, 1, true), thrown)
end

describe("a ledger in SQLite that cannot be written", function()
  local directory
  before_each(function() directory = system.directory() end)
  after_each(function() os.execute("rm -rf " .. directory) end)

  local function path() return directory .. "/l.db" end

  -- Runs a program with the ledger's file as its argument; `around` is a shell command that ends in %s.
  local function run(around, program)
    local paths = ("package.path, package.cpath = %q, %q\n"):format(package.path, process.plain_cpath())
    system.write(directory .. "/program.lua", paths .. [[
      local store = require "smmpanel.ledger.sqlite".new(arg[1])
      local process_of = require "smmpanel.ledger.process"
      local owner = { panel = "p", account = "k", named = false }
      local function take(store, ref)
        local id, failure = store:identity()
        if not id then return nil, failure end
        owner.id = id
        return store:take { ref = ref, token = "t1", owner = owner, fingerprint = "f1", wanted = ("x"):rep(2000),
          placer = process_of.placer(90) }
      end
    ]] .. program)
    local command = process.lua() .. " " .. directory .. "/program.lua "
    return system.output(around:format(command) .. " 2>&1")
  end

  local FILL = [[
    local n = 0
    while true do
      local state, failure = take(store, "r" .. n)
      if not state then
        print(failure.code, failure.message)
        break
      end
      n = n + 1
    end
    if take(store, "later") then n = n + 1 end
    print("taken", n, "open", #store:pending(owner, nil, 1e6))
  ]]

  it("reports a full disk, and keeps what it had", function()
    local said = run("unshare -rm sh -c 'mount -t tmpfs -o size=1m none /mnt && %s /mnt/l.db'", FILL)
    if said:find "unshare" or said:find "mount:" then return pending "no file systems of its own here" end
    assert.truthy(said:find "^full\t", said)
    assert.truthy(said:find("free some space on its disk", 1, true))
    local taken, open = said:match "taken\t(%d+)\topen\t(%d+)"
    assert.equal(taken, open)
    assert.is_true(tonumber(taken) > 10)
  end)

  it("reports a file that may not grow", function()
    local said = run("trap '' XFSZ; ulimit -f 300; %s " .. path(), FILL)
    assert.truthy(said:find "^unavailable\t" or said:find "^full\t", said)
    assert.truthy(said:find("then try again", 1, true))
    local taken, open = said:match "taken\t(%d+)\topen\t(%d+)"
    assert.equal(taken, open)
  end)

  it("reports a read-only file", function()
    assert.equal("taken", take(sqlite_store.new(path()), "a"))
    collectgarbage()
    os.execute("chmod 444 " .. path() .. "* && chmod 555 " .. directory)
    local as_nobody = "cp %s/program.lua /dev/null; setpriv --reuid 65534 --regid 65534 --clear-groups %%s "
    local is_root = system.line "id -u" == "0"
    os.execute("chmod 755 " .. directory)
    local said = run((is_root and as_nobody:format(directory) or "%s ") .. path(), [[
      local state, failure = take(store, "b")
      print(state, failure and failure.code, failure and failure.message)
    ]])
    assert.truthy(said:find "^nil\tread_only\t", said)
    assert.truthy(said:find("write access", 1, true))
  end)

  it("reports a file that is not a database, or is damaged", function()
    system.write(path(), ("this is a text and not a database, long enough to have a header. "):rep(30))
    fails("corrupt", "choose another file", take(sqlite_store.new(path()), "a"))
  end)

  it("reports damaged pages, and never gives a ref twice because of them", function()
    local store = sqlite_store.new(path())
    for i = 1, 500 do take(store, "r" .. i) end
    store.connection:execute("PRAGMA wal_checkpoint(TRUNCATE)"):close()
    store.connection.handle:close()
    local file = assert(io.open(path(), "r+b"))
    file:seek("set", 4096)
    file:write(("\255\1\2"):rep(20000))
    file:close()
    fails("corrupt", "since then are uncertain", take(sqlite_store.new(path()), "r7"))
  end)

  it("reports a missing directory", function()
    fails("unavailable", "does its directory exist", take(sqlite_store.new("/nonexistent/l.db"), "a"))
  end)

  it("reports that another process blocks the file, and works when it is free again", function()
    local store, other = sqlite_store.new(path(), { busy_timeout = 0.1 }), sqlite_store.new(path())
    take(store, "a")
    take(other, "b")
    other.connection:execute "BEGIN IMMEDIATE"
    fails("busy", "busy_timeout", take(store, "c"))
    fails("busy", "busy_timeout", keep(store, "a", "{}"))
    other.connection:execute "ROLLBACK"
    assert.equal("taken", take(store, "c"))
    assert.equal("kept", keep(store, "a", "{}"))
  end)

  it("works again when its directory exists", function()
    local store = sqlite_store.new(directory .. "/later/l.db")
    fails("unavailable", "does its directory exist", take(store, "a"))
    os.execute("mkdir " .. directory .. "/later")
    assert.equal("taken", take(store, "a"))
  end)

  it("throws if it is called incorrectly", function()
    throws("the path must be a string, got nil", sqlite_store.new)
    throws("not empty", sqlite_store.new, "")
    throws("does not persist", sqlite_store.new, ":memory:")
    throws("did you mean 'busy_timeout'", sqlite_store.new, "x", { busy_timout = 1 })
  end)
end)

describe("a ledger in Redis that cannot be reached", function()
  local server
  before_each(function() server = redis_server.start "--repl-diskless-sync-delay 0" end)
  after_each(function() server:stop() end)

  it("reports that Redis is away, and works when it is back", function()
    local store = redis_store.new(server:connect())
    assert.equal("taken", take(store, "a"))
    server:kill()
    fails("unavailable", "is Redis up", take(store, "b"))
    server:start()
    assert.equal("taken", take(store, "b"))
  end)

  it("works at once when Redis has lost its scripts, also a replica that was promoted", function()
    local store = redis_store.new(server:connect())
    assert.equal("taken", take(store, "a"))
    server:client():script "flush"
    assert.equal("taken", take(store, "b"))
    local loaded = server:client():info().memory.number_of_cached_scripts
    assert.equal("taken", take(store, "c"))
    assert.equal(loaded, server:client():info().memory.number_of_cached_scripts)
  end)

  it("works for a Redis user who may use EVAL, but not EVALSHA", function()
    local raw = server:client()
    raw:raw_cmd "ACL SETUSER shop on >word ~* &* +@all -evalsha"
    local store = redis_store.new(function()
      local client = server:client()
      client:raw_cmd "AUTH shop word"
      return client
    end)
    for _, ref in ipairs { "a", "b", "c" } do assert.equal("taken", take(store, ref)) end
    assert.equal("held", take(store, "a", "t2"))
  end)

  it("works at once after a restart of Redis", function()
    local store = redis_store.new(server:connect())
    assert.equal("taken", take(store, "a"))
    server:kill()
    server:start()
    assert.equal("taken", take(store, "b"))
  end)

  it("asks for a function if a client has lost its connection", function()
    local store = redis_store.new(server:client())
    take(store, "a")
    server:kill()
    server:start()
    fails("unavailable", "is Redis up", take(store, "b"))
    fails("unavailable", "pass a function", take(store, "b"))
  end)

  it("never accepts a late answer as the answer to another request", function()
    local plain, several = redis_store.new(server:client(0.2)), redis_store.new(server:connect(0.2))
    take(plain, "warm")
    take(several, "warm2")
    server:signal "STOP"
    fails("unavailable", "timeout", take(plain, "a"))
    fails("unavailable", "timeout", take(several, "b"))
    server:signal "CONT"
    fails("unavailable", "pass a function", take(plain, "c"))
    assert.equal("taken", take(several, "c"))
    assert.equal("held", (take(several, "b", "t2"))) -- as it may: the question did arrive
    assert.equal("taken", take(several, "b"))
  end)

  it("detects a connection that is out of step", function()
    local client = server:client()
    client.network.write(client, "*1\r\n$4\r\nTIME\r\n") -- an answer that nobody will read
    local reply, failure = take(redis_store.new(client), "a")
    assert.is_nil(reply)
    assert.truthy(failure.message:find("another request", 1, true))
  end)

  it("explains what to do for each refusal", function()
    local client = server:client()
    local store = redis_store.new(server:connect(), { prefix = "p:" })
    client:config("set", "maxmemory", "1")
    fails("full", "raise maxmemory", take(store, "a"))
    client:config("set", "maxmemory", "0")
    client:del "p:pending"
    client:set("p:pending", "x")
    fails("corrupt", "another prefix", take(store, "b"))
    client:config("set", "requirepass", "secret")
    fails("unavailable", "password", take(redis_store.new(server:client()), "a"))
  end)

  it("reports a replica", function()
    local replica = redis_server.start(("--replicaof 127.0.0.1 %d"):format(server.port))
    local reply, failure = take(redis_store.new(replica:connect()), "a")
    replica:stop()
    fails("read_only", "its master", reply, failure)
  end)

  it("waits for the required replicas, and does not count without them", function()
    local store = redis_store.new(server:connect(), { replicas = 1 })
    fails("unavailable", "only 0 of 1 replicas", take(store, "a"))
    local replica = redis_server.start(("--replicaof 127.0.0.1 %d"):format(server.port))
    local state, failure
    for _ = 1, 20 do
      state, failure = take(store, "b")
      if state then break end
    end
    replica:stop()
    assert.equal("taken", state, type(failure) == "table" and failure.message or nil)
  end)

  it("reports that the function that connects fails", function()
    fails("unavailable", "no route", take(redis_store.new(function() error "no route" end), "a"))
    fails("unavailable", "no luck", take(redis_store.new(function() return nil, "no luck" end), "a"))
    fails("unavailable", "did not return a client", take(redis_store.new(function() return {} end), "a"))
  end)

  it("throws if it is called incorrectly", function()
    local client = server:client()
    throws("needs a Redis client with the method eval", redis_store.new)
    throws("needs a Redis client with the method eval", redis_store.new, {})
    throws("did you mean 'prefix'", redis_store.new, client, { prefx = "" })
    throws("'name' is missing", limiter_redis.new, client, { rate = 1 })
    throws("above 0", limiter_redis.new, client, { name = "a", rate = 0 })
  end)
end)
