--- Comma-separated values (RFC 4180). Pure.
-- @module smmpanel.cli.input.csv

local csv = {}

local text_helpers = require "smmpanel.util.text"

local lower, trim = text_helpers.lower, text_helpers.trim

local function field(value)
  if value:find('[",;\t\r\n]') or value:find "^ " or value:find " $" then
    return '"' .. value:gsub('"', '""') .. '"'
  end
  return value
end

--- Returns a row with its line end.
---@param values string[] without holes
---@return string
function csv.row(values)
  local fields = {}
  for i, value in ipairs(values) do fields[i] = field(value) end
  -- Without quotes, a row of one empty field would be an empty line.
  local text = #fields == 1 and fields[1] == "" and '""' or table.concat(fields, ",")
  return text .. "\r\n"
end

--- The most rows that `csv.read` accepts; they need about 200 MB of memory.
csv.MOST_ROWS = 250000

local SEPARATORS = { ",", ";", "\t" }

local function count_of(line, separator)
  local _, count = line:gsub(separator, "")
  return count
end

-- Returns the separator and the start of the first row. Spreadsheets write semicolons in countries with a decimal
-- comma, and optionally a first line `sep=;`.
local function separator_of(text)
  local named, from = text:match '^"?[Ss][Ee][Pp]=([,;\t|])"?[\r\n]+()'
  if named then return named, from end
  local head, best, most = text:match("^[^\r\n]*"):gsub('"[^"]*"', ""), ",", 0
  for _, separator in ipairs(SEPARATORS) do
    local count = count_of(head, separator)
    if count > most then best, most = separator, count end
  end
  return best, 1
end

-- Reads the quoted field at `at`. Returns its value and the position after it, or nil and the problem.
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
    return nil, "a quote inside an unquoted field: quote the whole field, and double the quote"
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

-- Reads the row at `at`. Returns its fields and the start of the next row, or nil, the problem and its position.
local function read_row(text, at, separator)
  local row = {}
  while true do
    local read = text:sub(at, at) == '"' and quoted or plain
    local value, stop = read(text, at, separator)
    if not value then return nil, stop, at end
    row[#row + 1] = value
    if stop > #text then return row, stop end
    if line_end(text, stop) then return row, line_end(text, stop) end
    if text:sub(stop, stop) ~= separator then return nil, "text after a closing quote", stop end
    at = stop + 1
  end
end

---@class smmpanel.cli.CsvRow
---@field line integer of its first character
---@field [integer] string

-- Returns whether all fields are empty: spreadsheets write `,,,` below a table.
local function is_empty(row)
  for _, value in ipairs(row) do
    if trim(value) ~= "" then return false end
  end
  return true
end

--- Reads rows. Empty rows are left out.
---@param text string
---@return smmpanel.cli.CsvRow[]?
---@return string? problem with its line
function csv.read(text)
  text = text:gsub("^\239\187\191", "")
  local separator, at = separator_of(text)
  local rows, line = {}, 1 + line_breaks(text:sub(1, at - 1))
  while at <= #text do
    local row, stop, where = read_row(text, at, separator)
    if not row then return nil, ("line %d: %s"):format(line + line_breaks(text:sub(at, where - 1)), stop) end
    row.line = line
    if not is_empty(row) then rows[#rows + 1] = row end
    if #rows > csv.MOST_ROWS then
      return nil, ("it has more than %d rows: split it into several files"):format(csv.MOST_ROWS)
    end
    at, line = stop, line + line_breaks(text:sub(at, stop - 1))
  end
  return rows
end

---@class smmpanel.cli.CsvRecord
---@field line integer
---@field values table<string, string> without empty cells

--- Returns the name of a column: "Answer Number" is answer_number.
---@param text string
---@return string
function csv.column_name(text)
  return (lower(trim(text)):gsub("[ -]+", "_"))
end

-- Spreadsheets leave columns without a name at the right: they are accepted if their cells are empty.
local function names_of(head)
  local names, seen, last = {}, {}, 0
  for i, name in ipairs(head) do
    names[i] = csv.column_name(name)
    if names[i] ~= "" then last = i end
  end
  for i = #names, last + 1, -1 do names[i] = nil end
  for i, name in ipairs(names) do
    if name == "" then return nil, ("line %d: column %d has no name"):format(head.line, i) end
    if seen[name] then return nil, ("line %d: two columns are named '%s'"):format(head.line, name) end
    seen[name] = true
  end
  return names
end

-- Removes the mark that `csv.row` writes for spreadsheets.
local function unguarded(value)
  return (value:gsub("^'('*[=+@\t\r-])", "%1"))
end

local function values_of(row, names)
  local values = {}
  for i, value in ipairs(row) do
    if not names[i] then
      if trim(value) ~= "" then return nil end
    elseif trim(value) ~= "" then
      values[names[i]] = unguarded(value)
    end
  end
  return #row >= #names and values or nil
end

--- Converts rows to records: the first row names the columns.
---@param rows smmpanel.cli.CsvRow[]
---@return smmpanel.cli.CsvRecord[]?
---@return string[]|string names of the columns, or the problem
---@return string[]? problems of single rows, each with its line
function csv.records_of(rows)
  if not rows[1] then return nil, "it is empty: the first line names the columns" end
  local names, problem = names_of(rows[1])
  if not names then return nil, problem end
  local records, problems = {}, {}
  for i = 2, #rows do
    local values = values_of(rows[i], names)
    if values then
      records[#records + 1] = { line = rows[i].line, values = values }
    else
      problems[#problems + 1] = ("line %d: %d fields, but %d columns have a name"):format(rows[i].line, #rows[i],
        #names)
    end
  end
  return records, names, problems
end

--- Reads records.
---@param text string
---@return smmpanel.cli.CsvRecord[]?
---@return string[]|string names of the columns, or the problem
---@return string[]? problems of single rows
function csv.records(text)
  local rows, problem = csv.read(text)
  if not rows then return nil, problem end
  return csv.records_of(rows)
end

return csv
