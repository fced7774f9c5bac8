--- The queue of a process's callers that wait for a rate limit. Pure: the clock is an argument. Only the first caller
-- reserves a slot, so a process holds at most one slot, and loses at most one if it is killed.
--
-- There are two classes, each sorted by deadline: `short` (one read) and `bulk` (lists, writes, watches). While both
-- wait they alternate, so a read waits for at most one bulk request, and bulk work still gets half of the slots.
--
-- A ticket has `due`, the time of its caller's next check. nginx kills coroutines silently, so a ticket whose caller is
-- overdue loses its place. If the caller does return (its process was suspended), it gets the place back.
-- @module smmpanel.limiter.line

local line = {}

local Line = {}
Line.__index = Line

local OVERDUE = 1 -- seconds
local LOOK_AGAIN = 1 -- seconds; a longer wait is halved, because callers in front may leave early
local SHORTEST = 0.001 -- seconds to sleep
local NEAR = 0.025 -- seconds: a caller that is awake may overtake sleeping ones if it delays them by at most this

--- Makes an empty queue.
---@param clock fun(): number seconds, monotonic
---@param spacing number seconds between two slots; 0 if unknown
---@return table
function line.new(clock, spacing)
  return setmetatable({ clock = clock, spacing = spacing, short = {}, bulk = {}, next_is_bulk = false, joined = 0 },
    Line)
end

local function before(a, b)
  if a.deadline ~= b.deadline then return a.deadline < b.deadline end
  return a.number < b.number
end

local function insert(self, ticket)
  local class = ticket.bulk and self.bulk or self.short
  local i = #class
  while i > 0 and before(ticket, class[i]) do i = i - 1 end
  table.insert(class, i + 1, ticket)
  ticket.lost = false
end

--- Adds a caller to the queue.
---@param deadline number by the clock; math.huge for none
---@param bulk boolean
---@return table ticket
function Line:join(deadline, bulk)
  self.joined = self.joined + 1
  local ticket = { deadline = deadline, bulk = bulk, number = self.joined, due = self.clock() }
  insert(self, ticket)
  return ticket
end

local function overdue(self, ticket)
  return ticket.due + OVERDUE < self.clock()
end

local function next_class(self)
  if #self.short == 0 then return self.bulk end
  return self.next_is_bulk and #self.bulk > 0 and self.bulk or self.short
end

-- Removes the tickets in front of this one whose callers are overdue.
local function drop_overdue(self, ticket)
  if self.holder and self.holder ~= ticket and overdue(self, self.holder) then
    self.holder.lost, self.holder = true, nil
  end
  local class = next_class(self)
  while class[1] and class[1] ~= ticket and overdue(self, class[1]) do
    table.remove(class, 1).lost = true
    class = next_class(self)
  end
  return class
end

local function place_of(self, ticket)
  for i, other in ipairs(ticket.bulk and self.bulk or self.short) do
    if other == ticket then return i end
  end
end

-- The least time until the tickets in front are done.
local function earliest(self, ticket)
  local holder_goes = self.holder and self.holder.goes or 0
  return math.max(0, holder_goes - self.clock()) + (place_of(self, ticket) - 1) * self.spacing
end

-- At hundreds of requests per second, waking the first caller takes longer than its slot.
local function may_go(self, ticket, class)
  if self.holder then return false end
  if class[1] == ticket then return true end
  local other_class = class ~= (ticket.bulk and self.bulk or self.short) and 1 or 0
  return self.spacing > 0 and (place_of(self, ticket) - 1 + other_class) * self.spacing <= NEAR
end

--- Returns whether it is this ticket's turn to reserve a slot.
---@param ticket table
---@return number seconds 0: it is its turn, until it leaves; otherwise the seconds until the next check
---@return number earliest the least seconds until its turn
function Line:ask(ticket)
  if ticket.lost then insert(self, ticket) end
  local class = drop_overdue(self, ticket)
  if may_go(self, ticket, class) then
    table.remove(ticket.bulk and self.bulk or self.short, place_of(self, ticket))
    self.holder, self.next_is_bulk, ticket.goes = ticket, not ticket.bulk, self.clock()
  end
  if self.holder == ticket then
    self:promise(ticket, 0)
    return 0, 0
  end
  local least = earliest(self, ticket)
  local wait = math.max(SHORTEST, least > LOOK_AGAIN and math.max(LOOK_AGAIN, least / 2) or least)
  self:promise(ticket, wait)
  return wait, least
end

--- Records that the ticket's caller checks again after this many seconds.
---@param ticket table
---@param seconds number
function Line:promise(ticket, seconds)
  ticket.due = self.clock() + seconds
end

--- Records that the slot of the ticket whose turn it is begins in this many seconds.
---@param ticket table
---@param seconds number
function Line:expect(ticket, seconds)
  ticket.goes = self.clock() + seconds
  self:promise(ticket, seconds)
end

--- Removes the ticket.
---@param ticket table
function Line:leave(ticket)
  if self.holder == ticket then
    self.holder = nil
  elseif not ticket.lost then
    table.remove(ticket.bulk and self.bulk or self.short, place_of(self, ticket))
  end
end

--- Returns whether the queue is empty.
---@return boolean
function Line:is_empty()
  return not self.holder and #self.short == 0 and #self.bulk == 0
end

return line
