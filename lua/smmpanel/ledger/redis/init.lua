--- A ledger in Redis. Each step is one script, so it is atomic. The keys:
--
--     PREFIX ledger       a hash: the ledger's id, its panels and accounts
--     PREFIX ref:…        a hash for each attempt: see smmpanel.ledger.redis.scripts
--     PREFIX pending      a sorted set of the open refs, all with score 0, so sorted by name
--     PREFIX made:PANEL   a sorted set of the refs by their orders' numbers
--
-- Open refs never expire. Settled refs expire after the option `expire`, if it is set: a ref that is used again after
-- that is ordered again. The default prefix has a hash tag, so that a cluster stores all keys in one slot. Redis must
-- not lose acknowledged writes: set `appendonly yes`, `appendfsync always` and `maxmemory-policy noeviction`, and the
-- option `replicas` to the number of replicas that may be promoted. The settings are checked at the first use, unless
-- `unsafe = true`.
-- @module smmpanel.ledger.redis

local checks = require "smmpanel.util.checks"
local core = require "smmpanel.core"
local process = require "smmpanel.ledger.process"
local redis = require "smmpanel.util.redis"
local scripts = require "smmpanel.ledger.redis.scripts"
local watched = require("smmpanel.util.lazy") "smmpanel.watch.redis"

local store = {}

local Store = {}
Store.__index = Store

local PAGE = 500 -- refs in one reply

local function flag(value)
  return type(value) ~= "boolean" and "true or false" or nil
end

local OPTIONS = {
  prefix = checks.line, expire = checks.integer(1, 1e10), replicas = checks.integer(0, 100), create = flag,
  unsafe = flag,
}

---@class smmpanel.RedisLedgerOptions
---@field prefix? string of all keys (`{smmpanel}:`)
---@field expire? integer seconds for which a settled ref is stored (forever)
---@field replicas? integer the number of Redis replicas that must acknowledge each step (0)
---@field create? boolean false: the ledger must exist under this prefix (true)
---@field unsafe? boolean true: use a Redis that may lose acknowledged writes (false)

--- Makes a ledger in Redis.
---@param client table|fun(): table a client with a timeout, or a function that connects (also after a fork)
---@param options? smmpanel.RedisLedgerOptions
---@return smmpanel.Ledger
function store.new(client, options)
  local where = "smmpanel.ledger.redis"
  options = checks.options(where, options or {}, OPTIONS)
  local run, settings = redis.runner(where, client, options.replicas)
  local prefix = options.prefix or "{smmpanel}:"
  return setmetatable({
    run = run, settings = settings, prefix = prefix, expire = ("%.0f"):format(options.expire or 0),
    keys = { prefix .. "ledger", prefix .. "pending" }, replicas = options.replicas or 0,
    create = options.create ~= false, unsafe = options.unsafe == true,
    numbers = setmetatable({}, { __mode = "k" }),
  }, Store)
end

local UNSAFE = "this Redis can lose acknowledged writes (%s): change the setting, or accept the risk with unsafe = true"

-- Returns what is wrong with the settings, or nil. Some Redis users may not read appendfsync.
local function weakness(self, aof, policy, replicas, fsync)
  if aof ~= "1" then return "appendonly is no; it must be yes" end
  if fsync and fsync ~= "always" then return "appendfsync is " .. fsync .. "; it must be always" end
  if policy:find "^allkeys" or self.expire ~= "0" and policy:find "^volatile" then
    return "maxmemory-policy is " .. policy .. "; it must be noeviction"
  end
  if (tonumber(replicas) or 0) > self.replicas then
    return ("%s replicas may be promoted, and the option replicas is %d"):format(replicas, self.replicas)
  end
end

local function check_safety(self)
  if self.unsafe then return nil end
  local reply, failure = self.run(scripts.safety, self.keys, {})
  if not reply then return failure end
  local why = weakness(self, reply[1], reply[2], reply[3], self.settings "appendfsync")
  if why then return { code = "unsafe", message = UNSAFE:format(why) } end
end

local GONE = "the ledger under the prefix '%s' is missing or was replaced (Redis was emptied, or this is another Redis "
  .. "or database): stop, and restore the first one; no other place records its refs"
local MISSING = "there is no ledger under the prefix '%s', and create = false: check the address, the database "
  .. "and the prefix, or allow its creation once"

local function changed(self, said)
  return nil, { code = "store_changed", message = said:format(self.prefix) }
end

local function random_id()
  local parts = {}
  for i = 1, 4 do parts[i] = ("%08x"):format(math.floor(core.random() * 2 ^ 32)) end
  return table.concat(parts)
end

function Store:identity()
  if self.id then return self.id end
  local failure = check_safety(self)
  if failure then return nil, failure end
  local reply
  reply, failure = self.run(scripts.identify, self.keys, { random_id(), self.create and "1" or "0" })
  if not reply then return nil, failure end
  if reply[1] == "" then return changed(self, MISSING) end
  self.id = reply[1]
  return self.id
end

local function run(self, script, keys, arguments)
  local reply, failure = self.run(script, keys, arguments)
  if not reply then return nil, failure end
  if reply[1] == "store_changed" then return changed(self, GONE) end
  return reply
end

-- The numbers of the owner's account and panel, which never change, and what the scripts get of them.
local function numbers_of(self, owner)
  if self.numbers[owner] then return self.numbers[owner] end
  local named = owner.named and "1" or "0"
  local reply, failure = run(self, scripts.register, self.keys, { owner.id, owner.panel, owner.account, named })
  if not reply then return nil, failure end
  local account, panel = reply[2], reply[3]
  self.numbers[owner] = {
    account = account, panel = panel, text = table.concat({ owner.id, account, panel, named }, " "),
    keys = { self.keys[1], self.keys[2], self.prefix .. "made:" .. panel },
  }
  return self.numbers[owner]
