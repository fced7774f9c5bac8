-- A store in memory, as smmpanel.ledger describes it; for specs and for the model of the ledger.
local memory = {}

local Store = {}
Store.__index = Store

--- A new one. Its accounts: `groups["panel\naccount"]`, so that adopt is a change of numbers.
function memory.new()
  return setmetatable({ rows = {}, groups = {}, last = 0, id = "memory" }, Store)
end

local function name_of(owner) return owner.panel .. "\n" .. tostring(owner.named) .. owner.account end

local function group_of(self, owner)
  local name = name_of(owner)
  if not self.groups[name] then
    self.last = self.last + 1
    self.groups[name] = self.last
  end
  return self.groups[name]
end

-- Returns whether the row blocks this owner, and whether it belongs to the owner.
local function relation(self, row, owner)
  if row.owner.panel ~= owner.panel then return false end
  local ours = group_of(self, row.owner) == group_of(self, owner)
  return ours or not row.owner.named or not owner.named, ours
end

local function view(self, row, owner)
  local copy = {}
  for name, value in pairs(row) do copy[name] = value end
  local _, ours = relation(self, row, owner)
  copy.ours, copy.one_machine = ours or false, true
  return copy
end

-- Returns the last attempt at the ref; of several, the owner's.
local function last_of(self, entry)
  local found
  for _, row in ipairs(self.rows) do
    if row.ref == entry.ref then
      local in_way, ours = relation(self, row, entry.owner)
      if in_way and (ours or not found) then found = row end
    end
  end
  return found
end

local function attempt_of(self, entry)
  for _, row in ipairs(self.rows) do
    local _, ours = relation(self, row, entry.owner)
    if row.ref == entry.ref and ours and row.attempt == entry.attempt then return row end
  end
end

function Store:identity() return self.id end

local function floor_of(self, owner)
  local floor
  for _, row in ipairs(self.rows) do
    if row.owner.panel == owner.panel and row.made and (not floor or row.made > floor) then floor = row.made end
  end
  return floor
end

local function begin(self, entry, attempt, row)
  local fresh = { ref = entry.ref, owner = entry.owner, attempt = attempt, state = "open", token = entry.token,
    fingerprint = entry.fingerprint, placer = entry.placer, wanted = entry.wanted, since = 0,
    floor = floor_of(self, entry.owner) }
  if not row then
    self.rows[#self.rows + 1] = fresh
  else
    for name in pairs(row) do row[name] = nil end
    for name, value in pairs(fresh) do row[name] = value end
  end
  return "taken", attempt
end

function Store:take(entry)
  group_of(self, entry.owner)
  local row = last_of(self, entry)
  if not row then return begin(self, entry, 1) end
  if row.token == entry.token then return "taken", row.attempt end
  local _, ours = relation(self, row, entry.owner)
  if ours and row.state == "not_made" then return begin(self, entry, row.attempt + 1) end
  if ours and (row.state == "free" or row.token and row.token == entry.over) then
    return begin(self, entry, row.attempt + 1, row)
  end
  return "held", view(self, row, entry.owner)
end

function Store:find(entry)
  local row = last_of(self, entry)
  return row and view(self, row, entry.owner) or false
end

local function settle(row, answer, order)
  row.state, row.answer, row.made, row.token = "made", answer, order, nil
end

function Store:keep(entry, answer, order)
  local row, last = attempt_of(self, entry), last_of(self, entry)
  if not row and last then return "conflict" end
  if not row then
    begin(self, entry, entry.attempt)
    row = self.rows[#self.rows]
    last = row
  end
  if row.answer then
    if row.answer ~= answer then return "settled", row.answer end
    return last == row and "kept" or "conflict"
  end
  if row.token and row.token ~= entry.token then return "conflict" end
  settle(row, answer, order)
  return last == row and "kept" or "conflict"
end

local function by_token(self, entry)
  for _, row in ipairs(self.rows) do
    if row.ref == entry.ref and row.token == entry.token then return row end
  end
end

function Store:free(entry)
  local row = by_token(self, entry)
  if row then row.state, row.token, row.wanted = "free", nil, nil end
  return true
end

function Store:doubt(entry)
  local row = by_token(self, entry)
  if row then row.state = "doubt" end
  return true
end

function Store:resolve(entry, answer, order)
  local row = last_of(self, entry)
  if not row then return "unknown" end
  local _, ours = relation(self, row, entry.owner)
  if not ours then return "other_account" end
  if row.answer then return "settled", row.answer end
  if not row.token then return "unknown" end
  if row.attempt ~= entry.attempt then return "other_attempt", row.attempt end
  if answer then
    settle(row, answer, order)
  else
    row.state, row.token = "not_made", nil
  end
  return "resolved"
end

local function sorted(list, field)
  table.sort(list, function(a, b) return a[field] < b[field] end)
  return list
end

function Store:pending(owner, after, limit)
  local list, page = {}, {}
  for _, row in ipairs(self.rows) do
    if row.token and row.ref > (after or "") and relation(self, row, owner) then
      list[#list + 1] = view(self, row, owner)
    end
  end
  sorted(list, "ref")
  for _, row in ipairs(list) do
    if row.ref ~= (page[#page] or {}).ref then limit = limit - 1 end
    if limit < 0 then break end
    page[#page + 1] = row
  end
  return page
end

function Store:attempts(entry)
  local list = {}
  for _, row in ipairs(self.rows) do
    local _, ours = relation(self, row, entry.owner)
    if row.ref == entry.ref and ours then list[#list + 1] = view(self, row, entry.owner) end
  end
  return sorted(list, "attempt")
end

function Store:note(entry, evidence)
  local row = attempt_of(self, entry)
  if row then row.evidence = evidence end
  return true
end

function Store:made(owner, above, upto, limit)
  local list = {}
  for _, row in ipairs(self.rows) do
    if row.owner.panel == owner.panel and row.made and row.made > above and row.made <= upto then
      list[#list + 1] = view(self, row, owner)
    end
  end
  sorted(list, "made")
  while #list > math.abs(limit) do table.remove(list, limit < 0 and 1 or nil) end
  return list
end

function Store:adopt(owner)
  local mine, count, merged = group_of(self, owner), 0, {}
  for name, group in pairs(self.groups) do
    if name:find(owner.panel .. "\nfalse", 1, true) == 1 and group ~= mine and not merged[group] then
      merged[group], count = true, count + 1
    end
  end
  for name, group in pairs(self.groups) do
    if merged[group] then self.groups[name] = mine end
  end
  return count
end

return memory
