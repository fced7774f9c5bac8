--- Any number of ids: asked in several requests side by side, with a bar that shows how far it is, the
-- records given on in the order of the ids as they come, and nothing lost where Ctrl-C comes in between.
-- @module smmpanel.cli.bulk

local bulk = {}

local batch = require "smmpanel.call.batch"
local errors = require "smmpanel.errors"
local interrupt = require "smmpanel.cli.interrupt"
local progress = require "smmpanel.cli.views.progress"

local BATCH_SIZE, CONCURRENCY = 100, 8 -- the client's own

local Run = {}
Run.__index = Run

-- Gives on what is there of the chunks whose turn it is.
function Run:deliver()
  while self.answers[self.turn] do
    for _, id in ipairs(self.chunks[self.turn]) do self.each(id, self.answers[self.turn][id]) end
    self.turn = self.turn + 1
  end
end

function Run:ask(index)
  local chunk = self.chunks[index]
  self.asked[index] = true
  self.sent:begin()
  local answer, err = self.send(chunk)
  self.sent:finish()
  self.asked[index] = nil
  self.refused = self.refused or err and errors.is_authentication(err) and err or nil
  self.answers[index] = answer
  self.done = self.done + #chunk
  self.bar:draw(self.done, self.total)
  if not self.writes then self:deliver() end
end

-- Where the key was refused, further tries may count towards a block.
function Run:work()
  while self.next <= #self.chunks and not self.refused and not self.sent:is_broken() do
    self.next = self.next + 1
    self:ask(self.next - 1)
  end
end

-- The ids of requests that were never sent, as the client says it of one that failed.
function Run:give_up()
  for index = self.next, #self.chunks do
    local entries = {}
    for _, id in ipairs(self.chunks[index]) do
      entries[id] = { error = self.refused.message, code = self.refused.code, cause = self.refused }
    end
    self.answers[index] = entries
  end
end

-- What stands for the answer to a write that was on its way when Ctrl-C came.
local IN_DOUBT = { error = "stopped before the answer came", code = "uncertain", uncertain = true }

local function rest_of(self, index)
  if self.answers[index] then return function(id) return self.answers[index][id] end end
  return self.writes and self.asked[index] and function() return IN_DOUBT end or nil
end

--- After Ctrl-C: gives on what is there, and says how far it was. Of what does something the answers that are
-- under way are waited for.
---@param context smmpanel.cli.Context
---@return string
function Run:stop(context)
  self.next = #self.chunks + 1
  self.bar:hide()
  if self.writes then interrupt.wait(context, self.sent) end
  local open = 0
  for index = self.turn, #self.chunks do
    local chunk, record_of = self.chunks[index], rest_of(self, index)
    for _, id in ipairs(record_of and chunk or {}) do self.each(id, record_of(id)) end
    open = open + (self.asked[index] and #chunk or 0)
  end
  local text = ("%s of %s done"):format(progress.number(self.done), progress.number(self.total))
  if not self.writes or open == 0 then return text end
  return ("%s, %s in doubt, for their requests were on their way"):format(text, progress.number(open))
end

---@class smmpanel.cli.Many
---@field ids string[]
---@field send fun(ids: string[]): table, smmpanel.Error? one request
---@field each fun(id: string, record: table) in the order of the ids
---@field writes? boolean it does something: records are given on at the end, not as they come, lest a reader
-- who goes away ends it in the middle
---@field what string for the bar
---@field options table of the panel

--- Prepares it; `run()` does it.
---@param how smmpanel.cli.Many
---@return table
function bulk.new(how)
  return setmetatable({
    chunks = batch.chunks(how.ids, how.options.batch_size or BATCH_SIZE), send = how.send, each = how.each,
    writes = how.writes, bar = progress.new(how.what), answers = {}, asked = {}, next = 1, turn = 1,
    done = 0, sent = interrupt.sent(), total = #how.ids, concurrency = how.options.concurrency or CONCURRENCY,
  }, Run)
end

--- Asks for all of them.
function Run:run()
  local workers = {}
  for i = 1, math.min(self.concurrency, #self.chunks) do
    workers[i] = function() self:work() end
  end
  if self.total > 1 then self.bar:draw(0, self.total) end
  interrupt.run(workers)
  if self.refused then self:give_up() end
  self.bar:clear()
  self:deliver()
end

return bulk
