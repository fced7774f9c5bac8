--- Calls with any number of ids. The client sends them in several parallel requests; this module draws the progress
-- bar, and after Ctrl-C it reports what was done.
-- @module smmpanel.cli.bulk

local bulk = {}

local interrupt = require "smmpanel.cli.interrupt"
local progress = require "smmpanel.cli.views.progress"

local Run = {}
Run.__index = Run

-- The record of a write whose request was running at Ctrl-C.
local IN_DOUBT = { error = "stopped before the answer arrived", code = "uncertain", uncertain = true }

function Run:next_id()
  if self.stopping then return nil end
  self.taken = self.taken + 1
  return self.ids[self.taken]
end

--- After Ctrl-C: reports the answers so far and the counts. Waits for the running requests if they write.
---@param context smmpanel.cli.Context
---@return string
function Run:stop(context)
  self.stopping = true
  self.bar:hide()
  if self.writes then self.work:wait(context) end
  local open = math.min(self.taken, #self.ids) - self.delivered
  local text = ("%s of %s done"):format(progress.number(self.delivered), progress.number(#self.ids))
  if not self.writes or open <= 0 then return text end
  for i = self.delivered + 1, self.delivered + open do self.each(self.ids[i], IN_DOUBT) end
  return ("%s, %s uncertain: their requests were still running"):format(text, progress.number(open))
end

---@class smmpanel.cli.Many
---@field ids string[]
---@field send fun(next_id: fun(): string?, options: table) the client's function
---@field each fun(id: string, record: table) called in the order of the ids
---@field writes? boolean the action is a write: after Ctrl-C, wait for the requests that were sent
---@field what string the label of the bar

--- Prepares the calls; `run()` makes them.
---@param how smmpanel.cli.Many
---@return table
function bulk.new(how)
  return setmetatable({
    ids = how.ids, send = how.send, each = how.each, writes = how.writes, bar = progress.new(how.what),
    taken = 0, delivered = 0, work = interrupt.new(),
  }, Run)
end

--- Sends all ids and waits for the answers.
function Run:run()
  if #self.ids > 1 then self.bar:draw(0, #self.ids) end
  self.work:run(function()
    self.send(function() return self:next_id() end, {
      on_progress = function(done) self.bar:draw(done, #self.ids) end,
      on_answer = function(id, record, entry)
        self.delivered = self.delivered + 1
        self.each(id, record or entry)
      end,
    })
  end)
  self.bar:clear()
end

return bulk
