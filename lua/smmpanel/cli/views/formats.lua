--- Writes records in the requested format: a table for people, or JSON, CSV or Lua for programs. All formats except the
-- table are written as the records arrive.
-- @module smmpanel.cli.views.formats

local formats = {}

local csv = require "smmpanel.cli.input.csv"
local decimal = require "smmpanel.util.decimal"
local json = require "smmpanel.util.json"
local layout = require "smmpanel.cli.views.table"
local lua_literal = require "smmpanel.cli.views.lua_literal"
local terminal = require "smmpanel.cli.views.terminal"
local width = require "smmpanel.cli.views.width"

--- Returns a value as text without losing a digit. The items of a list are separated by spaces.
---@param value any
---@return string
function formats.text(value)
  if value == nil then return "" end
  if type(value) == "number" then return decimal.shortest(value) end
  if type(value) ~= "table" then return tostring(value) end
  local texts = {}
  for i, item in ipairs(value) do texts[i] = formats.text(item) end
  return #texts > 0 and table.concat(texts, " ") or json.encode(value)
end

---@class smmpanel.cli.Sink
---@field row fun(self, record: table)
---@field close fun(self)

local function sink(row, close)
  return { row = row, close = close or function() end }
end

local makers = {}

local EXPLANATIONS_MAX = 20

-- Collects the explanations that did not fit into a table, each once: they are written below it.
local function explanations()
  local list, seen = {}, {}
  function list.take(text)
    if not seen[text] and #list < EXPLANATIONS_MAX then list[#list + 1], seen[text] = text, true end
  end
  return list
end

function makers.table(shape, out)
  local rows, paint = {}, terminal.painter(out)
  return sink(function(_, record)
    rows[#rows + 1] = record
  end, function()
    if #rows == 0 then return end
    local place = terminal.obeys(out)
    -- If a terminal measures a line as too long, it must cut the line and not wrap it.
    local open, close = place and "\27[?7l" or "", place and "\27[?7h\n" or "\n"
    local cut = explanations()
    layout.each_line(shape.columns, { count = #rows, cells = function(i) return shape.cells(rows[i]) end },
      { paint = paint, place = place, width = terminal.is_tty(out) and terminal.size() or nil,
        mark = terminal.is_utf8() and "…" or ">", on_cut = cut.take },
      function(line) terminal.write(out, open, line, close) end)
    for _, text in ipairs(cut) do terminal.write(out, text, "\n") end
  end)
end

-- Marks a text that a spreadsheet would read as a formula or as the end of the text. A text that already has the mark
-- gets a second one, so that reading it removes exactly one.
local function for_spreadsheets(value)
  value = value:gsub("%z", "")
  if value:find "^'*[=+@\t\r-]" and not value:find "^[+-]?%d[%d.]*$" then return "'" .. value end
  return value
end

local function as_it_is(value) return value end

function makers.csv(shape, out, args)
  local clean = terminal.is_tty(out) and width.clean or args.raw_csv and as_it_is or for_spreadsheets
  local function write(values) terminal.write(out, csv.row(values)) end
  write(shape.fields)
  return sink(function(_, record)
    local values = {}
    for i, name in ipairs(shape.fields) do values[i] = clean(formats.text(record[name])) end
    write(values)
  end)
end

-- A list in brackets, one item per line.
local function listing(out, open, close, indent, append)
  local any = false
  terminal.write(out, open)
  return sink(function(_, record)
    local pieces = { any and ",\n" or "\n", indent }
    append(pieces, record)
    terminal.write_all(out, pieces)
    any = true
  end, function()
    terminal.write(out, any and "\n" or "", close, "\n")
  end)
end

function makers.json(_, out) return listing(out, "[", "]", "", json.append) end

function makers.lua(_, out)
  return listing(out, "return {", "}", "  ", lua_literal.append)
end

--- Returns a sink for records.
---@param args { json: boolean?, csv: boolean?, lua: boolean?, raw_csv: boolean? } the options
---@param shape { columns: smmpanel.cli.Column[], cells: (fun(record: table): table), fields: string[] }
---@param out file*
---@return smmpanel.cli.Sink
function formats.sink(args, shape, out)
  local name = args.json and "json" or args.csv and "csv" or args.lua and "lua" or "table"
  return makers[name](shape, out, args)
end

local function put(args, shape, out, rows)
  local all = formats.sink(args, shape, out)
  for _, row in ipairs(rows) do all:row(row) end
  all:close()
  terminal.flush(out)
end

--- Writes records that cannot be fetched again. If stdout fails, they go to stderr.
---@param args table
---@param shape table
---@param rows table[]
function formats.report(args, shape, rows)
  local ok, thrown = pcall(put, args, shape, io.stdout, rows)
  if ok then return end
  put(args, shape, io.stderr, rows)
  error(thrown, 0)
end

--- Writes a single record; in JSON and Lua without a list around it.
---@param args table
---@param shape table
---@param out file*
---@param record table
function formats.one(args, shape, out, record)
  if args.json then
    terminal.write(out, json.encode(record), "\n")
  elseif args.lua then
    terminal.write(out, "return ", lua_literal.encode(record), "\n")
  else
    local only = formats.sink(args, shape, out)
    only:row(record)
    only:close()
  end
end

return formats
