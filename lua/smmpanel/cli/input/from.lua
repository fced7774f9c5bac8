--- `--from FILE`, the same in every command: a CSV file whose first line names the columns. For a command that needs
-- only one column, also a list with one value per line. The reports of this program can be read in this way.
-- @module smmpanel.cli.input.from

local from = {}

local argerror = require "smmpanel.util.argerror"
local csv = require "smmpanel.cli.input.csv"
local fail = require "smmpanel.cli.fail"
local text = require "smmpanel.util.text"

local SHOWN = 20 -- problems in one message
local MEGABYTE = 2 ^ 20
local PIECE = 65536

--- The largest file that is read, in MB (2^20 bytes).
from.MOST_MEGABYTES = 64

--- The options of a command that reads a file.
---@param about string what is read
---@return smmpanel.cli.Option[]
function from.options(about)
  return {
    { flags = "-f --from", arg = "FILE", about = about },
    { flags = "--ignore-columns", about = "With --from: ignore unknown columns." },
  }
end

-- Reads all of an open file, or returns nil and the problem. Not with read "*a": /dev/zero has no end.
local function all_of(file)
  local pieces, length = {}, 0
  repeat
    local piece, problem = file:read(PIECE)
    if problem then return nil, problem end
    pieces[#pieces + 1] = piece
    length = length + #(piece or "")
    if length > from.MOST_MEGABYTES * MEGABYTE then
      return nil, ("it is longer than %d MB: split it into several files"):format(from.MOST_MEGABYTES)
    end
  until not piece
  return table.concat(pieces)
end

--- Reads a whole file; - is the standard input. Ends the command if that fails.
---@param path string
---@return string
function from.read_file(path)
  local file, problem = io.stdin, nil
  if path ~= "-" then file, problem = io.open(path, "rb") end
  if not file then fail.usage("%s", problem) end
  local content, why = all_of(file)
  if path ~= "-" then file:close() end
  return content or fail.usage("%s: %s", path, why)
end

-- ---- the text -----------------------------------------------------------------------------------

local function utf8_length(lead)
  return lead >= 0xF0 and lead <= 0xF4 and 4 or lead >= 0xE0 and lead < 0xF0 and 3 or lead >= 0xC2 and lead < 0xE0 and 2
end

-- Returns the position of the first byte that is not UTF-8, or nil.
local function not_utf8(content)
  local at = content:find "[\128-\255]"
  while at do
    local sequence = content:match("^[\192-\255][\128-\191]+", at)
    if not sequence or #sequence ~= utf8_length(sequence:byte()) then return at end
    at = content:find("[\128-\255]", at + #sequence)
  end
end

local function line_of(content, at)
  local _, breaks = content:sub(1, at - 1):gsub("\r\n?", "\n"):gsub("\n", "")
  return breaks + 1
end

-- Returns the problem with the encoding of a file, or nil.
local function encoding_problem(content)
  if content:find "^\255\254" or content:find "^\254\255" or content:find "^%z?[^%z]%z[^%z]%z" then
    return "it is UTF-16: save it as CSV in UTF-8"
  end
  local nul = content:find("%z")
  if nul then return ("line %d: a NUL byte: this is not a text file"):format(line_of(content, nul)) end
  local at = not_utf8(content)
  if at then
    return ("line %d: it is not UTF-8 (byte %02X): save it as CSV in UTF-8"):format(line_of(content, at),
      content:byte(at))
  end
  if content:find "^[ \t\r\n]*[%[{]" then return "it is JSON: write it as CSV (--csv)" end
end

local function read_rows(path)
  local content = from.read_file(path)
  local problem = encoding_problem(content)
  local rows
  if not problem then rows, problem = csv.read(content) end
  if not rows then fail.usage("%s: %s", path, problem) end
  return rows
end

-- ---- columns ------------------------------------------------------------------------------------

-- Returns a list of names in quotes.
local function quoted(names)
  local list = {}
  for i, name in ipairs(names) do list[i] = argerror.describe(name) end
  return table.concat(list, ", ")
end

local function lacks(path, wanted, names)
  fail.usage("%s: no column is named '%s'; found: %s", path, wanted, quoted(names))
end

-- Refuses unknown columns: a misspelt name must not be ignored.
local function check_unknown(path, names, how)
  local unknown = {}
  for _, name in ipairs(names) do
    if not how.known[name] then unknown[#unknown + 1] = name end
  end
  if not unknown[1] or how.ignore then return end
  local hint = #unknown == 1 and argerror.hint(unknown[1], how.known) or ""
  if hint:find "^known" then hint = "" end
  fail.usage("%s: unknown column%s %s%s (--ignore-columns ignores %s)", path, #unknown > 1 and "s" or "",
    quoted(unknown), hint ~= "" and "; " .. hint or "", #unknown > 1 and "them" or "it")
end

local function has(names, wanted)
  for _, name in ipairs(names) do
    if name == wanted then return true end
  end
  return false
end

-- Returns the problems in the order of the file.
local function by_line(problems)
  local places = {}
  for i, problem in ipairs(problems) do places[problem] = { tonumber(problem:match "^line (%d+)") or 0, i } end
  table.sort(problems, function(a, b)
    a, b = places[a], places[b]
    return a[1] < b[1] or a[1] == b[1] and a[2] < b[2]
  end)
end

--- Ends the command with the problems of a file. Returns if there are none.
---@param path string
---@param problems string[]
function from.refuse(path, problems)
  if not problems[1] then return end
  by_line(problems)
  local lines = { ("%s: %s; nothing was sent:"):format(path,
    #problems == 1 and "1 invalid row" or #problems .. " invalid rows") }
  for i = 1, math.min(#problems, SHOWN) do lines[#lines + 1] = "  " .. problems[i] end
  if #problems > SHOWN then lines[#lines + 1] = ("  and %d more"):format(#problems - SHOWN) end
  fail.usage("%s", table.concat(lines, "\n"))
end

---@class smmpanel.cli.From
---@field needs string[] required columns
---@field known table<string, any> allowed columns
---@field ignore? boolean ignore all other columns

--- Reads records. Ends the command if a column is missing or unknown, or if the file is empty.
---@param path string - for the standard input
---@param how smmpanel.cli.From
---@return smmpanel.cli.CsvRecord[]
---@return string[] problems of rows, for `from.refuse`
function from.records(path, how)
  local records, names, problems = csv.records_of(read_rows(path))
  if not records then fail.usage("%s: %s", path, names) end
  for _, wanted in ipairs(how.needs) do
    if not has(names, wanted) then lacks(path, wanted, names) end
  end
  check_unknown(path, names, how)
  return records, problems
end

-- ---- one value a line ---------------------------------------------------------------------------

-- Returns whether the rows are a plain list: one field each, and no title in the first row.
local function is_list(rows, column)
  for _, row in ipairs(rows) do
    if #row > 1 then return false end
  end
  local first = rows[1] and csv.column_name(rows[1][1])
  return first ~= column and first ~= nil and first:find "[0-9]" ~= nil
end

local function list_values(rows)
  local values = {}
  for _, row in ipairs(rows) do
    local value = text.trim((row[1]:gsub("#.*", "")))
    if value ~= "" then values[#values + 1] = { line = row.line, value = value } end
  end
  return values
end

-- Returns whether # begins a comment in the rows after `first`. It does not where another column, such as a ref, comes
-- first: shops name their orders #1001.
local function has_comments(first, column)
  return #first == 1 or csv.column_name(first[1]) == column
end

local function without_comments(rows, column)
  local kept = {}
  for _, row in ipairs(rows) do
    local marked = row[1]:find "^[ \t]*#" and (#row == 1 or not kept[1] or has_comments(kept[1], column))
    if not marked then kept[#kept + 1] = row end
  end
  return kept
end

---@class smmpanel.cli.FromValue
---@field line integer
---@field value string

--- Reads one column of a CSV file, or a list with one value per line. In a list, # begins a comment. In a CSV file it
-- does so only before the header, on a line without separators, or if this column is the first.
---@param path string
---@param column string
---@param how { known: table, ignore: boolean? }
---@return smmpanel.cli.FromValue[]
---@return string[] problems
---@return integer empty the number of rows whose cell in this column is empty
function from.column(path, column, how)
  local rows = without_comments(read_rows(path), column)
  if not rows[1] or is_list(rows, column) then return list_values(rows), {}, 0 end
  local records, names, problems = csv.records_of(rows)
  if not records then fail.usage("%s: %s", path, names) end
  if not has(names, column) then lacks(path, column, names) end
  check_unknown(path, names, how)
  local values = {}
  for _, record in ipairs(records) do
    local value = record.values[column]
    if value then values[#values + 1] = { line = record.line, value = text.trim(value) } end
  end
  return values, problems, #records - #values
end

return from
