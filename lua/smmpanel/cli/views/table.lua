--- Lays out rows in columns that fit the terminal. Pure.
--
-- Reads the rows twice, to measure the columns and to write the lines, so that a long table is not in memory as text.
-- @module smmpanel.cli.views.table

local layout = {}

local width = require "smmpanel.cli.views.width"

---@class smmpanel.cli.Column
---@field title string
---@field right? boolean right-aligned, for numbers
---@field shrinks? number may be cut on a narrow terminal; a greater number is cut more
---@field from? integer left out if the terminal has fewer cells than this

---@class smmpanel.cli.Layout
---@field width? integer cells in a line; without it nothing is cut
---@field paint fun(style: string?, text: string): string
---@field mark string at the end of a text that was cut: "…"
---@field on_cut? fun(text: string) gets the text of each cell that was cut and is an explanation
---@field place? boolean for a terminal: set the cursor for each cell, so that a wrong width of an emoji shifts nothing

local GAP = 2
local LEAST = 6 -- cells of a column that shrinks
local WIDEST = 200 -- cells that a column is padded to: one long text must not widen a thousand rows
local WHOLE_MOST = 20 -- cells of a state; shorter ones are never cut
local KNOWN_MOST = 4096 -- texts whose widths are cached
local LEFT_TO_RIGHT = "\226\128\142" -- stops a right-to-left text from reversing its neighbours

-- ---- cells: the properties of a text ------------------------------------------------------

local function measure(text)
  local cells, doubtful = width.of(text)
  return { text = text, cells = cells, doubtful = doubtful, rtl = width.is_rtl(text) }
end

-- Caches the widths of texts that occur in many rows.
local function measured_once()
  local known, count = {}, 0
  return function(text)
    if not known[text] then
      if count == KNOWN_MOST then known, count = {}, 0 end
      known[text], count = measure(width.clean(text)), count + 1
    end
    return known[text]
  end
end

local function text_of(cell) return type(cell) == "table" and cell.text or cell or "" end
-- Returns whether a cell is shown in full (a state): other columns are left out before it is cut.
local function is_whole(cell) return type(cell) == "table" and cell.whole end
local function explains(cell) return type(cell) == "table" and cell.explains end
local function style_of(cell) return type(cell) == "table" and cell.style or nil end

-- ---- columns: which there are, and how wide ----------------------------------------------------

-- Returns the columns for a terminal of this width, each with its place in a row and the width of its title.
local function titled(columns, most)
  local kept = {}
  for place, column in ipairs(columns) do
    if not (most and column.from and most < column.from) then
      kept[#kept + 1] = { place = place, natural = width.of(column.title), least = LEAST, right = column.right,
        shrinks = column.shrinks, title = { text = column.title, style = "title" } }
    end
  end
  return kept
end

-- Widens a column to fit a cell.
local function widen(column, cell, measured)
  local cells = measured(text_of(cell)).cells
  column.natural = math.max(column.natural, math.min(cells, WIDEST))
  if is_whole(cell) then column.least = math.max(column.least, math.min(cells, WHOLE_MOST)) end
end

local function natural(columns, rows, how, measured)
  local kept = titled(columns, how.width)
  for i = 1, rows.count do
    local row = rows.cells(i)
    for _, column in ipairs(kept) do widen(column, row[column.place], measured) end
  end
  for _, column in ipairs(kept) do column.room = column.natural end
  return kept
end

local function total(columns)
  local sum = GAP * (#columns - 1)
  for _, column in ipairs(columns) do sum = sum + column.room end
  return sum
end

local function widest_shrinking(columns)
  local found, most = nil, 0
  for _, column in ipairs(columns) do
    local share = column.shrinks and column.room > column.least and column.room / column.shrinks or 0
    if share > most then found, most = column, share end
  end
  return found
end

-- Shrinks the widest column that may shrink by one cell, until all fit.
local function shrink(columns, most)
  for _, column in ipairs(columns) do column.room = column.natural end
  for _ = 1, total(columns) - most do
    local column = widest_shrinking(columns)
    if not column then return end
    column.room = column.room - 1
  end
end

-- If shrinking is not enough, columns are left out from the right: half a number would be a wrong number.
local function fit(columns, most)
  shrink(columns, most)
  while total(columns) > most and #columns > 1 do
    table.remove(columns)
    shrink(columns, most)
  end
end

-- ---- lines -------------------------------------------------------------------------------------

local function put_cell(out, cell, column, at, how, measured)
  local shown = measured(text_of(cell))
  if how.width and shown.cells > column.room then
    if how.on_cut and explains(cell) then how.on_cut(shown.text) end
    shown = measure(width.cut(shown.text, column.room, how.mark))
  end
  local padding = (" "):rep(math.max(0, column.room - shown.cells))
  local text = how.paint(style_of(cell), shown.rtl and shown.text .. LEFT_TO_RIGHT or shown.text)
  out[#out + 1] = column.right and padding .. text or text .. padding
  if shown.doubtful and how.place then out[#out + 1] = ("\27[%dG"):format(at + column.room) end
end

-- Not with a pattern: it would start again at each space of a long run.
local function without_spaces_at_end(text)
  local last = #text
  while text:byte(last) == 32 do last = last - 1 end
  return text:sub(1, last)
end

local function line(columns, cell_of, how, measured)
  local out, at = {}, 1
  for i, column in ipairs(columns) do
    if i > 1 then out[#out + 1] = (" "):rep(GAP) end
    put_cell(out, cell_of(column), column, at, how, measured)
    at = at + column.room + GAP
  end
  return without_spaces_at_end(table.concat(out))
end

--- Calls `write` with each line of a table: the titles, then the rows.
---@param columns smmpanel.cli.Column[]
---@param rows { count: integer, cells: fun(i: integer): (string|{ text: string, style: string? })[] } asked for twice
---@param how smmpanel.cli.Layout
---@param write fun(line: string)
function layout.each_line(columns, rows, how, write)
  local measured = measured_once()
  columns = natural(columns, rows, how, measured)
  if how.width then fit(columns, how.width) end
  write(line(columns, function(column) return column.title end, how, measured))
  for i = 1, rows.count do
    local row = rows.cells(i)
    write(line(columns, function(column) return row[column.place] end, how, measured))
  end
end

--- Returns the lines of a table: the titles, then the rows.
---@param columns smmpanel.cli.Column[]
---@param rows (string|{ text: string, style: string? })[][]
---@param how smmpanel.cli.Layout
---@return string[]
function layout.lines(columns, rows, how)
  local lines = {}
  layout.each_line(columns, { count = #rows, cells = function(i) return rows[i] end }, how,
    function(text) lines[#lines + 1] = text end)
  return lines
end

return layout
