--- The scripts of a Redis ledger; each is atomic. KEYS[1] is the ledger's hash, KEYS[2] the set of open refs, KEYS[3]
-- the orders by number. In all scripts about a ref ARGV[1..6] are: the ledger's id, the account's number, its panel's
-- number, '1' if the account has a name, the prefix of the refs' keys, the ref.
--
-- An attempt's hash is at PREFIX ref:REF\nSCOPE, its fields: c account, n attempt, st state, t token, f
-- fingerprint, s since (ms), p placer, o what was ordered, a answer, fl the largest order number known before,
-- e evidence. The scope is the panel's number, and for an account with a name a slash and the account's number. An
-- attempt that was followed by another is at the same key with \nATTEMPT appended. Version 1 wrote PREFIX ref:REF, with
-- u (until) in place of p.
-- @module smmpanel.ledger.redis.scripts

local scripts = {}

local NOW = [[
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local function text(n) return string.format('%.0f', n) end
]]

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

-- Joins this account with the keys that have no other name. ARGV as for a ref. -> the number of accounts joined
scripts.adopt = SAME_STORE .. [[
  local function list(field) return redis.call('HGET', KEYS[1], field .. ARGV[3]) or '' end
  local function group(account) return redis.call('HGET', KEYS[1], 'group:' .. account) end
  local claimed, groups, count, first = {}, {}, 0, nil
  for name in list('names:'):gmatch('%d+') do
    if name ~= ARGV[2] then claimed[group(name)] = true end
  end
  local function join(g)
    if groups[g] then return end
    groups[g], count = true, count + 1
    if not first or tonumber(g) < tonumber(first) then first = g end
  end
  join(group(ARGV[2]))
  for key in list('keys:'):gmatch('%d+') do
    if not claimed[group(key)] then join(group(key)) end
  end
  for account in (list('names:') .. ' ' .. list('keys:')):gmatch('%d+') do
    if groups[group(account)] then redis.call('HSET', KEYS[1], 'group:' .. account, first) end
  end
  return {'ok', tostring(count - 1)}
]]

-- Finds the ref's hash. `lookup()` returns the suffix of its key and whether it is this account's; nil without one.
local LOOKUP = NOW .. SAME_STORE .. [[
  local account, panel, named, prefix, ref = ARGV[2], ARGV[3], ARGV[4] == '1', ARGV[5], ARGV[6]
  local function group(a) return redis.call('HGET', KEYS[1], 'group:' .. a) end
  local unnamed = '\n' .. panel
  local own = named and unnamed .. '/' .. account or unnamed
  local function key(suffix) return prefix .. ref .. suffix end
  local function exists(suffix) return redis.call('EXISTS', key(suffix)) == 1 end
  local function ours(suffix)
    local owner = redis.call('HGET', key(suffix), 'c')
    return owner == account or owner == false or group(owner) == group(account)
  end
  local function lookup()
    if exists(own) then return own, ours(own) end
    if named and exists(unnamed) then return unnamed, ours(unnamed) end
    if not named then
      local blocking
      for name in (redis.call('HGET', KEYS[1], 'names:' .. panel) or ''):gmatch('%d+') do
        local other = unnamed .. '/' .. name
        if exists(other) then
          if ours(other) then return other, true end
          blocking = other
        end
      end
      if blocking then return blocking, false end
    end
    if exists('') then return '', true end
  end
  local function row(suffix, mine)
    local fields = redis.call('HMGET', key(suffix), 'n', 'st', 't', 'f', 's', 'p', 'o', 'a', 'fl', 'e', 'u')
    local found = {ref, mine and '1' or '0', text(now)}
    for i = 1, 11 do found[i + 3] = fields[i] or '' end
    return found
  end
  local function answer(word, list)
    table.insert(list, 1, word)
    return list
  end
  -- A row that was open and is gone (evicted): its outcome is unknown.
  local function lost()
    return {ref, '1', text(now), '1', 'doubt', '', '', '', '', '', '', '', '', ''}
  end
]]

-- ARGV: ... token, fingerprint, wanted, placer, the token it may replace
scripts.take = LOOKUP .. [[
  local function begin(suffix, attempt)
    local last = redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')
    redis.call('HSET', key(suffix), 'c', account, 'n', text(attempt), 'st', 'open', 't', ARGV[7], 'f', ARGV[8],
      'o', ARGV[9], 'p', ARGV[10], 's', text(now), 'fl', last[2] and text(tonumber(last[2])) or '')
    redis.call('HDEL', key(suffix), 'u', 'e')
    redis.call('ZADD', KEYS[2], 0, ref .. suffix)
    return {'taken', text(attempt)}
  end
  local suffix, mine = lookup()
  if not suffix then
    if redis.call('ZSCORE', KEYS[2], ref .. own) then return answer('held', lost()) end
    return begin(own, 1)
  end
  local t, n, st, a = unpack(redis.call('HMGET', key(suffix), 't', 'n', 'st', 'a'))
  n = tonumber(n) or 1
  if t == ARGV[7] then return {'taken', text(n)} end
  if not mine or a then return answer('held', row(suffix, mine)) end
  if st == 'not_made' then
    redis.call('RENAME', key(suffix), key(suffix) .. '\n' .. text(n))
    return begin(suffix, n + 1)
  end
  if st == 'free' or (t and t == ARGV[11]) then return begin(suffix, n + 1) end
  return answer('held', row(suffix, mine))
]]

scripts.find = LOOKUP .. [[
  local suffix, mine = lookup()
  if suffix then return answer('found', row(suffix, mine)) end
  if redis.call('ZSCORE', KEYS[2], ref .. own) then return answer('found', lost()) end
  return {'none'}
]]

