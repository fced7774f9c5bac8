--- The state of watched orders, and the frame that shows it: the open orders, and below them the finished ones. Pure.
-- @module smmpanel.cli.views.watched

local watched = {}

local layout = require "smmpanel.cli.views.table"
local progress = require "smmpanel.cli.views.progress"
local records = require "smmpanel.cli.views.records"
local width = require "smmpanel.cli.views.width"
local smmpanel = require "smmpanel"

local HEAD_LINES = 7 -- lines of a frame that are not orders

--- Returns the state at the start: nothing is known.
---@param wanted string[] ids
---@return table state
function watched.new(wanted)
  return { wanted = wanted, last = {}, done = {}, well = 0 }
end

local function is_done(record)
  if not record then return false end
  if record.error then return record.code == "bad_order" end
  return smmpanel.is_final(records.class_of(record.status)) -- a class is a state too
end

--- Stores the new record of an order.
---@param state table
---@param id string
---@param record table
function watched.take(state, id, record)
  local was_done = is_done(state.last[id])
  state.last[id] = record
  if was_done or not is_done(record) then return end
  table.insert(state.done, id)
  if not record.error and records.class_of(record.status) == "completed" then state.well = state.well + 1 end
end

--- Returns a summary of the progress.
---@param state table
---@return string
function watched.summary(state)
  return ("%s of %s orders done, %s completed"):format(progress.number(#state.done),
    progress.number(#state.wanted), progress.number(state.well))
end

local function open_ids(state)
  local open = {}
  for _, id in ipairs(state.wanted) do
    if not is_done(state.last[id]) then open[#open + 1] = id end
  end
  return open
end

--- Returns the row of an order.
---@param state table
---@param id string
---@return table cells
function watched.cells(state, id)
  local record = state.last[id]
  if not record then return { id, { text = "...", style = "dim" } } end
  return records.status.cells(records.with_id(records.status, id, record))
end

-- Returns a part of a list that starts at `first`, and the number of items left out.
local function part_of(list, first, room)
  local part = {}
  for i = first, math.min(#list, first + room - 1) do part[#part + 1] = list[i] end
  return part, #list - #part
end

local function head(state, open, how)
  local text = ("%s open, %s done"):format(progress.number(open), progress.number(#state.done))
  local left = state.next_poll and math.max(0, state.next_poll - how.now)
  return text .. how.paint("dim", left and ("  next poll in " .. progress.duration(left)) or "  polling ...")
end

local function divider(more, how)
  local note = more > 0 and how.paint("dim", (", %s before these"):format(progress.number(more))) or ""
  return how.paint("title", "done") .. note
end

-- Lays out the rows of both parts as one table, so that they have the same columns.
local function row_lines(state, ids, how)
  local rows = {}
  for i, id in ipairs(ids) do rows[i] = watched.cells(state, id) end
  return layout.lines(records.status.columns, rows, { width = how.columns, paint = how.paint, place = true,
    mark = how.mark })
end

local function joined(a, b)
  local all = {}
  for _, list in ipairs { a, b } do
    for _, item in ipairs(list) do all[#all + 1] = item end
  end
  return all
end

--- Returns the lines of a frame: as many orders as fit; of the finished ones, the latest.
---@param state table
---@param how { columns: integer, rows: integer, now: number, mark: string, paint: function }
---@return string[]
function watched.frame(state, how)
  local open = open_ids(state)
  local room = math.max(2, how.rows - HEAD_LINES)
  local done_room = math.min(#state.done, math.max(math.floor(room / 3), room - #open))
  local open_part, more_open = part_of(open, 1, room - done_room)
  local done_part, more_done = part_of(state.done, #state.done - done_room + 1, done_room)
  local rows = row_lines(state, joined(open_part, done_part), how)
  local lines = { head(state, #open, how), "", rows[1] }
  for i = 1, #open_part do lines[#lines + 1] = rows[i + 1] end
  if more_open > 0 then
    lines[#lines + 1] = how.paint("dim", ("and %s more"):format(progress.number(more_open)))
  end
  if #state.done > 0 then lines[#lines + 1] = divider(more_done, how) end
  for i = 1, #done_part do lines[#lines + 1] = rows[#open_part + i + 1] end
  if state.problem then
    lines[#lines + 1] = how.paint("bad", width.cut(width.clean("the last poll failed: " .. state.problem), how.columns,
      how.mark))
  end
  return lines
end

return watched
