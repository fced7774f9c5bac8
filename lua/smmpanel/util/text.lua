--- Text helpers that do not depend on the locale: `string.lower`, `%s` and `%c` use the C library, whose results change
-- when a program calls `os.setlocale`.
-- @module smmpanel.util.text

local text = {}

local SPACE = " \t\r\n\v\f"

local lower_of = {}
for byte = 65, 90 do
  lower_of[string.char(byte)] = string.char(byte + 32)
end

--- Converts ASCII letters to lower case; all other bytes stay.
---@param s string
---@return string
function text.lower(s)
  if not s:find "[A-Z]" then return s end
  return (s:gsub("[A-Z]", lower_of))
end

if rawget(_G, "jit") then text.lower = string.lower end -- LuaJIT's own ignores the locale

--- Removes white space at both ends.
---@param s string
---@return string
function text.trim(s)
  local from = s:find("[^" .. SPACE .. "]")
  if not from then return "" end
  local to = #s
  while s:find("^[" .. SPACE .. "]", to) do
    to = to - 1
  end
  return s:sub(from, to)
end

--- Converts to lower case and removes spaces, `_` and `-`, to compare states and service types.
---@param s string
---@return string
function text.squeeze(s)
  return (text.lower(s):gsub("[_%-" .. SPACE .. "]", ""))
end

--- Returns whether the text contains a control character (NUL, CR, LF, tab, DEL, …).
---@param s string
---@return boolean
function text.has_control(s)
  return s:find("[^\32-\126\128-\255]") ~= nil
end

--- Returns whether the text can be an id in a form's list: not empty; no comma, white space or control character.
---@param s string
---@return boolean
function text.is_id(s)
  return s ~= "" and not s:find("[ ,]") and not text.has_control(s)
end

--- Returns whether the text is a number that a spreadsheet has rounded: 1.23457E+11, or 1E+11. As an id it would be
-- another order's.
---@param s string
---@return boolean
function text.is_rounded(s)
  return s:find "^%-?%d[.,]%d*[eE]%+?%d+$" ~= nil or s:find "^%-?%d[eE]%+%d+$" ~= nil
end

--- Returns whether the text is valid UTF-8: no stray byte, no overlong form, no surrogate.
---@param s string
---@return boolean
function text.is_utf8(s)
  if not s:find "[\128-\255]" then return true end
  local left = s:gsub("[\194-\223][\128-\191]", "?")
    :gsub("\224[\160-\191][\128-\191]", "?"):gsub("[\225-\236\238\239][\128-\191][\128-\191]", "?")
    :gsub("\237[\128-\159][\128-\191]", "?"):gsub("\240[\144-\191][\128-\191][\128-\191]", "?")
    :gsub("[\241-\243][\128-\191][\128-\191][\128-\191]", "?"):gsub("\244[\128-\143][\128-\191][\128-\191]", "?")
  return not left:find "[\128-\255]"
end

-- The length in bytes of a UTF-8 sequence with this first byte.
local function utf8_length(lead)
  return lead < 0xE0 and 2 or lead < 0xF0 and 3 or 4
end

--- Removes an incomplete character at the end of a text that was truncated to a number of bytes.
---@param s string
---@return string
function text.whole_characters(s)
  return (s:gsub("[\192-\255][\128-\191]*$", function(tail)
    return #tail == utf8_length(tail:byte()) and tail or ""
  end))
end

-- Characters outside of ASCII that can affect a terminal: control characters (U+0080 to 9F), line separators, and
-- characters that change the text direction. Each pattern matches one character of two or three bytes.
text.UNSAFE = { "\194[\128-\159]", "\226\128[\142\143\168-\174]", "\226\129[\166-\169]", "\216\156" }

--- Replaces the unsafe characters of UTF-8 by spaces.
---@param s string
---@return string
function text.safe(s)
  if s:find "[\194\216\226]" then
    for _, pattern in ipairs(text.UNSAFE) do s = s:gsub(pattern, " ") end
  end
  return s
end

--- Shortens a text to one line of at most `limit` bytes; white space and control characters become single spaces.
---@param s string
---@param limit integer bytes
---@return string
function text.one_line(s, limit)
  local line = text.safe(text.whole_characters(s:sub(1, limit)))
  line = text.trim((line:gsub("[^\33-\126\128-\255]+", " ")))
  return #s > limit and line .. "..." or line
end

local NAMED = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function named(char)
  return NAMED[char] or ("\\x%02X"):format(char:byte())
end

-- The code point of a sequence of two or three bytes.
local function numbered(char)
  local a, b, c = char:byte(1, 3)
  return ("\\u{%04X}"):format(c and a % 16 * 4096 + b % 64 * 64 + c % 64 or a % 32 * 64 + b % 64)
end

--- Hides user and password of the URLs in a text, also of a proxy without a scheme: `user:password@host:3128`.
---@param s string
---@return string
function text.without_user(s)
  if not s:find("@", 1, true) then return s end
  s = s:gsub("(%a[%w+.-]*://)[^%s'\"]*@", "%1\1@") -- \1: done
  return (s:gsub("[^%s'\"\1]+@", "***@"):gsub("\1@", "***@"))
end

--- Returns a text as one word of a shell: in quotes, unless no shell gives one of its characters a meaning.
---@param s string
---@return string
function text.shell_word(s)
  if s:find "^[A-Za-z0-9@%%+:,./_-][A-Za-z0-9@%%+:,./_=-]*$" then return s end
  return "'" .. s:gsub("'", "'\\''") .. "'"
end

-- Unsafe and invisible characters: no-break space, zero width, byte order mark.
local INVISIBLE = { "\194[\128-\160]", "\226\128[\139-\143\168-\175]", "\226\129[\160-\175]", "\216\156",
  "\239\187\191" }

--- Formats at most `limit` bytes of a text for a message, with invisible characters escaped: `\n`, `\x1B`, `\u{FEFF}`.
---@param s string
---@param limit integer bytes
---@return string
function text.visible(s, limit)
  local shown = text.whole_characters(s:sub(1, limit)):gsub("[^\32-\126\128-\255]", named)
  for _, pattern in ipairs(INVISIBLE) do shown = shown:gsub(pattern, numbered) end
  return #s > limit and shown .. "..." or shown
end

return text
