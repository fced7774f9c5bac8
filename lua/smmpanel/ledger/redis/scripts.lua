--- The scripts of a Redis ledger; each is atomic. KEYS[1] is the ledger's hash, KEYS[2] the set of open refs, KEYS[3]
-- the orders by number. In all scripts about a ref ARGV[1] is the owner: the ledger's id, the account's number, its
-- panel's number, and '1' if the account has a name, separated by spaces. ARGV[2] is the ref.
--
-- An attempt's hash is at PREFIX ref:REF\nSCOPE, its fields: c account, n attempt, st state, t token, f
-- fingerprint, s since (ms), p placer, o what was ordered, a answer, fl the largest order number known before,
-- e evidence, d the token that was freed last. The scope is the panel's number, and for an account with a name a slash
-- and the account's number. An attempt that was followed by another is at the same key with \nATTEMPT appended. Version
-- 1 wrote PREFIX ref:REF, with u (until) in place of p.
-- @module smmpanel.ledger.redis.scripts

local scripts = {}

-- ARGV: a new id, '1' to create. -> the id
scripts.identify = [[
  local id = redis.call('HGET', KEYS[1], 'id')
  if not id and ARGV[2] == '1' then
    id = ARGV[1]
    redis.call('HSET', KEYS[1], 'id', id, 'schema', '2', 'last', '0')
  end
  return {id or ''}
]]

-- Reads the safety settings from INFO. -> aof, policy, replicas
scripts.safety = [[
  local function of(section, name)
    local info = redis.call('INFO', section)
    if type(info) == 'table' then info = info[1] end
    return info:match(name .. ':([^\r\n]*)') or ''
  end
  return {of('persistence', 'aof_enabled'), of('memory', 'maxmemory_policy'), of('replication', 'connected_slaves')}
]]

local SAME_STORE = [[
  if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return {'store_changed'} end
]]

-- ARGV: id, panel, account, '1' if it is a name. -> the numbers of the account and of the panel
scripts.register = SAME_STORE .. [[
  local function number(field)
    local known = redis.call('HGET', KEYS[1], field)
    if known then return known, false end
    local new = string.format('%d', redis.call('HINCRBY', KEYS[1], 'last', 1))
    redis.call('HSET', KEYS[1], field, new)
    return new, true
  end
  local panel = number('panel:' .. ARGV[2])
  local account, is_new = number('account:' .. panel .. ':' .. ARGV[4] .. ':' .. ARGV[3])
  if is_new then
    redis.call('HSET', KEYS[1], 'group:' .. account, account)
    local list = (ARGV[4] == '1' and 'names:' or 'keys:') .. panel
    redis.call('HSET', KEYS[1], list, (redis.call('HGET', KEYS[1], list) or '') .. ' ' .. account)
  end
  return {'ok', account, panel}
]]

-- Checks the store, and names the keys of a ref. The suffixes of its hash: `own` of this account, `unnamed` of an
-- account without a name, and '' of version 1. `names` are the panel's accounts with a name.
local REF = [[
  local id, account, panel, named = ARGV[1]:match('^(%S+) (%S+) (%S+) (%S+)$')
  local ref, refs = ARGV[2], KEYS[1]:gsub('ledger$', 'ref:')
  named = named == '1'
  local store, names = unpack(redis.call('HMGET', KEYS[1], 'id', 'names:' .. panel))
  if store ~= id then return {'store_changed'} end
  local unnamed = '\n' .. panel
  local own = named and unnamed .. '/' .. account or unnamed
  local function key(suffix) return refs .. ref .. suffix end
]]

-- In milliseconds, as a text: numbers are slow to format.
local NOW = [[
  local time = redis.call('TIME')
  local now = time[1] .. ('00000' .. time[2]):sub(-6, -4)
]]

