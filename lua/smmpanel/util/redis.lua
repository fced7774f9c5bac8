--- Runs scripts on the user's Redis connection, of redis-lua or lua-resty-redis. Both have
-- `client:eval(script, keys, …)`; redis-lua throws errors, lua-resty-redis returns them. Clients around them may do
-- either for all errors, so Redis' own errors are recognised by their first word. A script is atomic, so each step is
-- one script.
-- @module smmpanel.util.redis

local core = require "smmpanel.core"
local guard = require "smmpanel.util.guard"
local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

local redis = {}

-- After a timeout a connection may return the late reply to the next request. So each request has a number, which its
-- reply repeats.
local HEAD = "local function script() "
local TAIL = "\nend local reply = script() table.insert(reply, 1, ARGV[#ARGV]) return reply"

-- The first word of Redis' error -> our code, what to do, and whether to retry on another connection.
local ADVICE = {
  OOM = { "full", "Redis is out of memory: raise maxmemory (with maxmemory-policy noeviction)" },
  MISCONF = { "full", "Redis cannot write to its disk: check its log and free some space" },
  READONLY = { "read_only", "this Redis is a replica: connect to its master", true },
  NOAUTH = { "unavailable", "give the connection its password (AUTH)", true },
  NOPERM = { "unavailable", "this Redis user lacks a permission: allow eval, and the keys under the prefix", true },
  WRONGTYPE = { "corrupt", "a key under the prefix belongs to another program: choose another prefix" },
  LOADING = { "unavailable", "Redis is still loading: try again in a moment", true },
  BUSY = { "unavailable", "Redis is busy with a script: try again in a moment" },
  MASTERDOWN = { "unavailable", "this replica has lost its master: connect to the master", true },
  CLUSTERDOWN = { "unavailable", "the cluster is down: check its nodes, then try again", true },
  MOVED = { "unavailable", "these keys are on another node of the cluster: connect to that node", true },
  ASK = { "unavailable", "these keys are moving to another node of the cluster: try again in a moment", true },
  TRYAGAIN = { "unavailable", "these keys are moving to another node of the cluster: try again in a moment" },
}

local AWAY = "is Redis up and reachable? Then try again"
local SPOILT = "this connection failed before and cannot be used again: pass a function that connects"
local FORKED = "this connection belongs to the process that has forked: pass a function that connects"
local SHARED = "this connection is in use by another coroutine: pass a function that returns a connection for each"

local ADVICE_ELSE = { "store", "an unexpected failure: check Redis' log" }

-- Errors without advice, which still say that the connection works.
local PLAIN = { ERR = true, NOSCRIPT = true }

local function word_of(said)
  return said:find("unauthenticated", 1, true) and "NOAUTH" or said:match("^%u+")
end

local function refused(said)
  local word = word_of(said)
  local known = ADVICE[word] or ADVICE_ELSE
  return { code = known[1], word = word, discard = known[3],
    message = ("Redis refused: %s; %s"):format(text.one_line(said, 200), known[2]) }
end

-- The connection cannot be used any more.
local function broken(said)
  said = text.one_line(tostring(said), 200)
  return { code = "unavailable", broken = true, discard = true, timeout = said:find("timeout", 1, true) ~= nil,
    message = ("the request to Redis failed: %s; %s"):format(said, AWAY) }
end

-- An error that a client threw or returned: of Redis, or of the connection.
local function failed(said)
  local bare, marks = tostring(said):gsub("^.-redis error: ", "")
  bare = bare:gsub("^%S+:%d+: ", "") -- the position in the client
  local word = word_of(bare)
  if marks > 0 or ADVICE[word] or PLAIN[word] then return refused(bare) end
  return broken(said)
end

-- -> reply; nil, failure
local function command(client, name, ...)
  local ok, reply, err = guard.call(client[name], client, ...)
  if not ok then return nil, failed(reply) end
  if reply == false then return nil, refused(tostring(err)) end
  if reply == nil then return nil, failed(err or "it returned no answer") end
  if type(reply) == "table" and reply.err then return nil, failed(reply.err) end
  return reply
end