-- -> rows one after the other, each as in find
scripts.attempts = LOOKUP .. [[
  local suffix, mine = lookup()
  local found = {'ok'}
  if not suffix or not mine then return found end
  local last = tonumber(redis.call('HGET', key(suffix), 'n')) or 1
  for n = 1, last do
    local at = n < last and suffix .. '\n' .. text(n) or suffix
    if exists(at) then
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
scripts.keep = LOOKUP .. SETTLE .. [[
  local suffix, mine = lookup()
  if not suffix then
    redis.call('HSET', key(own), 'c', account, 'n', ARGV[8], 'f', ARGV[9], 'p', ARGV[10], 's', text(now))
    settle(own, ARGV[11], ARGV[12], ARGV[13])
    return {'kept'}
  end
  local t, n, a = unpack(redis.call('HMGET', key(suffix), 't', 'n', 'a'))
  if (n or '1') ~= ARGV[8] then
    local earlier = suffix .. '\n' .. ARGV[8]
    if exists(earlier) and not redis.call('HGET', key(earlier), 'a') then
      redis.call('HSET', key(earlier), 'a', ARGV[11], 'st', 'made')
      if ARGV[12] ~= '' then redis.call('ZADD', KEYS[3], ARGV[12], ref .. earlier) end
    end
    return {'conflict'}
  end
  if a == ARGV[11] then return {'kept'} end
  if a then return {'settled', a} end
  if not mine or (t and t ~= ARGV[7]) then return {'conflict'} end
  settle(suffix, ARGV[11], ARGV[12], ARGV[13])
  return {'kept'}
]]

-- ARGV: ... token
scripts.free = LOOKUP .. [[
  local suffix = lookup()
  if suffix and redis.call('HGET', key(suffix), 't') == ARGV[7] then
    redis.call('HSET', key(suffix), 'st', 'free')
    redis.call('HDEL', key(suffix), 't', 'o', 'u')
    redis.call('ZREM', KEYS[2], ref .. suffix)
  end
  return {'ok'}
]]

-- ARGV: ... token
scripts.doubt = LOOKUP .. [[
  local suffix = lookup()
  if suffix and redis.call('HGET', key(suffix), 't') == ARGV[7] then
    redis.call('HSET', key(suffix), 'st', 'doubt')
  end
  return {'ok'}
]]

-- ARGV: ... attempt, answer ('' for none), number, expire
scripts.resolve = LOOKUP .. SETTLE .. [[
  local suffix, mine = lookup()
  local lost_row = not suffix and redis.call('ZSCORE', KEYS[2], ref .. own)
  if not suffix and not lost_row then return {'unknown'} end
  if not mine and not lost_row then return {'other_account'} end
  suffix = suffix or own
  local t, n, a, u = unpack(redis.call('HMGET', key(suffix), 't', 'n', 'a', 'u'))
  if a then return {'settled', a} end
  if not t and not lost_row then return {'unknown'} end
  if (n or '1') ~= ARGV[7] then return {'other_attempt', n or '1'} end
  if ARGV[8] ~= '' then
    settle(suffix, ARGV[8], ARGV[9], ARGV[10])
  else
    redis.call('HSET', key(suffix), 'st', 'not_made', 'n', n or '1')
    redis.call('HDEL', key(suffix), 't', 'u')
    redis.call('ZREM', KEYS[2], ref .. suffix)
  end
  return {'resolved'}
]]

-- ARGV: ... attempt, evidence
scripts.note = LOOKUP .. [[
  local suffix, mine = lookup()
  if suffix and mine and (redis.call('HGET', key(suffix), 'n') or '1') == ARGV[7] then
    redis.call('HSET', key(suffix), 'e', ARGV[8])
  end
  return {'ok'}
]]

-- ARGV: ... (the ref is the one after which to begin), how many to look at. -> the last one looked at, rows
scripts.pending = LOOKUP .. [[
  local from = ref == '' and '-' or '(' .. ref
  local page = redis.call('ZRANGEBYLEX', KEYS[2], from, '+', 'LIMIT', 0, ARGV[7])
  local found = {'ok', #page == tonumber(ARGV[7]) and page[#page] or ''}
  for _, member in ipairs(page) do
    local suffix
    ref, suffix = member:match('^([^\n]*)(.*)$')
    local of_panel, name = suffix:match('^\n(%d+)/?(%d*)$')
    local mine = exists(suffix) and ours(suffix)
    if suffix == '' or of_panel == panel and (mine or not named or name == '') then
      local fields = exists(suffix) and row(suffix, mine) or lost()
      for _, value in ipairs(fields) do found[#found + 1] = value end
    end
  end
  return found
]]

-- ARGV: ... above, up to, how many (negative: the last ones). -> the number, then the row, of each
scripts.made = LOOKUP .. [[
  local found, count = {'ok'}, tonumber(ARGV[9])
  local above, page = '(' .. ARGV[7], nil
  if count < 0 then
    page = redis.call('ZREVRANGEBYSCORE', KEYS[3], ARGV[8], above, 'WITHSCORES', 'LIMIT', 0, -count)
  else
    page = redis.call('ZRANGEBYSCORE', KEYS[3], above, ARGV[8], 'WITHSCORES', 'LIMIT', 0, count)
  end
  local first, last, step = 1, #page - 1, 2
  if count < 0 then first, last, step = last, first, -2 end
  for i = first, last, step do
    local suffix
    ref, suffix = page[i]:match('^([^\n]*)(.*)$')
    found[#found + 1] = text(tonumber(page[i + 1]))
    for _, value in ipairs(row(suffix, exists(suffix) and ours(suffix))) do found[#found + 1] = value end
  end
  return found
]]

-- Every step sends its script, so the indentation is removed.
for name, script in pairs(scripts) do scripts[name] = (script:gsub("\n +", "\n")) end

return scripts