-- Joins this account with the keys that have no other name. ARGV as for a ref. -> the number of accounts joined
scripts.adopt = REF .. [[
  local function list(field) return redis.call('HGET', KEYS[1], field .. panel) or '' end
  local function group(account) return redis.call('HGET', KEYS[1], 'group:' .. account) end
  local claimed, groups, count, first = {}, {}, 0, nil
  for name in list('names:'):gmatch('%d+') do
    if name ~= account then claimed[group(name)] = true end
  end
  local function join(g)
    if groups[g] then return end
    groups[g], count = true, count + 1
    if not first or tonumber(g) < tonumber(first) then first = g end
  end
  join(group(account))
  for key in list('keys:'):gmatch('%d+') do
    if not claimed[group(key)] then join(group(key)) end
  end
  for one in (list('names:') .. ' ' .. list('keys:')):gmatch('%d+') do
    if groups[group(one)] then redis.call('HSET', KEYS[1], 'group:' .. one, first) end
  end
  return {'ok', tostring(count - 1)}
]]

-- Finds the ref's hash. `lookup()` returns the suffix of its key, whether it is this account's, and the fields that
-- `read` returns; nil without one.
local LOOKUP = [[
  local function group(a) return redis.call('HGET', KEYS[1], 'group:' .. a) end
  local function read(suffix)
    local fields = redis.call('HMGET', key(suffix), 'c', 'n', 'st', 't', 'a', 'd')
    if fields[1] or fields[2] or fields[3] or fields[4] or fields[5] then return fields end
  end
  local function ours(fields)
    local owner = fields[1]
    return owner == account or not owner or group(owner) == group(account)
  end
  local function lookup()
    local fields = read(own)
    if fields then return own, ours(fields), fields end
    fields = named and read(unnamed)
    if fields then return unnamed, ours(fields), fields end
    local blocking, blocked
    for name in (not named and names or ''):gmatch('%d+') do
      local other = unnamed .. '/' .. name
      fields = read(other)
      if fields and ours(fields) then return other, true, fields end
      if fields then blocking, blocked = other, fields end
    end
    if blocking then return blocking, false, blocked end
    fields = read('')
    if fields then return '', true, fields end
  end
]]

-- Rows in replies.
local ROW = NOW .. [[
  local function row(suffix, mine)
    local fields = redis.call('HMGET', key(suffix), 'n', 'st', 't', 'f', 's', 'p', 'o', 'a', 'fl', 'e', 'u')
    local found = {ref, mine and '1' or '0', now}
    for i = 1, 11 do found[i + 3] = fields[i] or '' end
    return found
  end
  local function answer(word, list)
    table.insert(list, 1, word)
    return list
  end
  -- A row that was open and is gone (evicted): its outcome is unknown.
  local function lost()
    return {ref, '1', now, '1', 'doubt', '', '', '', '', '', '', '', '', ''}
  end
]]

-- ARGV: ... token, fingerprint, wanted, placer, the token it may replace (or '')
-- The usual case comes first: the ref is new. Then it is also no open ref, unless its hash is gone.
scripts.take = REF .. NOW .. [[
  local function open(suffix) return redis.call('ZADD', KEYS[2], 0, ref .. suffix) == 1 end
  local function begin(suffix, attempt)
    local last = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')
    redis.call('HSET', key(suffix), 'c', account, 'n', attempt, 'st', 'open', 't', ARGV[3], 'f', ARGV[4],
      'o', ARGV[5], 'p', ARGV[6], 's', now, 'fl', last[2] or '')
    return {'taken', attempt}
  end
  local is_new = (named or not names) and redis.call('EXISTS', key(own), key('')) == 0
    and not (named and redis.call('EXISTS', key(unnamed)) == 1)
  if is_new and open(own) then return begin(own, '1') end
]] .. LOOKUP .. ROW .. [[
  local suffix, mine, fields = lookup()
  if not suffix then
    if not is_new and open(own) then return begin(own, '1') end
    return answer('held', lost())
  end
  local _, n, st, t, a, dead = unpack(fields)
  n = n or '1'
  if t == ARGV[3] then return {'taken', n} end
  if not mine or a or dead == ARGV[3] then return answer('held', row(suffix, mine)) end
  if st == 'not_made' then
    -- An entry of version 1 now gets an owner: next to '' the attempts would have the names of panels.
    local next_to = suffix == '' and own or suffix
    redis.call('RENAME', key(suffix), key(next_to) .. '\n' .. n)
    suffix = next_to
  elseif st ~= 'free' and not (t and t == ARGV[7]) then
    return answer('held', row(suffix, mine))
  end
  open(suffix)
  redis.call('HDEL', key(suffix), 'u', 'e')
  return begin(suffix, string.format('%d', n + 1))
]]

