--- What the command line knows of where it writes: a terminal or not, its size, colours, and whether anybody
-- is still there to read.
-- @module smmpanel.cli.views.terminal

local terminal = {}

local fail = require "smmpanel.cli.fail"
local term = require "term"

local EPIPE = 32

--- Thrown where the reader has gone: `smmpanel services | head`. Nothing is wrong, and nothing is left to do.
terminal.CLOSED = setmetatable({}, { __tostring = function() return "the reader has gone" end })

--- Whether a file is a terminal.
---@param file file*
---@return boolean
function terminal.is_tty(file)
  return term.isatty(file)
end

local function check(ok, why, code)
  if ok then return end
  if code == EPIPE then error(terminal.CLOSED, 0) end
  fail.with(fail.SOME, "cannot write: %s", why)
end

--- Writes, and looks whether it worked.
---@param file file*
---@param ... string
function terminal.write(file, ...)
  check(file:write(...))
end

--- Writes out what is buffered, and looks whether it worked.
---@param file file*
function terminal.flush(file)
  check(file:flush())
end

local function positive(text)
  local n = text and text:find("^[0-9]+$") and tonumber(text)
  return n and n > 0 and n or nil
end

-- Asked anew each time, for a window may be resized.
local function asked_size()
  local pipe = io.popen "{ stty size </dev/tty; } 2>/dev/null"
  local rows, columns = (pipe and pipe:read "*l" or ""):match "^(%d+) (%d+)$"
  if pipe then pipe:close() end
  return positive(columns), positive(rows)
end

--- The size of the terminal: COLUMNS and LINES where they are set, else what it says itself.
---@return integer columns
---@return integer rows
function terminal.size()
  local columns, rows = positive(os.getenv "COLUMNS"), positive(os.getenv "LINES")
  if not columns or not rows then
    local own_columns, own_rows = asked_size()
    columns, rows = columns or own_columns, rows or own_rows
  end
  return columns or 80, rows or 24
end

--- Whether the locale writes UTF-8.
---@return boolean
function terminal.is_utf8()
  local name
  for _, variable in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = os.getenv(variable)
    if value and value ~= "" and not name then name = value end
  end
  return name ~= nil and name:lower():gsub("-", ""):find("utf8", 1, true) ~= nil
end

local STYLES = { good = "green", bad = "red", open = "yellow", title = "bright", dim = "dim", link = "cyan" }

local function plain(_, text) return text end

local function coloured(style, text)
  if not style or text == "" then return text end
  return term.colors[STYLES[style]](text)
end

--- How texts are coloured on a file: not at all where it is no terminal, or NO_COLOR says so.
---@param file file*
---@return fun(style: string?, text: string): string
function terminal.painter(file)
  local no_color = os.getenv "NO_COLOR"
  local wanted = terminal.is_tty(file) and (no_color == nil or no_color == "") and os.getenv "TERM" ~= "dumb"
  return wanted and coloured or plain
end

return terminal
