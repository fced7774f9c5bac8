--- Rows laid out in columns that fit. Pure.
-- @module smmpanel.cli.table

local layout = {}

local width = require "smmpanel.cli.width"

---@class smmpanel.cli.Column
---@field title string
---@field right? boolean numbers stand at the right
---@field shrinks? number may be cut where the terminal is too narrow: the greater, the less of it
---@field from? integer left out where the terminal has fewer cells than this

---@class smmpanel.cli.Layout
---@field width? integer cells in a line; without it nothing is cut
---@field paint fun(style: string?, text: string): string
---@field mark string at the end of what was cut: "…"
---@field place boolean on a terminal: cells are put where they belong, whatever it takes an emoji's width for

local GAP = 2
local LEAST = 6 -- cells of a column that shrinks
local LEFT_TO_RIGHT = "\226\128\142" -- keeps a right-to-left text from turning round what stands beside it

local function cell_text(cell)
  return type(cell) == "table" and cell.text or cell
end

local function natural_widths(columns, rows)
  local widths = {}
  for i, column in ipairs(columns) do
    widths[i] = width.of(column.title)
    for _, row in ipairs(rows) do widths[i] = math.max(widths[i], (width.of(cell_text(row[i])))) end
  end
  return widths
end

local function total(widths)
  local sum = GAP * (#widths - 1)
  for _, n in ipairs(widths) do sum = sum + n end
  return sum
end

local function widest_shrinking(columns, widths)
  local found, most = nil, 0
  for i, column in ipairs(columns) do
    local share = column.shrinks and widths[i] > LEAST and widths[i] / column.shrinks or 0
    if share > most then found, most = i, share end
  end
  return found
end

-- Takes a cell at a time from the widest column that may shrink, until all fit.
local function fitted(columns, widths, most)
  local over = most and total(widths) - most or 0
  while over > 0 do
    local i = widest_shrinking(columns, widths)
    if not i then break end
    widths[i], over = widths[i] - 1, over - 1
  end
  return widths
end

local function put_cell(out, cell, column, room, at, how, last)
  local text = width.cut(cell_text(cell), room, how.mark)
  local used, doubtful = width.of(text)
  local padding = (" "):rep(room - used)
  if width.is_rtl(text) then text = text .. LEFT_TO_RIGHT end
  text = how.paint(type(cell) == "table" and cell.style or nil, text)
  if column.right then
    out[#out + 1] = padding .. text
  else
    out[#out + 1] = last and text or text .. padding
  end
  if doubtful and how.place and not last then
    out[#out + 1] = ("\27[%dG"):format(at + room)
  end
end

local function line(cells, columns, widths, how)
  local out, at = {}, 1
  for i, column in ipairs(columns) do
    if i > 1 then out[#out + 1] = (" "):rep(GAP) end
    put_cell(out, cells[i], column, widths[i], at, how, i == #columns)
    at = at + widths[i] + GAP
  end
  return table.concat(out)
end

local function cleaned(row)
  local cells = {}
  for i, cell in ipairs(row) do
    cells[i] = type(cell) == "table" and { text = width.clean(cell.text), style = cell.style }
      or width.clean(cell)
  end
  return cells
end

-- The columns that there is room for, and their cells.
local function shown(columns, rows, most)
  local kept, places, cut = {}, {}, {}
  for i, column in ipairs(columns) do
    if not (most and column.from and most < column.from) then
      kept[#kept + 1], places[#places + 1] = column, i
    end
  end
  for i, row in ipairs(rows) do
    cut[i] = {}
    for j, place in ipairs(places) do cut[i][j] = row[place] or "" end
  end
  return kept, cut
end

--- The lines of a table: the titles, then the rows.
---@param columns smmpanel.cli.Column[]
---@param rows (string|{ text: string, style: string? })[][]
---@param how smmpanel.cli.Layout
---@return string[]
function layout.lines(columns, rows, how)
  local cells = {}
  columns, rows = shown(columns, rows, how.width)
  for i, row in ipairs(rows) do cells[i] = cleaned(row) end
  local widths = fitted(columns, natural_widths(columns, cells), how.width)
  local titles = {}
  for i, column in ipairs(columns) do titles[i] = { text = column.title, style = "title" } end
  local lines = { line(titles, columns, widths, how) }
  for i, row in ipairs(cells) do lines[i + 1] = line(row, columns, widths, how) end
  return lines
end

return layout
