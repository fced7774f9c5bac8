--- The callers of one process that wait for one rate limit. Pure: the clock is an argument. Only the first in
-- the line asks the limiter, so a process holds one slot at most, and one that is killed takes no more with it.
--
-- Two classes, each by deadline: `short` (one read) and `bulk` (lists, writes, watches). While both wait, they
-- take turns, so a read waits for one bulk request at most and bulk work still gets half.
--
-- A ticket has `due`, when its caller looks again. nginx kills coroutines without a word, so a ticket whose
-- caller is overdue loses its place; if the caller comes after all (its process was stopped), it gets it back.
-- @module smmpanel.limiter.line

local line = {}

local Line = {}
Line.__index = Line

local OVERDUE = 1 -- seconds
local LOOK_AGAIN = 1 -- seconds; a longer wait is halved, for those in front may leave early
local SHORTEST = 0.001 -- seconds to sleep
local NEAR = 0.025 -- seconds: who is awake goes before others that sleep, where it costs them no more than this

--- An empty line.
---@param clock fun(): number seconds, monotonic
---@param spacing number seconds between two slots; 0 where it is not known
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

--- A new place in the line.
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

-- Those before this ticket whose callers do not come any more make room.
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

-- At least so long it takes until the ones in front have gone.
local function earliest(self, ticket)
  local holder_goes = self.holder and self.holder.goes or 0
  return math.max(0, holder_goes - self.clock()) + (place_of(self, ticket) - 1) * self.spacing
end

-- At hundreds of requests a second, waking the very first takes longer than its slot.
local function may_go(self, ticket, class)
  if self.holder then return false end
  if class[1] == ticket then return true end
  local other_class = class ~= (ticket.bulk and self.bulk or self.short) and 1 or 0
  return self.spacing > 0 and (place_of(self, ticket) - 1 + other_class) * self.spacing <= NEAR
end

--- Whether it is this ticket's turn to ask the limiter.
---@param ticket table
---@return number seconds 0: it is, until it leaves; else look again after so many
---@return number earliest seconds that it takes at least until it is
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

--- The ticket's caller looks again after so many seconds.
---@param ticket table
---@param seconds number
function Line:promise(ticket, seconds)
  ticket.due = self.clock() + seconds
end

--- The slot of the ticket whose turn it is comes in so many seconds.
---@param ticket table
---@param seconds number
function Line:expect(ticket, seconds)
  ticket.goes = self.clock() + seconds
  self:promise(ticket, seconds)
end

--- Gives the place up.
---@param ticket table
function Line:leave(ticket)
  if self.holder == ticket then
    self.holder = nil
  elseif not ticket.lost then
    table.remove(ticket.bulk and self.bulk or self.short, place_of(self, ticket))
  end
end

--- Whether nobody waits.
---@return boolean
function Line:is_empty()
  return not self.holder and #self.short == 0 and #self.bulk == 0
end

return line
