--- The words of panels' error texts, by language and by what they mean. Data: `error_texts.lua` has the rules over
-- the meanings. To teach a language, add a block to one of these files; to teach a wording, add it to its meaning.
--
-- Each meaning has words and phrases with commas between them, written as people write them: accents, case and
-- punctuation do not matter. `*` at the end leaves the end of the last word open; in scripts without spaces between
-- words, `*` stands on both sides. A meaning that a language does not use is left out.
-- @module smmpanel.api.words

local words = {}

for _, family in ipairs { "english", "romance", "germanic", "slavic", "eastern", "asian" } do
  for language, meanings in pairs(require("smmpanel.api.words." .. family)) do words[language] = meanings end
end

---@type table<string, table<string, string>> language -> meaning -> words
return words
