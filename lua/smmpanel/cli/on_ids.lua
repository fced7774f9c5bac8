--- The common part of status, refill, refill-status and cancel.
-- @module smmpanel.cli.on_ids

local on_ids = {}

local explain = require "smmpanel.cli.explain"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local ids = require "smmpanel.cli.input.ids"
local bulk = require "smmpanel.cli.bulk"
local progress = require "smmpanel.cli.views.progress"
local records = require "smmpanel.cli.views.records"
local shared = require "smmpanel.cli.options"

-- Counts the results, and collects the errors of requests that failed as a whole.
local function counter()
  return { found = 0, failed = 0, lost = 0, uncertain = 0, take = function(self, record)
    if not record.error then
      self.found = self.found + 1
    else
      self.failed = self.failed + 1
      self.lost = self.lost + (record.cause and 1 or 0)
      self.uncertain = self.uncertain + (record.uncertain and 1 or 0)
      self.cause = self.cause or record.cause
    end
  end }
end

local function exit_code(context, counts)
  if counts.failed == 0 then return 0 end
  fail.if_interrupted(counts.cause)
  if counts.lost > 0 then context:say("smmpanel: %s", explain.text(counts.cause)) end
  if counts.uncertain > 0 then return fail.UNCERTAIN end
  return counts.found == 0 and counts.lost == counts.failed and fail.code(counts.cause) or fail.SOME
end

local function sum_up(context, counts, verb)
  if counts.found + counts.failed < 2 then return end
  context:remark("%s %s, %s failed", progress.number(counts.found), verb, progress.number(counts.failed))
end

local SHOWN = 20 -- orders shown before a question

-- Shows the orders as they are now, so that the user notices a wrong id.
local function show(context, panel, wanted)
  local first = {}
  for i = 1, math.min(#wanted, SHOWN) do first[i] = wanted[i] end
  local found, err = panel:status(first)
  if err then fail.client(err) end
  local sink = formats.sink({}, records.status, io.stderr)
  for _, id in ipairs(first) do sink:row(records.with_id(records.status, id, found[id])) end
  sink:close()
  if #wanted > SHOWN then context:say("and %s more", progress.number(#wanted - SHOWN)) end
end

-- Asks for confirmation before a write.
local function ask(context, given, panel, wanted)
  if not given.question then return end
  local which = #wanted == 1 and "this order" or ("these %s orders"):format(progress.number(#wanted))
  context:agree(given.name, given.question:format(which), function() show(context, panel, wanted) end)
end

-- The records of reads are written as they arrive. The records of writes cannot be fetched again, so they are written
-- at the end: a closed pipe then cannot stop the command half-way, and if stdout fails, they go to stderr.
local function output(args, shape, writes)
  if not writes then return formats.sink(args, shape, io.stdout) end
  local rows = {}
  return { row = function(_, row) rows[#rows + 1] = row end,
    close = function() formats.report(args, shape, rows) end }
end

local function run(context, args, given)
  local shape, action = given.shape, given.action
  local writes = given.question ~= nil
  local wanted = ids.gather(context, shape.what)
  local panel = context:panel()
  ask(context, given, panel, wanted)
  local sink, counts = output(args, shape, writes), counter()
  local all = bulk.new {
    ids = wanted, what = given.name, writes = writes,
    send = function(next_id, options) panel[action](panel, next_id, options) end,
    each = function(id, record)
      counts:take(record)
      sink:row(records.with_id(shape, id, record))
    end,
  }
  context.bar = all.bar
  context.on_interrupt = function()
    local text = all:stop(context)
    sink:close()
    return text
  end
  all:run()
  context.on_interrupt = nil
  sink:close()
  sum_up(context, counts, given.verb)
  return exit_code(context, counts)
end

---@class smmpanel.cli.OnIds
---@field name string
---@field action string the client's function
---@field shape smmpanel.cli.Shape how the records are shown
---@field about string
---@field details? string
---@field verb string for the ids that did not fail, such as "canceled"
---@field question? string for writes: asked before anything is sent; %s is the list of orders
---@field examples string[][]

--- Returns a command on ids.
---@param given smmpanel.cli.OnIds
---@return smmpanel.cli.Command
function on_ids.command(given)
  local positional, own = ids.arguments(given.shape.what)
  if given.question then table.insert(own, 1, shared.YES) end
  return {
    name = given.name, about = given.about, details = given.details, examples = given.examples,
    arguments = positional, options = shared.with_formats(own), exclusive = shared.FORMATS_EXCLUDE,
    run = function(context, args) return run(context, args, given) end,
  }
end

return on_ids