-- Runs a script whose reply begins with its last argument, the request's number. -> the reply without it
local function numbered(client, name, script, arguments)
  local number = ("%.17g"):format(core.random())
  arguments[#arguments + 1] = number
  local reply, failure = command(client, name, script, (table.unpack or unpack)(arguments))
  arguments[#arguments] = nil
  if not reply then return nil, failure end
  if type(reply) ~= "table" or reply[1] ~= number then
    return nil, broken "it returned the answer to another request"
  end
  table.remove(reply, 1)
  return reply
end

-- A script -> the text that Redis gets; the text -> its SHA-1, or false if this Redis user may not use EVALSHA.
local texts, hashes = {}, {}

local function text_of(script)
  texts[script] = texts[script] or HEAD .. script .. TAIL
  return texts[script]
end

local HASH = "return {ARGV[2], redis.sha1hex(ARGV[1])}"

-- Redis computes the hash, because Lua has no SHA-1. Proxies and clients of clusters need a key to find the node.
local function hash_of(client, script, key)
  if not client.evalsha then return nil end
  if hashes[script] ~= nil then return hashes[script] end
  local reply, failure = numbered(client, "eval", HASH, key and { 1, key, script } or { 0, script })
  if not reply then return nil, failure end
  hashes[script] = reply[1]
  return hashes[script]
end

-- With EVALSHA Redis need not read and hash the text of the script again.
local function evaluate(client, script, arguments)
  local hash, failure = hash_of(client, script, arguments[1] > 0 and arguments[2] or nil)
  if failure then return nil, failure end
  if hash then
    local reply
    reply, failure = numbered(client, "evalsha", hash, arguments)
    if reply or failure.word ~= "NOSCRIPT" and failure.word ~= "NOPERM" then return reply, failure end
    if failure.word == "NOPERM" then hashes[script] = false end
  end
  return numbered(client, "eval", script, arguments)
end

local function ask(client, script, keys, arguments)
  local all = { #keys }
  for _, value in ipairs(keys) do all[#all + 1] = value end
  for _, value in ipairs(arguments) do all[#all + 1] = value end
  return evaluate(client, text_of(script), all)
end

local REPLICAS_WAIT = 1000 -- milliseconds

-- Distinguishes the two clients by lua-resty-redis's own methods: it creates a method for any name.
local function is_resty(client) return client.set_keepalive ~= nil end

local function wait_command(client, replicas)
  if is_resty(client) then return client:wait(replicas, REPLICAS_WAIT) end
  return client:raw_cmd(("WAIT %d %d"):format(replicas, REPLICAS_WAIT))
end

-- Waits until this many replicas have the writes of this connection. -> a failure if they do not
local function replicated(client, replicas)
  local ok, count, err = guard.call(wait_command, client, replicas)
  if not ok or not tonumber(count) then
    return broken(ok and (err or "WAIT gave no number") or count)
  elseif tonumber(count) < replicas then
    local said = "only %d of %d replicas of Redis have the write: check the replicas, then try again"
    return { code = "unavailable", message = said:format(tonumber(count), replicas) }
  end
end

-- Runs a script and, if the write must survive the loss of the master, waits for its replication.
local function ask_all(client, replicas, script, keys, arguments)
  local reply, failure = ask(client, script, keys, arguments)
  if reply and replicas > 0 then failure = replicated(client, replicas) end
  if failure then return nil, failure end
  return reply
end

local function is_client(value)
  local kind = type(value)
  if kind ~= "table" and kind ~= "userdata" then return false end
  local ok, method = guard.call(function() return value.eval end)
  return ok and method ~= nil
end

-- One connection for all requests. After a failure its replies may be shifted, so it is not used again. Processes that
-- share it after a fork would read each other's replies.
local function single(client, replicas)
  local busy, spoilt, pid = false, false, core.pid()
  return function(script, keys, arguments)
    if core.pid() ~= pid then return nil, { code = "unavailable", message = FORKED } end
    if spoilt then return nil, broken(SPOILT) end
    if busy then return nil, { code = "unavailable", message = SHARED } end
    busy = true
    local reply, failure = ask_all(client, replicas, script, keys, arguments)
    busy, spoilt = false, failure ~= nil and failure.broken == true
    return reply, failure
  end
end

local function connected(connect)
  local ok, client, err = guard.call(connect)
  if not ok then client, err = nil, client end
  if not client then return nil, broken(err or "the function that connects returned nothing") end
  if not is_client(client) then return nil, broken("the function that connects did not return a client") end
  return client
end

-- Opens connections on demand. In nginx a connection belongs to its request, and nginx pools free ones; elsewhere they
-- are pooled here. After a fork the child neither uses its parent's connections nor closes them, because closing
-- one with TLS would end it for both.
local function several(connect, replicas)
  local free, inherited, pid = {}, {}, core.pid()
  local function acquire()
    if core.pid() ~= pid then
      inherited[#inherited + 1], free, pid = free, {}, core.pid()
    end
    local client = table.remove(free)
    if client then return client end
    return connected(connect)
  end
  local function release(client)
    if is_resty(client) then
      guard.call(client.set_keepalive, client)
    else
      free[#free + 1] = client
    end
  end
  -- Closes a connection; ignores errors.
  local function discard(client)
    guard.call(is_resty(client) and client.close or client.quit, client)
  end
  local function once(script, keys, arguments)
    local client, failure = acquire()
    if not client then return nil, failure end
    local reply
    reply, failure = ask_all(client, replicas, script, keys, arguments)
    if not (failure and failure.discard) then
      release(client)
    elseif not failure.broken then
      discard(client)
    end
    return reply, failure
  end
  return function(script, keys, arguments)
    local reply, failure = once(script, keys, arguments)
    if not failure or not failure.broken or failure.timeout then return reply, failure end
    -- Redis was probably restarted since. All scripts may safely run twice.
    free = {}
    return once(script, keys, arguments)
  end, function(f)
    local client = acquire()
    if not client then return nil end
    local result = f(client)
    if result == nil then discard(client) else release(client) end
    return result
  end
end

-- CONFIG GET, which is not allowed in scripts. Returns nil if the Redis user has no permission.
local function setting_of(client, name)
  local ok, reply = guard.call(function()
    if is_resty(client) then return client:config("get", name) end
    return client:config("GET", name)
  end)
  if not ok or type(reply) ~= "table" then return nil end
  return reply[name] or reply[2]
end

--- Returns a function that runs scripts on a connection. It takes the script (which must return a table of strings
-- without holes), its keys and its arguments, and returns that table, or nil and `{ code, message }`.
---@param where string the public function's name
---@param client table|fun(): table a connected client, or a function that returns one
---@param replicas? integer how many replicas must have what a script wrote before it counts (0)
---@return fun(script: string, keys: string[], arguments: any[]): string[]?, table?
---@return fun(name: string): string? returns a setting by CONFIG GET; nil if that is not allowed
function redis.runner(where, client, replicas)
  replicas = replicas or 0
  if type(client) == "function" then
    local run, with_client = several(client, replicas)
    return run, function(name)
      return with_client(function(one) return setting_of(one, name) end)
    end
  end
  if not is_client(client) then
    argerror.throw(where, "needs a Redis client with the method eval (redis-lua's or lua-resty-redis's), "
      .. "or a function that returns one, got %s", argerror.describe(client))
  end
  return single(client, replicas), function(name) return setting_of(client, name) end
end

return redis
