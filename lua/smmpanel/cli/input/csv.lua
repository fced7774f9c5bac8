--- Comma-separated values as RFC 4180 has them. Pure.
-- @module smmpanel.cli.input.csv

local csv = {}

local trim = require("smmpanel.util.text").trim

local function field(value)
  if value:find('[",\r\n]') or value:find "^ " or value:find " $" then
    return '"' .. value:gsub('"', '""') .. '"'
  end
  return value
end

--- A row with its line end.
---@param values string[] without holes
---@return string
function csv.row(values)
  local fields = {}
  for i, value in ipairs(values) do fields[i] = field(value) end
  -- A row of one empty field would be an empty line.
  local text = #fields == 1 and fields[1] == "" and '""' or table.concat(fields, ",")
  return text .. "\r\n"
end

-- Spreadsheets where the comma stands in numbers write semicolons.
local function separator_of(text)
  local head = text:match "^[^\r\n]*"
  return not head:find(",", 1, true) and head:find(";", 1, true) and ";" or ","
end

-- A quoted field that begins at `at` -> its value, and where the next byte is; or nil and what is wrong.
local function quoted(text, at)
  local pieces, from = {}, at + 1
  while true do
    local quote = text:find('"', from, true)
    if not quote then return nil, "a quote is not closed" end
    pieces[#pieces + 1] = text:sub(from, quote - 1)
    if text:sub(quote + 1, quote + 1) ~= '"' then return table.concat(pieces), quote + 1 end
    pieces[#pieces + 1] = '"'
    from = quote + 2
  end
end

local function plain(text, at, separator)
  local stop = text:find("[\r\n" .. separator .. "]", at) or #text + 1
  local value = text:sub(at, stop - 1)
  if value:find('"', 1, true) then
    return nil, "a quote stands inside a field: quote all of it, and double it"
  end
  return value, stop
end

local function line_breaks(text)
  local _, breaks = text:gsub("\r\n?", "\n"):gsub("\n", "")
  return breaks
end

local function line_end(text, at)
  return text:match("^\r\n()", at) or text:match("^[\r\n]()", at)
end

-- Reads one row from `at`: -> its fields, where the next row begins; or nil, what is wrong, and where.
local function read_row(text, at, separator)
  local row = {}
  while true do
    local read = text:sub(at, at) == '"' and quoted or plain
    local value, stop = read(text, at, separator)
    if not value then return nil, stop, at end
    row[#row + 1] = value
    if stop > #text then return row, stop end
    if line_end(text, stop) then return row, line_end(text, stop) end
    if text:sub(stop, stop) ~= separator then return nil, "text stands behind a closing quote", stop end
    at = stop + 1
  end
end

---@class smmpanel.cli.CsvRow
---@field line integer where it begins
---@field [integer] string

--- Reads rows; lines without anything are left out.
---@param text string
---@return smmpanel.cli.CsvRow[]?
---@return string? problem with its line
function csv.read(text)
  text = text:gsub("^\239\187\191", "")
  local separator, rows, at, line = separator_of(text), {}, 1, 1
  while at <= #text do
    local row, stop, where = read_row(text, at, separator)
    if not row then return nil, ("line %d: %s"):format(line + line_breaks(text:sub(at, where - 1)), stop) end
    row.line = line
    if #row > 1 or row[1] ~= "" then rows[#rows + 1] = row end
    at, line = stop, line + line_breaks(text:sub(at, stop - 1))
  end
  return rows
end

---@class smmpanel.cli.CsvRecord
---@field line integer
---@field values table<string, string> what is empty is absent

local function names_of(head)
  local names, seen = {}, {}
  for i, name in ipairs(head) do
    name = trim(name)
    if name == "" then return nil, ("line %d: column %d has no name"):format(head.line, i) end
    if seen[name] then return nil, ("line %d: two columns are called '%s'"):format(head.line, name) end
    names[i], seen[name] = name, true
  end
  return names
end

--- Reads records: the first row names the columns.
---@param text string
---@return smmpanel.cli.CsvRecord[]?
---@return string[]|string names of the columns, or the problem
function csv.records(text)
  local rows, problem = csv.read(text)
  if not rows then return nil, problem end
  if not rows[1] then return nil, "it is empty: the first line names the columns" end
  local names
  names, problem = names_of(rows[1])
  if not names then return nil, problem end
  local records = {}
  for i = 2, #rows do
    if #rows[i] ~= #names then
      return nil, ("line %d: %d fields, but %d columns have a name"):format(rows[i].line, #rows[i], #names)
    end
    local values = {}
    for j, name in ipairs(names) do values[name] = rows[i][j] ~= "" and rows[i][j] or nil end
    records[i - 1] = { line = rows[i].line, values = values }
  end
  return records, names
end

return csv
