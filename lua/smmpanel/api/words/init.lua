--- The words of panels' error texts, by language and meaning. Data: `error_texts.lua` has the rules that use the
-- meanings. To add a language, add a block to one of these files and its name below; to add a wording, add it to its
-- meaning.
--
-- Each meaning has words and phrases, separated by commas, in their usual spelling: accents, case and punctuation are
-- ignored. `*` at the end means that the last word may continue; in scripts without spaces between words, `*` is on
-- both sides. A meaning that a language does not use is left out.
-- @module smmpanel.api.words

local lazy = require "smmpanel.util.lazy"

local words = {}

local FAMILY = {
  en = "english", es = "romance", pt = "romance", fr = "romance", it = "romance", ro = "romance",
  de = "germanic", nl = "germanic", ru = "slavic", uk = "slavic", pl = "slavic",
  tr = "eastern", ar = "eastern", fa = "eastern",
  az = "further", uz = "further", ms = "further", bn = "further", ur = "further",
  vi = "asian", id = "asian", zh = "asian", ja = "asian", ko = "asian", th = "asian", hi = "asian",
}

-- Each is loaded when a text needs one of its languages.
local families = {}
for _, family in pairs(FAMILY) do families[family] = families[family] or lazy("smmpanel.api.words." .. family) end

-- The languages of a script, by a pattern for characters that only this script has; for the Latin script, by letters
-- that distinguish languages. The first match decides.
local OTHER_SCRIPTS = 8 -- the number of rows for scripts other than Latin
local SCRIPTS = {
  { "[\216-\219][\128-\191]", { "ar", "fa", "ur" } },
  { "[\208-\211][\128-\191]", { "ru", "uk" } },
  { "\227[\129-\131]", { "ja" } }, -- kana
  { "[\228-\233][\128-\191][\128-\191]", { "zh", "ja" } },
  { "[\234-\237][\128-\191][\128-\191]", { "ko" } },
  { "\224[\184-\185]", { "th" } },
  { "\224[\164-\165]", { "hi" } },
  { "\224[\166-\167]", { "bn" } },
  { "\201\153", { "az" } }, -- ə
  { "\225[\186-\187]", { "vi" } },
  { "\198[\161\176]", { "vi" } }, -- ơ ư
  { "\196[\145\144]", { "vi" } }, -- đ
  { "[\196\197][\177\176\159\158]", { "tr", "ro" } }, -- ı İ ğ ş
  { "\197[\155\186\188\130]", { "pl" } }, -- ś ź ż ł
  { "\195[\163\181\131\149]", { "pt", "vi", "ro" } }, -- ã õ
  { "\195[\177\145]", { "es" } }, -- ñ
  { "\194[\191\161]", { "es" } }, -- ¿ ¡
  { "\195\159", { "de" } }, -- ß
}

local LATIN = { "tr", "id", "es", "pt", "vi", "fr", "de", "it", "pl", "nl", "ro", "uz", "az", "ms" }

--- Returns the languages other than English that a text may be in, the most likely first.
---@param said string as the panel wrote it
---@return string[]
function words.languages(said)
  local likely, latin = {}, true
  for i, row in ipairs(SCRIPTS) do
    if said:find(row[1]) then
      likely, latin = row[2], i > OTHER_SCRIPTS
      break
    end
  end
  if not latin then return likely end
  local all, seen = {}, {}
  for _, list in ipairs { likely, LATIN } do
    for _, language in ipairs(list) do
      if not seen[language] then all[#all + 1], seen[language] = language, true end
    end
  end
  return all
end

--- Returns the words of a language, by meaning.
---@param language string
---@return table<string, string>
function words.of(language)
  return families[FAMILY[language]][language]
end

--- Loads the words of all languages. Loading can fail, so it is done before a write is sent.
function words.load()
  for _, family in pairs(families) do lazy.load(family) end
end

return words