scripts.find = REF .. LOOKUP .. ROW .. [[
  local suffix, mine = lookup()
  if suffix then return answer('found', row(suffix, mine)) end
  if redis.call('ZSCORE', KEYS[2], ref .. own) then return answer('found', lost()) end
  return {'none'}
]]

-- -> rows one after the other, each as in find
scripts.attempts = REF .. LOOKUP .. ROW .. [[
  local suffix, mine, fields = lookup()
  local found = {'ok'}
  if not suffix or not mine then return found end
  local last = tonumber(fields[2]) or 1
  for n = 1, last do
    local at = n < last and suffix .. '\n' .. string.format('%d', n) or suffix
    if read(at) then
      for _, value in ipairs(row(at, mine)) do found[#found + 1] = value end
    end
  end
  return found
]]

-- An attempt becomes a settled one. expire in seconds, 0 for never
local SETTLE = [[
  local function settle(suffix, json, number, expire)
    redis.call('HSET', key(suffix), 'a', json, 'st', 'made')
    redis.call('HDEL', key(suffix), 't', 'o', 'u')
    redis.call('ZREM', KEYS[2], ref .. suffix)
    if number ~= '' then redis.call('ZADD', KEYS[3], number, ref .. suffix) end
    if tonumber(expire) > 0 then redis.call('EXPIRE', key(suffix), expire) end
  end
]]

-- ARGV: ... token, attempt, fingerprint, placer, answer, number, expire
scripts.keep = REF .. LOOKUP .. SETTLE .. [[
  local suffix, mine, fields = lookup()
  if not suffix then
]] .. NOW .. [[
    redis.call('HSET', key(own), 'c', account, 'n', ARGV[4], 'f', ARGV[5], 'p', ARGV[6], 's', now)
    settle(own, ARGV[7], ARGV[8], ARGV[9])
    return {'kept'}
  end
  local _, n, _, t, a = unpack(fields)
  if (n or '1') ~= ARGV[4] then
    local earlier = suffix .. '\n' .. ARGV[4]
    fields = suffix ~= '' and read(earlier)
    if fields and fields[5] and fields[5] ~= ARGV[7] then return {'settled', fields[5]} end
    if fields and not fields[5] then
      redis.call('HSET', key(earlier), 'a', ARGV[7], 'st', 'made')
      if ARGV[8] ~= '' then redis.call('ZADD', KEYS[3], ARGV[8], ref .. earlier) end
    end
    return {'conflict'}
  end
  if a == ARGV[7] then return {'kept'} end
  if a then return {'settled', a} end
  if not mine or (t and t ~= ARGV[3]) then return {'conflict'} end
  settle(suffix, ARGV[7], ARGV[8], ARGV[9])
  return {'kept'}
]]

-- ARGV: ... token
-- A take whose reply was lost may arrive after this, when the network is back, so its token is stored as `d`.
scripts.free = REF .. LOOKUP .. [[
  local suffix, mine, fields = lookup()
  if suffix and fields[4] == ARGV[3] then
    redis.call('HSET', key(suffix), 'st', 'free', 'd', ARGV[3])
    redis.call('HDEL', key(suffix), 't', 'o', 'u')
    redis.call('ZREM', KEYS[2], ref .. suffix)
  elseif suffix and mine and (fields[3] == 'free' or fields[3] == 'not_made') then
    redis.call('HSET', key(suffix), 'd', ARGV[3])
  elseif not suffix and not redis.call('ZSCORE', KEYS[2], ref .. own) then
    redis.call('HSET', key(own), 'c', account, 'n', '0', 'st', 'free', 'd', ARGV[3])
  end
  return {'ok'}
]]

-- ARGV: ... token
scripts.doubt = REF .. LOOKUP .. [[
  local suffix, _, fields = lookup()
  if suffix and fields[4] == ARGV[3] then
    redis.call('HSET', key(suffix), 'st', 'doubt')
  end
  return {'ok'}
]]

-- ARGV: ... attempt, answer ('' for none), number, expire
scripts.resolve = REF .. LOOKUP .. SETTLE .. [[
  local suffix, mine, fields = lookup()
  local lost_row = not suffix and redis.call('ZSCORE', KEYS[2], ref .. own)
  if not suffix and not lost_row then return {'unknown'} end
  if not mine and not lost_row then return {'other_account'} end
  suffix = suffix or own
  local _, n, _, t, a = unpack(fields or {})
  n = n or '1'
  if a then return {'settled', a} end
  if not t and not lost_row then return {'unknown'} end
  if n ~= ARGV[3] then return {'other_attempt', n} end
  if ARGV[4] ~= '' then
    settle(suffix, ARGV[4], ARGV[5], ARGV[6])
  else
    redis.call('HSET', key(suffix), 'st', 'not_made', 'n', n)
    redis.call('HDEL', key(suffix), 't', 'u')
    redis.call('ZREM', KEYS[2], ref .. suffix)
  end
  return {'resolved'}
]]

-- ARGV: ... attempt, evidence
scripts.note = REF .. LOOKUP .. [[
  local suffix, mine, fields = lookup()
  if suffix and mine and (fields[2] or '1') == ARGV[3] then redis.call('HSET', key(suffix), 'e', ARGV[4]) end
  return {'ok'}
]]

-- ARGV: ... (the ref is the one after which to begin), how many to look at. -> the last one looked at, rows
scripts.pending = REF .. LOOKUP .. ROW .. [[
  local from = ref == '' and '-' or '(' .. ref
  local page = redis.call('ZRANGEBYLEX', KEYS[2], from, '+', 'LIMIT', 0, ARGV[3])
  local found = {'ok', #page == tonumber(ARGV[3]) and page[#page] or ''}
  for _, member in ipairs(page) do
    local suffix
    ref, suffix = member:match('^([^\n]*)(.*)$')
    local of_panel, name = suffix:match('^\n(%d+)/?(%d*)$')
    local fields = read(suffix)
    local mine = fields and ours(fields)
    if suffix == '' or of_panel == panel and (mine or not named or name == '') then
      for _, value in ipairs(fields and row(suffix, mine) or lost()) do found[#found + 1] = value end
    end
  end
  return found
]]

-- ARGV: ... above, up to, how many (negative: the last ones). -> the number, then the row, of each
scripts.made = REF .. LOOKUP .. ROW .. [[
  local found, count = {'ok'}, tonumber(ARGV[5])
  local above, page = '(' .. ARGV[3], nil
  if count < 0 then
    page = redis.call('ZREVRANGEBYSCORE', KEYS[3], ARGV[4], above, 'WITHSCORES', 'LIMIT', 0, -count)
  else
    page = redis.call('ZRANGEBYSCORE', KEYS[3], above, ARGV[4], 'WITHSCORES', 'LIMIT', 0, count)
  end
  local first, last, step = 1, #page - 1, 2
  if count < 0 then first, last, step = last, first, -2 end
  for i = first, last, step do
    local suffix
    ref, suffix = page[i]:match('^([^\n]*)(.*)$')
    found[#found + 1] = page[i + 1]
    local fields = read(suffix)
    for _, value in ipairs(row(suffix, fields and ours(fields))) do found[#found + 1] = value end
  end
  return found
]]

-- Every step sends its script, so the indentation is removed.
for name, script in pairs(scripts) do scripts[name] = (script:gsub("\n +", "\n")) end

return scripts
