--- What status, refill, refill-status and cancel have in common.
-- @module smmpanel.cli.on_ids

local on_ids = {}

local actions = require "smmpanel.api.actions"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local ids = require "smmpanel.cli.input.ids"
local bulk = require "smmpanel.cli.bulk"
local progress = require "smmpanel.cli.views.progress"
local records = require "smmpanel.cli.views.records"
local shared = require "smmpanel.cli.options"

-- Counts what came, and remembers why requests failed as a whole.
local function counter()
  return { found = 0, failed = 0, lost = 0, take = function(self, record)
    if not record.error then
      self.found = self.found + 1
    else
      self.failed = self.failed + 1
      self.lost = self.lost + (record.cause and 1 or 0)
      self.cause = self.cause or record.cause
    end
  end }
end

local function exit_code(context, counts)
  if counts.failed == 0 then return 0 end
  if counts.lost > 0 then context:say("smmpanel: %s", (tostring(counts.cause):gsub("^smmpanel: ", ""))) end
  return counts.found == 0 and counts.lost == counts.failed and fail.code(counts.cause) or fail.SOME
end

local function sum_up(context, counts, verb)
  if counts.found + counts.failed < 2 then return end
  context:remark("%s %s, %s failed", progress.number(counts.found), verb, progress.number(counts.failed))
end

local function run(context, args, given)
  local shape, action = records[given.action], given.action
  local wanted = ids.gather(args)
  local panel = context:panel()
  local sink, counts = formats.sink(args, shape, io.stdout), counter()
  local all = bulk.new {
    ids = wanted, what = given.name, options = context.options, writes = not actions[action].reads,
    send = function(list) return panel[action](panel, list) end,
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
  sink:close()
  context.on_interrupt = nil
  sum_up(context, counts, given.verb)
  return exit_code(context, counts)
end

---@class smmpanel.cli.OnIds
---@field name string
---@field action string the client's function
---@field about string
---@field details? string
---@field verb string what became of those that did not fail
---@field examples string[][]

--- A command on ids.
---@param given smmpanel.cli.OnIds
---@return smmpanel.cli.Command
function on_ids.command(given)
  local positional, from = ids.arguments(records[given.action].what)
  return {
    name = given.name, about = given.about, details = given.details, examples = given.examples,
    arguments = positional, options = shared.with_formats { from }, exclusive = shared.FORMATS_EXCLUDE,
    run = function(context, args) return run(context, args, given) end,
  }
end

return on_ids
