--- Normalises a text for comparison: lower case, without accents, vowel marks and quotes, full-width letters as plain
-- ones, everything that is not a letter or digit as a single space, and a space at both ends.
-- "¡Límite EXCEDIDO!" -> " limite excedido ". Pure.
-- @module smmpanel.util.normalise

local casefold = require "smmpanel.util.casefold"

local function utf8_char(point)
  if point < 0x80 then return string.char(point) end
  if point < 0x800 then return string.char(0xC0 + math.floor(point / 64), 0x80 + point % 64) end
  return string.char(0xE0 + math.floor(point / 4096), 0x80 + math.floor(point / 64) % 64, 0x80 + point % 64)
end

-- A plain letter -> its letters with accents.
local LATIN = {
  a = "àáâãäåāăąǎạảấầẩẫậắằẳẵặ", c = "çćĉċč", d = "ďđ", e = "èéêëēĕėęěẹẻẽếềểễệ", g = "ĝğġģ", h = "ĥħ",
  i = "ìíîïĩīĭįỉị", j = "ĵ", k = "ķ", l = "ĺļľł", n = "ñńņňŉ", o = "òóôõöøōŏőơọỏốồổỗộớờởỡợ", r = "ŕŗř",
  s = "śŝşšș", t = "ţťŧț", u = "ùúûüũūŭůűųưụủứừửữự", w = "ŵẁẃẅ", y = "ýÿŷỳỵỷỹ", z = "źżž",
  ae = "æ", oe = "œ", ss = "ß",
  ["е"] = "ё", ["и"] = "й", ["і"] = "ї", ["г"] = "ґ",
  ["ا"] = "أإآٱ", ["ه"] = "ة", ["ي"] = "ىیئ", ["ك"] = "ک", ["و"] = "ؤ",
}
-- Traditional Chinese characters of our words, and the simplified ones.
local CHINESE = { "餘余", "額额", "單单", "連连", "結结", "無无", "數数", "訂订", "請请", "維维", "護护", "鑰钥", "錯错", "誤误",
  "帳账", "戶户", "務务", "處处", "進进", "過过", "個个", "線线", "關关", "閉闭", "標标", "補补", "續续", "帶带", "對对", "應应",
  "號号", "參参", "權权", "資资", "費费", "夠够", "執执", "運运", "動动", "啟启", "間间", "極极", "頻频", "試试", "後后", "產产", "網网" }

-- Letters by what they are without accents.
local function add_letters(plain)
  for base, letters in pairs(LATIN) do
    for letter in letters:gmatch("[\194-\244][\128-\191]+") do plain[letter] = base end
  end
  -- The capital letters of Vietnamese: every second character, as everywhere in that block.
  for point = 0x1E00, 0x1EFE, 2 do plain[utf8_char(point)] = plain[utf8_char(point + 1)] end
  for letter, small in pairs { ["Ơ"] = "o", ["Ư"] = "u", ["Ș"] = "s", ["Ț"] = "t", ["ẞ"] = "ss" } do
    plain[letter] = small
  end
end

local function each(plain, from, to, make)
  for point = from, to do plain[utf8_char(point)] = make(point) end
end
local function nothing() return "" end
local function space() return " " end

local function add_marks_and_signs(plain)
  each(plain, 0x300, 0x36F, nothing) -- combining accents
  each(plain, 0x64B, 0x65F, nothing) -- Arabic vowel marks
  each(plain, 0x640, 0x640, nothing) -- the Arabic letter stretcher
  each(plain, 0x93C, 0x93C, nothing) -- the dot below of Hindi
  each(plain, 0x200B, 0x200F, nothing) -- invisible characters
  each(plain, 0xFEFF, 0xFEFF, nothing)
  each(plain, 0x2BC, 0x2BC, nothing)
  each(plain, 0xB4, 0xB4, nothing)
  each(plain, 0xFF10, 0xFF19, function(point) return string.char(point - 0xFF10 + 48) end)
  each(plain, 0xFF21, 0xFF3A, function(point) return string.char(point - 0xFF21 + 97) end)
  each(plain, 0xFF41, 0xFF5A, function(point) return string.char(point - 0xFF41 + 97) end)
  each(plain, 0xA0, 0xA9, space) -- punctuation and symbols; the blocks of symbols further up are cut out as patterns
  each(plain, 0xAB, 0xB1, space)
  each(plain, 0xB6, 0xBF, space)
  each(plain, 0x3000, 0x3020, space)
  each(plain, 0xFF01, 0xFF0F, space)
  each(plain, 0xFF1A, 0xFF20, space)
  each(plain, 0xFE00, 0xFE0F, space)
  for _, point in ipairs { 0x60C, 0x61B, 0x61F, 0x66A, 0x6D4, 0x964, 0x30FB } do plain[utf8_char(point)] = " " end
end

-- A character -> its replacement. Built for the first text that is not ASCII.
local function new_plain()
  local plain = {}
  add_letters(plain)
  add_marks_and_signs(plain)
  for _, pair in ipairs(CHINESE) do plain[pair:sub(1, 3)] = pair:sub(4, 6) end
  return plain
end

local plain

local ENTITIES = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'", nbsp = " ", rsquo = "'", lsquo = "'" }

local function entity(name)
  local number = name:match("^#(%d+)$")
  local point = number and tonumber(number) or name:find("^#[xX]%x+$") and tonumber(name:sub(3), 16)
  if point then return point < 0xFFFF and utf8_char(point) or " " end
  return ENTITIES[name]
end

-- English word endings after an apostrophe: don't, it's. In other languages a word begins there: d'annuler.
local ENDINGS = { t = "t", s = "s", re = "re", ve = "ve", ll = "ll", d = "d", m = "m" }

local function after_apostrophe(letters)
  return ENDINGS[letters] or " " .. letters
end

-- Letters of several bytes, symbols and emoji.
local function without_accents(s)
  plain = plain or new_plain()
  s = s:gsub("[\194-\239][\128-\191]+", plain)
  return (s:gsub("\226[\128-\175][\128-\191]", " "):gsub("\240[\128-\191]+", " ")) -- U+2000 to U+2BFF; emoji
end

local function spaced(s)
  return " " .. s:gsub("^ ", ""):gsub(" $", "") .. " "
end

-- Most texts need few of the replacements, and a plain search costs much less than one.
---@param s string the bytes 1 and 2 in it stay: a list can be normalised in one go
---@return string
return function(s)
  local function has(piece) return s:find(piece, 1, true) end
  if not s:find "[^0-9a-z \1\2]" and not has "  " then return spaced(s) end
  if has "&" then s = s:gsub("&(#?[0-9A-Za-z]+);", entity) end
  if has "<" then s = s:gsub("<[^<>]*>", " ") end
  if has "://" then s = s:gsub("https?://[^ \t\r\n]*", " ") end
  if s:find "[A-Z]" then s = s:gsub("([a-z])([A-Z])", "%1 %2") end -- OrderID, serviceNotFound
  local wide = s:find "[\194-\244]"
  s = casefold(s)
  if wide then s = s:gsub("\226\128[\152-\155]", "'") end
  if has "'" then s = s:gsub("'([a-z]+)", after_apostrophe):gsub("'", "") end
  if has "`" then s = s:gsub("`", "") end
  if wide then s = without_accents(s) end
  return spaced((s:gsub("[^0-9a-z\1\2\128-\255]+", " ")))
end
