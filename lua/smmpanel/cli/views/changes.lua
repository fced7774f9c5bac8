--- Shows the difference between two catalogues. Pure.
-- @module smmpanel.cli.views.changes

local changes = {}

local decimal = require "smmpanel.util.decimal"
local formats = require "smmpanel.cli.views.formats"
local progress = require "smmpanel.cli.views.progress"

local MARKS = { new = { text = "+ new", style = "good" }, gone = { text = "- gone", style = "bad" },
  changed = { text = "~ changed", style = "open" } }

-- Returns -1 if the price has fallen, 1 if it has risen, else 0.
local function direction(record)
  local before, after = decimal.parse(record.before), decimal.parse(record.after)
  if record.field ~= "rate" or not before or not after or before == after then return 0 end
  return before < after and 1 or -1
end

-- Returns the relative change of a price, such as "+5.6 %".
local function share(record)
  if direction(record) == 0 then return "" end
  local before, after = decimal.approximate(record.before), decimal.approximate(record.after)
  return before > 0 and (" (%+.1f %%)"):format((after / before - 1) * 100) or ""
end

local function after_cell(record)
  local style = ({ [-1] = "good", [1] = "bad" })[direction(record)]
  return { text = formats.text(record.after) .. share(record), style = style }
end

changes.SHAPE = {
  columns = { { title = "" }, { title = "ID", right = true }, { title = "NAME", shrinks = 3 },
    { title = "FIELD" }, { title = "BEFORE", right = true, shrinks = 3 },
    { title = "AFTER", shrinks = 3 } },
  fields = { "change", "service", "name", "field", "before", "after" },
  cells = function(record)
    return { MARKS[record.change], formats.text(record.service), formats.text(record.name),
      record.field or "", formats.text(record.before), after_cell(record) }
  end,
}

local function row(change, service, field, before, after)
  return { change = change, service = service.service, name = service.name, field = field, before = before,
    after = after }
end

--- Returns a row for each service that is new or gone, and for each field that has changed.
---@param difference smmpanel.Difference
---@return table[]
function changes.list(difference)
  local list = {}
  for _, service in ipairs(difference.new) do
    list[#list + 1] = row("new", service, "rate", nil, service.rate)
  end
  for _, service in ipairs(difference.gone) do
    list[#list + 1] = row("gone", service, "rate", service.rate, nil)
  end
  for _, changed in ipairs(difference.changed) do
    for _, change in ipairs(changed.changes) do
      list[#list + 1] = row("changed", changed.service, change.field, change.before, change.after)
    end
  end
  return list
end

--- Returns a summary of the counts.
---@param list table[]
---@return string
function changes.summary(list)
  local counts, seen = { new = 0, gone = 0, changed = 0 }, {}
  for _, record in ipairs(list) do
    local key = record.change .. " " .. formats.text(record.service)
    if not seen[key] then counts[record.change] = counts[record.change] + 1 end
    seen[key] = true
  end
  if #list == 0 then return "nothing has changed" end
  return ("%s new, %s gone, %s changed"):format(progress.number(counts.new), progress.number(counts.gone),
    progress.number(counts.changed))
end

return changes
