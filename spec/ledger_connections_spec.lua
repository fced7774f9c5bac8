-- The connections of a ledger: clients of Redis that report errors in other ways, and processes that fork.
local core = require "smmpanel.core"
local entries = require "spec.support.entries"
local redis_server = require "spec.support.redis"
local redis_store = require "smmpanel.ledger.redis"
local sqlite_store = require "smmpanel.ledger.sqlite"
local system = require "spec.support.system"

local has_posix, unistd = pcall(require, "posix.unistd")

local take = entries.take

-- How a client reports what Redis refused: called with redis-lua's client, returns what a method of it returns.
local WAYS = {
  ["returns nil and the error"] = function(said) return nil, said end,
  ["returns false and the error"] = function(said) return false, said end,
  ["throws the error with its own position"] = function(said) error("client.lua:12: " .. said, 0) end,
  ["returns a table with the error"] = function(said) return { err = said } end,
}

-- Returns redis-lua's client with another way to report errors.
local function wrapped(client, report)
  local made = {}
  for _, name in ipairs { "eval", "evalsha" } do
    made[name] = function(_, ...)
      local ok, reply = pcall(client[name], client, ...)
      if ok then return reply end
      return report((tostring(reply):gsub("^.-redis error: ", "")))
    end
  end
  return made
end

describe("a Redis client that", function()
  local server
  setup(function() server = redis_server.start() end)
  teardown(function() server:stop() end)

  for way, report in pairs(WAYS) do
    it(way .. " can be used after Redis has lost its scripts", function()
      local store = redis_store.new(wrapped(server:client(), report), { unsafe = true, prefix = way })
      assert.equal("taken", take(store, "a"))
      server:client():script "flush"
      assert.equal("taken", take(store, "b"))
    end)

    it(way .. " can be used after Redis was out of memory", function()
      local store = redis_store.new(wrapped(server:client(), report), { unsafe = true, prefix = way })
      assert.equal("taken", take(store, "c"))
      server:client():config("SET", "maxmemory", "1")
      local result, failure = take(store, "d")
      server:client():config("SET", "maxmemory", "0")
      assert.is_nil(result)
      assert.equal("full", failure.code)
      assert.equal("taken", take(store, "d"))
    end)
  end
end)

-- Runs f in a child process. Returns a function that waits for its result, true or false.
local function in_child(f)
  io.stdout:flush()
  local child = unistd.fork()
  if child == 0 then
    local ok, result = pcall(f)
    unistd._exit(ok and result and 0 or 1)
  end
  return function()
    local _, how, code = require "posix.sys.wait".wait(child)
    return how == "exited" and code == 0
  end
end

describe("a process that forks after it has used its ledger", function()
  local server, directory
  setup(function()
    if has_posix then server, directory = redis_server.start(), system.directory() end
  end)
  teardown(function()
    if not has_posix then return end
    server:stop()
    os.execute("rm -rf " .. directory)
  end)

  local function takes_all(store, who)
    for i = 1, 50 do
      if take(store, who .. i, who) ~= "taken" then return false end
    end
    return true
  end

  local STORES = {
    sqlite = function() return sqlite_store.new(directory .. "/l.db") end,
    redis = function() return redis_store.new(server:connect(3)) end,
  }

  for name, open in pairs(STORES) do
    it("shares no connection with its children, with a ledger in " .. name, function()
      if not has_posix then return pending "needs luaposix" end
      local store, children = open(), {}
      assert.equal("taken", take(store, "before"))
      for i = 1, 3 do children[i] = in_child(function() return takes_all(store, "child" .. i) end) end
      assert.is_true(takes_all(store, "parent"))
      for i = 1, 3 do assert.is_true(children[i]()) end
      assert.equal(201, #store:pending(entries.taker, nil, 1000))
    end)
  end

  it("leaves its only connection to Redis to the parent", function()
    if not has_posix then return pending "needs luaposix" end
    local store = redis_store.new(server:client(3), { prefix = "single:" })
    assert.equal("taken", take(store, "before"))
    local wait = in_child(function()
      local began = core.now()
      local state, failure = take(store, "child")
      return state == nil and failure.code == "unavailable" and failure.message:find("forked", 1, true)
        and core.now() - began < 2
    end)
    assert.is_true(wait())
    assert.is_true(takes_all(store, "parent"))
  end)
end)
