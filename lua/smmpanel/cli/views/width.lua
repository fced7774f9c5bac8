--- Measures, cuts and cleans texts for a terminal; the unit is a terminal cell. Pure.
-- @module smmpanel.cli.views.width

local width = {}

local ranges = require "smmpanel.cli.views.width_ranges"

local JOINER, EMOJI_STYLE = 0x200D, 0xFE0F
local FLAG_FIRST, FLAG_LAST = 0x1F1E6, 0x1F1FF
local SKIN_FIRST, SKIN_LAST = 0x1F3FB, 0x1F3FF

-- One UTF-8 character, or a stray byte with its continuation bytes.
local CHARACTER = "[%z\1-\127\192-\255][\128-\191]*"

local function code_point(char)
  local lead = char:byte()
  if lead < 0x80 then return lead end
  local point = lead >= 0xF0 and lead - 0xF0 or lead >= 0xE0 and lead - 0xE0 or lead - 0xC0
  for i = 2, #char do point = point * 64 + char:byte(i) - 128 end
  return point
end

local function within(list, point)
  local low, high = 1, #list / 2
  while low <= high do
    local middle = math.floor((low + high) / 2)
    if point < list[middle * 2 - 1] then
      high = middle - 1
    elseif point > list[middle * 2] then
      low = middle + 1
    else
      return true
    end
  end
  return false
end

local cells_of = {} -- code point -> cells, a cache

local function cells(point)
  local known = cells_of[point]
  if not known then
    known = within(ranges.zero, point) and 0 or within(ranges.wide, point) and 2 or 1
    cells_of[point] = known
  end
  return known
end

-- Calls each(from, to, cells) for each grapheme cluster of a text. Returns whether the width is doubtful: terminals
-- disagree about an emoji of several characters and about characters without a width.
local function clusters(text, each)
  local doubtful, joined, flag = false, false, false
  local from, size = 1, nil
  local function close(to)
    if size then each(from, to, size) end
  end
  for at, char in text:gmatch("()(" .. CHARACTER .. ")") do
    local point = code_point(char)
    local own = cells(point)
    local is_flag = point >= FLAG_FIRST and point <= FLAG_LAST
    local is_skin = point >= SKIN_FIRST and point <= SKIN_LAST
    if size and (own == 0 or joined or is_skin and size == 2 or is_flag and flag) then
      doubtful = true
      if point == EMOJI_STYLE or is_flag then size = 2 end
      flag = false
    else
      close(at - 1)
      from, size, flag = at, own, is_flag
    end
    joined = point == JOINER
  end
  close(#text)
  return doubtful
end

--- Returns the width of a text in cells.
---@param text string cleaned: see `clean`
---@return integer cells
---@return boolean doubtful terminals disagree about it
function width.of(text)
  if not text:find("[\128-\255]") then return #text, false end
  local total = 0
  local doubtful = clusters(text, function(_, _, size) total = total + size end)
  return total, doubtful
end

--- Cuts a text to at most `most` cells. A text that was cut ends in a mark.
---@param text string
---@param most integer
---@param mark string of one cell or more: "…"
---@return string
function width.cut(text, most, mark)
  if width.of(text) <= most then return text end
  local room, used, last = most - width.of(mark), 0, 0
  clusters(text, function(_, to, size)
    used = used + size
    if used <= room then last = to end
  end)
  return room < 0 and "" or text:sub(1, last) .. mark
end

-- The Unicode blocks of right-to-left scripts.
local RIGHT_TO_LEFT = { 0x590, 0x8FF, 0xFB1D, 0xFDFF, 0xFE70, 0xFEFE, 0x10800, 0x10FFF, 0x1E800, 0x1EFFF }

--- Returns whether a part of a text is right-to-left.
---@param text string
---@return boolean
function width.is_rtl(text)
  -- Fast path: most texts have no lead byte of such a character.
  if not text:find "[\214-\223]" and not text:find "[\224\239\240][\144\158\160-\163\172-\187]" then
    return false
  end
  for char in text:gmatch "[\214-\240][\128-\191]+" do
    if within(RIGHT_TO_LEFT, code_point(char)) then return true end
  end
  return false
end

local LENGTHS = { [0xC2] = 2, [0xE0] = 3, [0xF0] = 4 }
local function right_length(lead)
  return lead >= 0xF0 and lead <= 0xF4 and LENGTHS[0xF0] or lead >= 0xE0 and lead < 0xF0 and LENGTHS[0xE0]
    or lead >= 0xC2 and lead < 0xE0 and LENGTHS[0xC2]
end

local REPLACEMENT = "\239\191\189"
-- Line and paragraph separators, and bidirectional controls.
local REMOVED = { [0x2028] = " ", [0x2029] = " ", [0x61C] = "", [0x200E] = "", [0x200F] = "" }
for point = 0x202A, 0x202E do REMOVED[point] = "" end
for point = 0x2066, 0x2069 do REMOVED[point] = "" end
for point = 0x80, 0x9F do REMOVED[point] = " " end

local function clean_sequence(sequence)
  local lead = sequence:byte()
  local length = right_length(lead)
  if not length or #sequence ~= length then return REPLACEMENT end
  return REMOVED[code_point(sequence)]
end

--- Makes a panel's text harmless for a terminal: one line of UTF-8 without control characters, escape sequences and
-- bidirectional controls.
---@param text string
---@return string
function width.clean(text)
  text = text:gsub("[%z\1-\31\127]+", " ")
  if not text:find("[\128-\255]") then return text end
  text = text:gsub("^[\128-\191]+", REPLACEMENT):gsub("([%z\1-\127])[\128-\191]+", "%1" .. REPLACEMENT)
  return (text:gsub("[\192-\255][\128-\191]*", clean_sequence))
end

return width
