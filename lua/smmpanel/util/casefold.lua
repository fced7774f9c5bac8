--- Case folding of UTF-8 for searches: Latin, Greek and Cyrillic letters, in any locale. Pure.
-- @module smmpanel.util.casefold

local text = require "smmpanel.util.text"

local function utf8_pair(point)
  if point < 0x80 then return string.char(point) end
  return string.char(0xC0 + math.floor(point / 64), 0x80 + point % 64)
end

-- { from, to, step, distance }: the capital letters from..to, in steps of `step`; the lower case of each is `distance`
-- further on.
local CAPITALS = {
  { 0xC0, 0xD6, 1, 32 },
  { 0xD8, 0xDE, 1, 32 },
  { 0x100, 0x136, 2, 1 },
  { 0x139, 0x147, 2, 1 },
  { 0x14A, 0x176, 2, 1 },
  { 0x178, 0x178, 1, 0xFF - 0x178 },
  { 0x179, 0x17D, 2, 1 },
  { 0x386, 0x386, 1, 0x3AC - 0x386 },
  { 0x388, 0x38A, 1, 0x3AD - 0x388 },
  { 0x38C, 0x38C, 1, 0x3CC - 0x38C },
  { 0x38E, 0x38F, 1, 0x3CD - 0x38E },
  { 0x391, 0x3AB, 1, 32 },
  { 0x3C2, 0x3C2, 1, 1 }, -- the final sigma
  { 0x400, 0x40F, 1, 80 },
  { 0x410, 0x42F, 1, 32 },
  { 0x460, 0x480, 2, 1 },
  { 0x48A, 0x4BE, 2, 1 },
  { 0x4D0, 0x52E, 2, 1 },
  -- The Turkish dotted and dotless i both fold to i.
  { 0x130, 0x130, 1, 0x69 - 0x130 },
  { 0x131, 0x131, 1, 0x69 - 0x131 },
}

local folded -- a letter of two bytes -> its lower case; built for the first text that is not ASCII

local function new_folded()
  local made = {}
  for _, row in ipairs(CAPITALS) do
    local from, to, step, distance = row[1], row[2], row[3], row[4]
    for point = from, to, step do made[utf8_pair(point)] = utf8_pair(point + distance) end
  end
  return made
end

--- Returns the text in lower case, for comparison with another folded text.
---@param s string
---@return string
return function(s)
  s = text.lower(s)
  if not s:find "[\195-\212]" then return s end
  folded = folded or new_folded()
  return (s:gsub("[\195-\212][\128-\191]", folded))
end
