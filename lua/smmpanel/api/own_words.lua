--- The options `error_codes` and `order_states`, which take precedence over the built-in tables. Pure.
-- @module smmpanel.api.own_words

local own_words = {}

local normalise = require "smmpanel.util.normalise"
local states = require "smmpanel.api.states"

-- Normalises the words and sorts them by length: the longest match is the most precise one and wins.
local function prepared(map)
  local list = {}
  for words, meaning in pairs(map) do
    list[#list + 1] = { words = normalise(words):sub(2, -2), meaning = meaning }
  end
  table.sort(list, function(a, b)
    if #a.words == #b.words then return a.words < b.words end
    return #a.words > #b.words
  end)
  return list
end

--- Returns a function that returns the user's code for a panel's text.
---@param map table<string, string> part of a text -> code
---@return fun(said: string): string?
function own_words.codes(map)
  local list = prepared(map)
  return function(said)
    local normal = normalise(said)
    for _, item in ipairs(list) do
      if normal:find(item.words, 1, true) then return item.meaning end
    end
  end
end

--- Returns a function that returns the class of a state. The user's words take precedence.
---@param map table<string, string> a state as the panel writes it -> class
---@return fun(status: any): string
function own_words.states(map)
  local class_of = {}
  for words, class in pairs(map) do class_of[normalise(words)] = class end
  return function(status)
    local own = (type(status) == "string" or type(status) == "number") and class_of[normalise(tostring(status))]
    return own or states.state(status)
  end
end

return own_words