end
Store.numbers_of, Store.ask = numbers_of, run

-- Runs a script for one ref of an owner.
local function step(self, script, owner, ref, ...)
  local numbers, failure = numbers_of(self, owner)
  if not numbers then return nil, failure end
  return run(self, script, numbers.keys, { numbers.text, ref, ... })
end

local function known(text)
  return text ~= "" and text or nil
end

local FIELDS = 14 -- fields of a row in a reply

local function old_state(answer, till)
  if answer then return "made" end
  return tonumber(till) == 0 and "doubt" or "open"
end

-- Reads a row from a script's reply, from reply[i] on.
local function row_of(reply, i)
  local since, till = tonumber(reply[i + 7]), known(reply[i + 13])
  local now, answer = tonumber(reply[i + 2]), known(reply[i + 10])
  local placer = known(reply[i + 8])
  if not placer and since and till then
    placer = process.unknown_placer(since / 1000, math.max(0, (tonumber(till) - since) / 1000) + 30)
  end
  return {
    ref = reply[i], ours = reply[i + 1] == "1", attempt = tonumber(known(reply[i + 3]) or 1),
    state = known(reply[i + 4]) or old_state(answer, till), token = known(reply[i + 5]),
    fingerprint = known(reply[i + 6]), since = since and math.floor(since / 1000),
    age = since and (now - since) / 1000, placer = placer, wanted = known(reply[i + 9]), answer = answer,
    floor = tonumber(reply[i + 11]), evidence = known(reply[i + 12]),
  }
end

local function rows_of(reply, from)
  local list = {}
  for i = from, #reply, FIELDS do list[#list + 1] = row_of(reply, i) end
  return list
end

function Store:take(entry)
  local reply, failure = step(self, scripts.take, entry.owner, entry.ref, entry.token, entry.fingerprint,
    entry.wanted, entry.placer, entry.over or "")
  if not reply then return nil, failure end
  if reply[1] == "taken" then return "taken", tonumber(reply[2]) end
  return "held", row_of(reply, 2)
end

function Store:find(entry)
  local reply, failure = step(self, scripts.find, entry.owner, entry.ref)
  if not reply then return nil, failure end
  return reply[1] == "found" and row_of(reply, 2)
end

function Store:attempts(entry)
  local reply, failure = step(self, scripts.attempts, entry.owner, entry.ref)
  if not reply then return nil, failure end
  return rows_of(reply, 2)
end

local function number_text(order)
  return order and ("%.0f"):format(order) or ""
end

function Store:keep(entry, answer, order)
  local reply, failure = step(self, scripts.keep, entry.owner, entry.ref, entry.token,
    ("%.0f"):format(entry.attempt), entry.fingerprint, entry.placer, answer, number_text(order), self.expire)
  if not reply then return nil, failure end
  return reply[1], reply[2]
end

local function done(reply, failure)
  if reply then return true end
  return nil, failure
end

function Store:free(entry)
  return done(step(self, scripts.free, entry.owner, entry.ref, entry.token))
end

function Store:doubt(entry)
  return done(step(self, scripts.doubt, entry.owner, entry.ref, entry.token))
end

function Store:resolve(entry, answer, order)
  local reply, failure = step(self, scripts.resolve, entry.owner, entry.ref, ("%.0f"):format(entry.attempt),
    answer or "", number_text(order), self.expire)
  if not reply then return nil, failure end
  return reply[1], reply[1] == "other_attempt" and tonumber(reply[2]) or reply[2]
end

function Store:note(entry, evidence)
  return done(step(self, scripts.note, entry.owner, entry.ref, ("%.0f"):format(entry.attempt), evidence))
end

-- Members of a ref are the ref, a line feed and a suffix; this sorts after all of them.
local BEHIND = "\11"

-- Appends rows until there are those of `limit` refs. -> the count of refs, whether a further ref came
local function append_refs(list, rows, count, limit)
  for _, row in ipairs(rows) do
    local last = list[#list]
    if not last or last.ref ~= row.ref then count = count + 1 end
    if count > limit then return count, true end
    list[#list + 1] = row
  end
  return count, false
end

function Store:pending(owner, after, limit)
  local list, count, is_full = {}, 0
  local from = after and after ~= "" and after .. BEHIND or ""
  while true do
    local reply, failure = step(self, scripts.pending, owner, from, math.min(limit - count + 1, PAGE))
    if not reply then return nil, failure end
    count, is_full = append_refs(list, rows_of(reply, 3), count, limit)
    if reply[2] == "" or is_full then return list end
    from = reply[2]
  end
end

function Store:made(owner, above, upto, limit)
  local reply, failure = step(self, scripts.made, owner, "", ("%.0f"):format(above), ("%.0f"):format(upto), limit)
  if not reply then return nil, failure end
  local list = {}
  for i = 2, #reply, FIELDS + 1 do
    local row = row_of(reply, i + 1)
    row.made = tonumber(reply[i])
    list[#list + 1] = row
  end
  return list
end

function Store:adopt(owner)
  local reply, failure = step(self, scripts.adopt, owner, "")
  if not reply then return nil, failure end
  return tonumber(reply[2])
end

--- Returns a named set of watched orders of an account, shared by all processes that use the name: see
-- smmpanel.watch.queue.
---@param name string
---@param how { owner: smmpanel.LedgerOwner }
---@return table
function Store:work(name, how)
  return watched.new(self, name, how)
end

return store
