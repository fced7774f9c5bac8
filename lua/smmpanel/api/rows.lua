--- Finds the row of each id in an answer: by the ids in the rows, or by position if that is certain. Pure.
-- @module smmpanel.api.rows

local rows = {}

local argerror = require "smmpanel.util.argerror"
local refusal = require "smmpanel.api.refusal"
local text = require "smmpanel.util.text"
local unwrap = require "smmpanel.api.unwrap"

local unclear = refusal.unclear

local function carried_id(asking, row)
  if type(row) ~= "table" then return nil end
  for _, name in ipairs(asking.row.ids) do
    local found = type(row[name]) == "number" and argerror.integer_text(row[name])
      or type(row[name]) == "string" and text.trim(row[name])
    if found then return found end
  end
end

-- Returns the rows by their ids, or nil if no row has an id. Two rows with one id contradict each other.
local function by_carried_id(asking, list)
  local by_id, twice = nil, {}
  for _, row in pairs(list) do
    local id = carried_id(asking, row)
    if id then
      by_id = by_id or {}
      if by_id[id] ~= nil then twice[id] = true end
      by_id[id] = row
    end
  end
  return by_id, twice
end

-- PHP writes a map with the keys 0, 1, 2, ... as a list.
local function ids_count_from_zero(asked)
  local wanted = {}
  for _, id in ipairs(asked) do wanted[id] = true end
  for i = 0, #asked - 1 do
    if not wanted[("%d"):format(i)] then return false end
  end
  return true
end

local function by_place(asked, list)
  local n = refusal.length(list)
  if #asked == 1 and n == 1 then return { [asked[1]] = list[1] } end
  if n ~= #asked or not ids_count_from_zero(asked) then
    return nil, unclear("a list of %d rows without ids: it is unclear which row belongs to which id", n)
  end
  local by_id = {}
  for index, row in pairs(list) do by_id[("%d"):format(index - 1)] = row end
  return by_id
end

--- Returns whether one of the requested ids has a row.
---@param asked string[]
---@param by_id table
---@return boolean
function rows.keyed(asked, by_id)
  for _, id in ipairs(asked) do
    if by_id[id] ~= nil then return true end
  end
  return false
end

--- Returns the rows of a list by id.
---@param asking smmpanel.Asking
---@param asked string[] the ids, as sent
---@param list table an array that is not empty
---@return table<string, any>? rows
---@return table<string, true>|smmpanel.Failure twice the ids that have two rows; or the failure, if there are no rows
function rows.of(asking, asked, list)
  local map = unwrap.pairs(asked, list)
  if map then return map, {} end
  local by_id, twice = by_carried_id(asking, list)
  if not by_id then
    local placed, failure = by_place(asked, list)
    return placed, failure or {}
  end
  if not rows.keyed(asked, by_id) then return nil, unclear("the answer is about other ids") end
  return by_id, twice
end

return rows
