--- The code of a panel's error text: which meanings its words have, and which rule they fulfil. Pure.
-- @module smmpanel.api.classify

local error_texts = require "smmpanel.api.error_texts"
local normalise = require "smmpanel.util.normalise"
local text = require "smmpanel.util.text"

local LONGEST = 400 -- bytes that are looked at: what is longer is a page, not a sentence

-- ---- the words, indexed by how they begin ---------------------------------------------------

local starts = {} -- the first word -> entries whose first word it is
local prefixes = {} -- the beginning of a word -> entries of one open word
local longest_prefix = 0
local inside = {} -- entries that may stand inside a word

local function add_to(index, key, entry)
  index[key] = index[key] or {}
  table.insert(index[key], entry)
end

local OPEN = "\2" -- stands for `*`, which `normalise` takes away

local function add_entry(language, meaning, written)
  local entry = { language = language, meaning = meaning, weight = #written }
  if written:sub(1, 1) == OPEN then
    entry.find = text.trim(written:gsub(OPEN, ""))
    inside[#inside + 1] = entry
    return
  end
  local open = written:sub(-1) == OPEN
  entry.find = " " .. (open and written:sub(1, -2) or written .. " ")
  local first = written:match("^[^ \2]+")
  if open and #first == #written - 1 then
    add_to(prefixes, first, entry)
    longest_prefix = math.max(longest_prefix, #first)
  else
    add_to(starts, first, entry)
  end
end

-- All words of a meaning at once: normalising is what takes the time.
local function add_list(language, meaning, list)
  local normal = normalise((list:gsub(",", "\1"):gsub("%*", OPEN)))
  for written in normal:gmatch("[^\1]+") do add_entry(language, meaning, text.trim(written)) end
end

-- At the first text that is to be read: a program without errors does not pay for it.
local function index_words()
  for language, meanings in pairs(require("smmpanel.api.words")) do
    for meaning, list in pairs(meanings) do add_list(language, meaning, list) end
  end
  index_words = function() end
end

-- ---- the meanings of a text -----------------------------------------------------------------

local function note(readings, entry, weight)
  local reading = readings[entry.language] or { meanings = {}, weight = 0 }
  readings[entry.language] = reading
  reading.meanings[entry.meaning] = true
  reading.weight = reading.weight + weight
end

-- The entries that a word begins, or that its beginning is.
local function entries_at(word, normal)
  local found = {}
  for _, entry in ipairs(starts[word] or {}) do
    if normal:find(entry.find, 1, true) then found[#found + 1] = entry end
  end
  for length = 2, math.min(#word, longest_prefix) do
    for _, entry in ipairs(prefixes[word:sub(1, length)] or {}) do found[#found + 1] = entry end
  end
  return found
end

-- A word that is English counts for no other language.
local function note_word(readings, word, normal)
  local found, english = entries_at(word, normal), false
  for _, entry in ipairs(found) do english = english or entry.language == "en" end
  for _, entry in ipairs(found) do note(readings, entry, english and 0 or entry.weight) end
end

-- What each language reads in a text.
local function readings_of(normal)
  local readings, seen = {}, {}
  for word in normal:gmatch("[^ ]+") do
    if not seen[word] then
      seen[word] = true
      note_word(readings, word, normal)
    end
  end
  if not normal:find("[\128-\255]") then return readings end
  for _, entry in ipairs(inside) do
    if normal:find(entry.find, 1, true) then note(readings, entry, entry.weight) end
  end
  return readings
end

-- The language that explains most of what is not English.
local function language_of(readings)
  local best, most
  for language, reading in pairs(readings) do
    local better = not most or reading.weight > most or reading.weight == most and language < best
    if language ~= "en" and reading.weight > 0 and better then best, most = language, reading.weight end
  end
  return best
end

-- The meanings in that language and in English, whose words stand in texts of all languages.
local function meanings_of(normal)
  local readings, all = readings_of(normal), {}
  for _, language in ipairs { "en", (language_of(readings)) } do
    for meaning in pairs(readings[language] and readings[language].meanings or all) do all[meaning] = true end
  end
  return all
end

-- ---- the rules ------------------------------------------------------------------------------

local function condition(written)
  local terms = {}
  for sign, meaning in written:gmatch("(%-?)([@a-z_]+)") do
    terms[#terms + 1] = { meaning = meaning, wanted = sign == "" }
  end
  return terms
end

local function compiled(rules)
  local list = {}
  for i, rule in ipairs(rules) do
    list[i] = { code = rule[1] }
    for n = 2, #rule do list[i][n - 1] = condition(rule[n]) end
  end
  return list
end

local unpack = table.unpack or unpack -- luacheck: ignore
local derived, rules = compiled(error_texts.derived), compiled(error_texts.rules)
local doubtful = compiled({ { "doubtful", unpack(error_texts.doubtful) } })[1]

local function holds(terms, meanings)
  for _, term in ipairs(terms) do
    if (meanings[term.meaning] or false) ~= term.wanted then return false end
  end
  return true
end

local function any_holds(rule, meanings)
  for _, terms in ipairs(rule) do
    if holds(terms, meanings) then return true end
  end
  return false
end

local function code_word(said)
  local lower = text.lower(said)
  for _, pair in ipairs(error_texts.code_words) do
    if lower:find(pair[1], 1, true) then return pair[2] end
  end
end

local function all_meanings(said, action)
  index_words()
  local meanings = meanings_of(normalise(said))
  if action then meanings["@" .. action] = true end
  for _, rule in ipairs(derived) do
    if any_holds(rule, meanings) then meanings[rule.code] = true end
  end
  return meanings
end

local function code_of(meanings)
  for _, rule in ipairs(rules) do
    if any_holds(rule, meanings) then return rule.code end
  end
  return "unknown"
end

-- A list of a thousand unknown ids brings the same text a thousand times.
local CACHE_MAX = 256
local cache, cached = {}, 0

local function read(said, action)
  local meanings = all_meanings(said, action)
  return { code = code_word(said) or code_of(meanings), doubtful = any_holds(doubtful, meanings) or nil }
end

local classify = {}

--- What a panel's error text means.
---@param said string the panel's own words
---@param action? string what was asked: "not found" is about an order where `status` was asked
---@return string code "unknown" where no rule holds
---@return true? doubtful it refuses nothing: what was asked for may have been done
function classify.code(said, action)
  said = said:sub(1, LONGEST)
  local name = (action or "") .. "\0" .. said
  local found = cache[name]
  if not found then
    if cached >= CACHE_MAX then cache, cached = {}, 0 end
    found = read(said, action)
    cache[name], cached = found, cached + 1
  end
  return found.code, found.doubtful
end

--- Whether a text has a meaning, such as "scheduled".
---@param said string
---@param meaning string
---@return boolean
function classify.says(said, meaning)
  return all_meanings(said:sub(1, LONGEST))[meaning] or false
end

return classify
