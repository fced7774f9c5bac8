--- The orders of one `panel:watch` in this process: when each is due, and its last record. Pure: the clock is an
-- argument. Every order is due the same time after its last poll, so the orders form a queue sorted by due time.
--
-- A ledger's `work(name, how)` returns a set with the same methods that persists and may be shared by processes.
-- `ids` are texts; a method that fails returns `nil, { code, message }`, as in the ledger.
--
--     work:add(ids)               adds orders, due immediately; ignores ids that were added before. Returns true
--     work:claim(limit, patience, lease)
--         Claims the next orders to poll: `limit` of them, or fewer once the first has been due for `patience`
--         seconds. The claim lasts `lease` seconds; then another process may claim them. Returns a claim,
--         { ids = { id, ... }, seen = { [id] = record } }; or nil, nil and the seconds until the next claim can
--         succeed; or nil, nil, nil if no orders remain.
--     work:holds(claim, id)       returns whether the claim on this order is still valid
--     work:changed(claim, id, record, seconds)
--         Stores the new record; the order is due in `seconds`. Without seconds the order is final: it is not claimed
--         again but stays stored, so that adding it again reports nothing twice. Does nothing if the claim was lost.
--         Returns true.
--     work:unchanged(claim, ids, seconds)
--         The orders are due in `seconds`. Ignores those whose claim was lost. Returns true.
-- @module smmpanel.watch.queue

local queue = {}

local Work = {}
Work.__index = Work

--- Makes an empty set.
---@param clock fun(): number seconds
---@return table
function queue.new(clock)
  return setmetatable({ clock = clock, ids = {}, due = {}, first = 1, last = 0, seen = {}, known = {} }, Work)
end

local function put(self, id, at)
  self.last = self.last + 1
  self.ids[self.last], self.due[self.last] = id, at
end

local function put_first(self, id, at)
  self.first = self.first - 1
  self.ids[self.first], self.due[self.first] = id, at
end

-- Orders that are due before all others go to the front.
local function place(self, ids, at)
  local sooner = self.last >= self.first and at < self.due[self.last]
  local put_one = sooner and put_first or put
  for _, id in ipairs(ids) do put_one(self, id, at) end
end

local function take(self)
  local first = self.first
  local id = self.ids[first]
  self.ids[first], self.due[first] = nil, nil
  self.first = first + 1
  return id
end

function Work:add(ids)
  local new = {}
  for _, id in ipairs(ids) do
    if not self.known[id] then
      self.known[id], new[#new + 1] = true, id
    end
  end
  place(self, new, self.clock())
  return true
end

-- A batch is ready when it is full, when all orders are due, or when the first has waited for `patience` seconds.
local function ready_at(self, limit, patience)
  local last_of_batch = math.min(self.first + limit - 1, self.last)
  return math.max(self.due[self.first], math.min(self.due[self.first] + patience, self.due[last_of_batch]))
end

function Work:claim(limit, patience)
  if self.last < self.first then return nil end
  local now, ready = self.clock(), ready_at(self, limit, patience)
  if ready > now then return nil, nil, ready - now end
  local claim = { ids = {}, seen = {} }
  while #claim.ids < limit and self.last >= self.first and self.due[self.first] <= now do
    local id = take(self)
    claim.ids[#claim.ids + 1], claim.seen[id] = id, self.seen[id]
  end
  return claim
end

function Work.holds()
  return true
end

function Work:changed(_, id, record, seconds)
  self.seen[id] = record
  if seconds then put(self, id, self.clock() + seconds) end
  return true
end

function Work:unchanged(_, ids, seconds)
  place(self, ids, self.clock() + seconds)
  return true
end

return queue
