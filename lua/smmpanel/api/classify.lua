--- Determines the code of a panel's error text: finds the meanings of its words, then the first matching rule. Pure.
-- @module smmpanel.api.classify

local error_texts = require "smmpanel.api.error_texts"
local normalise = require "smmpanel.util.normalise"
local text = require "smmpanel.util.text"
local words = require "smmpanel.api.words"

local LONGEST = 400 -- bytes that are read; a longer text is a web page, not a sentence

-- ---- the words of a language, indexed by how they begin ------------------------------------

---@class smmpanel.Lexicon the words of a language. An entry has its meaning, and the word or words as `written`
---@field starts table<string, table[]> the first word -> entries that begin with it
---@field prefixes table<string, table[]> the beginning of a word -> entries of one open word
---@field longest_prefix integer
---@field inside table[] entries that may stand inside a word

-- Replacements for the comma and `*`, which `normalise` would remove.
local OPEN = "\2"
local MARKS = { [","] = "\1", ["*"] = OPEN }

local function add_to(index, key, entry)
  local list = index[key]
  if list then list[#list + 1] = entry else index[key] = { entry } end
end

local function add_entry(lexicon, meaning, written)
  local entry = { meaning = meaning, written = written }
  local first = written:match("^[^ \2]*")
  if first == "" then
    entry.inside = text.trim((written:gsub(OPEN, "")))
    lexicon.inside[#lexicon.inside + 1] = entry
  elseif #first == #written - 1 and written:byte(-1) == 2 then
    add_to(lexicon.prefixes, first, entry)
    lexicon.longest_prefix = math.max(lexicon.longest_prefix, #first)
  else
    add_to(lexicon.starts, first, entry)
  end
end

local function new_lexicon(language)
  local lexicon = { starts = {}, prefixes = {}, longest_prefix = 0, inside = {} }
  for meaning, list in pairs(words.of(language)) do
    -- Normalises all words of a meaning at once, because each call is slow.
    local normal = normalise((list:gsub("[,*]", MARKS)))
    for written in normal:gmatch(" *([^\1]*[^\1 ]) *") do add_entry(lexicon, meaning, written) end
  end
  return lexicon
end

-- Built when a text needs the language, so that a program with only English errors does not load the others.
local lexicons = setmetatable({}, { __index = function(all, language)
  all[language] = new_lexicon(language)
  return all[language]
end })

-- ---- what a language reads in a text --------------------------------------------------------

local function stands_in(normal, entry)
  local written = entry.written
  local wanted = written:byte(-1) == 2 and written:sub(1, -2) or written .. " "
  return normal:find(" " .. wanted, 1, true)
end

-- Returns the entries that begin at a word.
local function entries_at(lexicon, word, normal)
  local found = {}
  for _, entry in ipairs(lexicon.starts[word] or {}) do
    if stands_in(normal, entry) then found[#found + 1] = entry end
  end
  for length = 2, math.min(#word, lexicon.longest_prefix) do
    for _, entry in ipairs(lexicon.prefixes[word:sub(1, length)] or {}) do found[#found + 1] = entry end
  end
  return found
end

local function words_in(normal)
  local list, seen = {}, {}
  for word in normal:gmatch("[^ ]+") do
    if not seen[word] then list[#list + 1], seen[word] = word, true end
  end
  return list
end

-- A phrase explains all its words: "too many requests".
local function add_known(known, entry)
  for word in entry.written:gmatch("[^ \2]+") do known[word] = true end
end

-- `skip`: ignores words that another language knows.
local function read_words(lexicon, list, normal, skip)
  local reading = { meanings = {}, weight = 0, known = {}, count = 0 }
  for _, word in ipairs(list) do
    local found = entries_at(lexicon, word, normal)
    for _, entry in ipairs(found) do
      reading.meanings[entry.meaning] = true
      add_known(reading.known, entry)
      if not skip[word] then reading.weight = reading.weight + #entry.written end
    end
    if found[1] and not skip[word] then
      reading.known[word], reading.count = true, reading.count + 1
    end
  end
  return reading
end

local function read_inside(lexicon, normal, reading)
  for _, entry in ipairs(lexicon.inside) do
    if normal:find(entry.inside, 1, true) then
      reading.meanings[entry.meaning] = true
      reading.weight, reading.count = reading.weight + #entry.written, reading.count + 1
    end
  end
end

-- Counts the words that carry information: not numbers and single letters.
local function telling(list, known)
  local count = 0
  for _, word in ipairs(list) do
    if not known[word] and #word > 1 and not word:find("^[0-9]+$") then count = count + 1 end
  end
  return count
end

local ENOUGH = 0.75 -- share of the non-English words that identifies a language

local function read_in(language, list, normal, english)
  local reading = read_words(lexicons[language], list, normal, english.known)
  if normal:find("[\128-\255]") then read_inside(lexicons[language], normal, reading) end
  return reading
end

-- Returns the reading in the first language that explains enough of the non-English words, or in the one that explains
-- the most of them.
local function foreign_reading(said, list, normal, english)
  local enough = ENOUGH * telling(list, english.known)
  local best
  local languages = words.languages(said)
  for _, language in ipairs(languages) do
    local reading = read_in(language, list, normal, english)
    if not best or reading.weight > best.weight then best = reading end
    if #languages > 3 and reading.count >= enough and reading.weight > 0 then break end
  end
  return best
end

-- Returns whether a text is English, so that no other language needs to be tried.
local function is_english(list, normal, english)
  if normal:find("[\128-\255]") then return false end
  local open = telling(list, english.known)
  return open == 0 or english.meanings.plain and open <= #list / 2
end

-- ---- the rules ------------------------------------------------------------------------------

-- The terms of a condition as it is written in `error_texts`, parsed when it is first asked.
local conditions = setmetatable({}, { __index = function(all, written)
  local terms = {}
  for sign, meaning in written:gmatch("(%-?)([@a-z_]+)") do
    terms[#terms + 1] = { meaning = meaning, wanted = sign == "" }
  end
  all[written] = terms
  return terms
end })

local function holds(terms, meanings)
  for _, term in ipairs(terms) do
    if (meanings[term.meaning] or false) ~= term.wanted then return false end
  end
  return true
end

-- Whether one of the conditions holds, from the `first` of the list on.
local function any_holds(list, first, meanings)
  for i = first, #list do
    if holds(conditions[list[i]], meanings) then return true end
  end
  return false
end

local function code_word(said)
  local lower = text.lower(said)
  for _, pair in ipairs(error_texts.code_words) do
    if lower:find(pair[1], 1, true) then return pair[2] end
  end
end

local function derive(meanings, action)
  local all = {}
  for meaning in pairs(meanings) do all[meaning] = true end
  if action then all["@" .. action] = true end
  for _, rule in ipairs(error_texts.derived) do
    if any_holds(rule, 2, all) then all[rule[1]] = true end
  end
  return all
end

local function code_of(meanings)
  for _, rule in ipairs(error_texts.rules) do
    if any_holds(rule, 2, meanings) then return rule[1] end
  end
end

-- Returns the meanings of a text, in English and, if English does not explain it, in one more language.
local function all_meanings(said, action)
  local normal = normalise(said)
  local list = words_in(normal)
  local english = read_words(lexicons.en, list, normal, {})
  local meanings = derive(english.meanings, action)
  if is_english(list, normal, english) then return meanings end
  local foreign = foreign_reading(said, list, normal, english)
  if not foreign or foreign.weight == 0 then return meanings end
  for meaning in pairs(foreign.meanings) do english.meanings[meaning] = true end
  return derive(english.meanings, action)
end

-- Caches results, because a list of a thousand unknown ids has the same text a thousand times.
local CACHE_MAX = 256
local cache, cached = {}, 0

local function read(said, action)
  local meanings = all_meanings(said, action)
  local doubtful = any_holds(error_texts.doubtful, 1, meanings)
  return { code = code_word(said) or code_of(meanings) or "unknown", doubtful = doubtful or nil }
end

local classify = {}

--- Returns the code of a panel's error text.
---@param said string the panel's text
---@param action? string the API action: for `status`, "not found" is about an order
---@return string code "unknown" if no rule matches
---@return true? doubtful the text is not a refusal: the request may have been carried out
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

--- Returns whether a text has a meaning, such as "scheduled".
---@param said string
---@param meaning string
---@return boolean
function classify.says(said, meaning)
  return all_meanings(said:sub(1, LONGEST))[meaning] or false
end

return classify
