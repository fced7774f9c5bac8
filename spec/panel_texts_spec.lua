-- The texts of public panels: error texts, order states and refill states, in many languages. The requirement is a
-- rate, so that the words stay meanings and do not become a list of these sentences.
local cjson = require "cjson"
local classify = require "smmpanel.api.classify"
local states = require "smmpanel.api.states"

local function read(row)
  if row.what == "error" then return (classify.code(row.text, row.action)) end
  return states.state(row.text)
end

local function is_right(row, got)
  local wanted = row.code == "rejected" and "failed" or row.code
  if got == wanted then return true end
  for _, other in ipairs(row.also or {}) do
    if got == other then return true end
  end
  return false
end

local function group_of(row)
  if row.what ~= "error" then return "states" end
  return row.lang == "en" and "English errors" or "other errors"
end

-- { group = { total, right } }, and what was given a wrong code
local function rates(path)
  local groups, wrong = {}, {}
  for line in io.lines(path) do
    local row = cjson.decode(line)
    local group, got = groups[group_of(row)] or { 0, 0 }, read(row)
    groups[group_of(row)] = group
    group[1] = group[1] + 1
    if is_right(row, got) then
      group[2] = group[2] + 1
    elseif got ~= "unknown" then
      wrong[#wrong + 1] = ("%s, not %s: %s"):format(got, row.code, row.text)
    end
  end
  return groups, wrong
end

for path, least in pairs {
  ["spec/data/panel-texts.jsonl"] = { ["English errors"] = 0.95, ["other errors"] = 0.85, states = 0.95 },
  ["spec/data/invented-texts.jsonl"] = { ["English errors"] = 0.95, ["other errors"] = 0.85, states = 0.95 },
} do
  describe("texts of panels in " .. path, function()
    local groups, wrong = rates(path)
    for group, rate in pairs(least) do
      it(("%s: at least %d %%"):format(group, rate * 100), function()
        local total, right = groups[group][1], groups[group][2]
        assert.is_true(right >= rate * total, ("%d of %d"):format(right, total))
      end)
    end
    it("at most 3 wrong", function() assert.is_true(#wrong <= 3, table.concat(wrong, "\n")) end)
  end)
end

describe("an error text", function()
  it("is read with any case, quotes, entities, accents and width", function()
    for said, code in pairs {
      ["YETERSİZ BAKİYE"] = "no_funds", ["yetersiz bakiye"] = "no_funds", ["Bakıye yetersız!!"] = "no_funds",
      ["You don’t have enough money"] = "no_funds", ["You don&#039;t have enough money"] = "no_funds",
      ["رَصِيدُكَ غَيْرُ كَافٍ"] = "no_funds", ["您的餘額不足"] = "no_funds", ["ＡＰＩ　ＫＥＹ　ｉｎｖａｌｉｄ"] = "invalid_key",
      ["So du khong du"] = "no_funds", ["<b>Insufficient</b>&nbsp;balance"] = "no_funds",
      ["serviceNotFound"] = "bad_service", ["ORDER_NOT_FOUND"] = "bad_order",
    } do
      assert.equal(code .. " " .. said, (classify.code(said)) .. " " .. said)
    end
  end)
  it("is read in the context of the action", function()
    assert.equal("bad_order", (classify.code("Not found", "status")))
    assert.equal("bad_refill", (classify.code("Not found", "refill_status")))
    assert.equal("unknown", (classify.code("Not found", "add")))
    assert.equal("not_cancellable", (classify.code("Order already completed", "cancel")))
    assert.equal("not_refillable", (classify.code("Order already canceled", "refill")))
  end)
  it("that is not a refusal is uncertain", function()
    for _, said in ipairs { "Timeout", "Order is being processed", "Duplicate order", "Sipariş işleniyor",
      "Order placed at provider but local save failed" } do
      assert.is_true(select(2, classify.code(said, "add")), said)
    end
    for _, said in ipairs { "Not enough funds", "You have an active order with this link", "Incorrect service ID" } do
      assert.is_nil(select(2, classify.code(said, "add")), said)
    end
  end)
end)

describe("the words and the rules", function()
  local error_texts = require "smmpanel.api.error_texts"
  local words = require "smmpanel.api.words"

  local LANGUAGES = { "en", "es", "pt", "fr", "it", "ro", "de", "nl", "ru", "uk", "pl", "tr", "ar", "fa", "vi", "id",
    "zh", "ja", "ko", "th", "hi", "az", "uz", "ms", "bn", "ur" }

  local used, derived = { plain = true, scheduled = true }, {}
  local function use(condition)
    for meaning in condition:gmatch "[@a-z_]+" do used[meaning] = true end
  end
  for _, lists in ipairs { error_texts.derived, error_texts.rules } do
    for _, rule in ipairs(lists) do
      for i = 2, #rule do use(rule[i]) end
    end
  end
  for _, rule in ipairs(error_texts.derived) do derived[rule[1]] = true end
  for _, condition in ipairs(error_texts.doubtful) do use(condition) end

  it("have no meaning that no rule uses", function()
    for _, language in ipairs(LANGUAGES) do
      for meaning in pairs(words.of(language)) do assert.is_true(used[meaning], language .. ": " .. meaning) end
    end
  end)
  it("have words for each meaning that a rule uses", function()
    local known = {}
    for _, language in ipairs(LANGUAGES) do
      for meaning in pairs(words.of(language)) do known[meaning] = true end
    end
    for meaning in pairs(used) do
      assert.is_true(known[meaning] or derived[meaning] or meaning:find "^@" ~= nil, meaning)
    end
  end)
end)
