--- The output: whether it is a terminal, its size and colours, and whether its reader is still there.
-- @module smmpanel.cli.views.terminal

local terminal = {}

local fail = require "smmpanel.cli.fail"
local term = require "term"

local EPIPE = 32

--- Thrown when the reader has closed the pipe: `smmpanel services | head`. This is not an error.
terminal.CLOSED = setmetatable({}, { __tostring = function() return "the output was closed" end })

--- Returns whether a file is a terminal.
---@param file file*
---@return boolean
function terminal.is_tty(file)
  return term.isatty(file)
end

--- Returns whether the locale uses UTF-8.
---@return boolean
function terminal.is_utf8()
  local name
  for _, variable in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = os.getenv(variable)
    if value and value ~= "" and not name then name = value end
  end
  return name ~= nil and name:lower():gsub("-", ""):find("utf8", 1, true) ~= nil
end

-- The escape sequences of this program: colours, wrapping, erasing, moving.
local OWN = { "^%[[%d;]*m", "^%[%?7[lh]", "^%[K", "^%[J", "^%[2J", "^%[H", "^%[%d+A", "^%[%d+G" }

local function is_own(text, at)
  for _, pattern in ipairs(OWN) do
    if text:find(pattern, at) then return true end
  end
  return false
end

-- Removes all other escape sequences.
local function without_foreign_escapes(text)
  local parts, from = {}, 1
  while true do
    local at = text:find("\27", from, true)
    if not at then break end
    parts[#parts + 1] = text:sub(from, at - 1) .. (is_own(text, at + 1) and "\27" or " ")
    from = at + 1
  end
  parts[#parts + 1] = text:sub(from)
  return table.concat(parts)
end

-- C1 controls, line separators and bidirectional controls, except U+200E, which tables write.
local UNSAFE = { "\194[\128-\159]", "\216\156", "\226\128[\143\168-\174]", "\226\129[\166-\169]" }

-- A terminal without UTF-8 may interpret such a byte as a control.
local function without_c1_bytes(text)
  text = text:gsub("[\192-\255][\128-\191]+", function(char) return char:find "[\128-\159]" and "?" or nil end)
  return (text:gsub("[\128-\159]", "?"))
end

--- Removes all control sequences except those of this program. The views already clean the texts of a panel; all
-- output passes through here as a second defence.
---@param text string
---@return string
function terminal.safe(text)
  if not text:find "[%z\1-\9\11-\31\127-\255]" then return text end
  text = without_foreign_escapes(text):gsub("[%z\1-\8\11\12\14-\26\28-\31\127]", " ")
  for _, pattern in ipairs(UNSAFE) do text = text:gsub(pattern, " ") end
  return terminal.is_utf8() and text or without_c1_bytes(text)
end

local function check(ok, why, code)
  if ok then return end
  if code == EPIPE then error(terminal.CLOSED, 0) end
  fail.with(fail.SOME, "cannot write: %s", why)
end

--- Writes, and throws if that fails.
---@param file file*
---@param pieces string[] as one text
function terminal.write_all(file, pieces)
  if terminal.is_tty(file) then return check(file:write(terminal.safe(table.concat(pieces)))) end
  for _, piece in ipairs(pieces) do check(file:write(piece)) end
end

--- Writes, and throws if that fails.
---@param file file*
---@param ... string
function terminal.write(file, ...)
  terminal.write_all(file, { ... })
end

--- Writes to stderr, and ignores a failure.
---@param ... string
function terminal.show(...)
  local text = table.concat { ... }
  io.stderr:write(terminal.is_tty(io.stderr) and terminal.safe(text) or text)
end

--- Flushes the buffer, and throws if that fails.
---@param file file*
function terminal.flush(file)
  check(file:flush())
end

local function positive(text)
  local n = text and text:find("^[0-9]+$") and tonumber(text)
  return n and n > 0 and n or nil
end

-- Not cached, because the window may be resized.
local function asked_size()
  local pipe = io.popen "{ stty size </dev/tty; } 2>/dev/null"
  local rows, columns = (pipe and pipe:read "*l" or ""):match "^(%d+) (%d+)$"
  if pipe then pipe:close() end
  return positive(columns), positive(rows)
end

--- Returns the size of the terminal: COLUMNS and LINES if they are set, else its actual size.
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

local STYLES = { good = "32", bad = "31", open = "33", title = "1", dim = "2", link = "36" }

local function plain(_, text) return text end

-- Not lua-term's colours: they are objects that are concatenated, for which Lua 5.4.4 uses memory after it was freed.
local function coloured(style, text)
  if not style or text == "" then return text end
  return "\27[" .. STYLES[style] .. "m" .. text .. "\27[0m"
end

--- Returns whether a file is a terminal that accepts escape sequences, unless NO_COLOR or TERM=dumb forbids them.
---@param file file*
---@return boolean
function terminal.obeys(file)
  local no_color = os.getenv "NO_COLOR"
  return terminal.is_tty(file) and (no_color == nil or no_color == "") and os.getenv "TERM" ~= "dumb"
end

--- Returns the function that colours texts for a file.
---@param file file*
---@return fun(style: string?, text: string): string
function terminal.painter(file)
  return terminal.obeys(file) and coloured or plain
end

return terminal
