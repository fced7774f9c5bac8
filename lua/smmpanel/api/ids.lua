--- The ids of a call, one or a list: checks them, removes duplicates, and maps them to the caller's keys. Pure.
-- @module smmpanel.api.ids

local ids = {}

local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"

---@alias smmpanel.Id integer|string an order's, refill's or service's id

---@class smmpanel.Ids
---@field single boolean one id was given, not a list
---@field texts string[] the ids as sent, each once, in the order given
---@field keys table<string, smmpanel.Id[]> text -> the ids as given

--- Returns the text of an id as it is sent. Throws if the value is not an id.
---@param where string the public function's name, for the message
---@param id any
---@return string
function ids.text(where, id)
  local kind = type(id)
  if kind == "number" then
    local digits = argerror.integer_text(id)
    if digits then return digits end
    local long = math.abs(id) > 2 ^ 53 and id % 1 == 0
    argerror.throw(where, "an id must be an integer%s or a string, got %s",
      long and " of at most 2^53 (pass a longer one as a string)" or "", tostring(id))
  end
  if kind ~= "string" then
    argerror.throw(where, "an id must be an integer or a string, got %s", argerror.describe(id))
  end
  if not text.is_id(id) then
    argerror.throw(where, "an id must be a string without commas, white space and control characters "
      .. "(pass several ids as a list), got %s", argerror.describe(id))
  end
  return id
end

--- Converts an id's text to its form in records: an integer if that loses no digit, otherwise the text.
---@param digits string
---@return smmpanel.Id
function ids.value(digits)
  local n = digits:find("^%-?[0-9]+$") and #digits <= 20 and tonumber(digits)
  return n and argerror.integer_text(n) == digits and n or digits
end

local function check_list(where, list)
  local count = 0
  for key in pairs(list) do
    count = count + 1
    if type(key) ~= "number" then
      argerror.throw(where, "needs an id or a list of ids, got a table with the key %s", argerror.describe(key))
    end
  end
  if count ~= #list then argerror.throw(where, "the list of ids has holes: some of them are nil") end
end

--- Reads the caller's argument: one id, or a list of ids.
---@param where string the public function's name
---@param given any
---@return smmpanel.Ids
function ids.read(where, given)
  local single = type(given) ~= "table"
  if not single then check_list(where, given) end
  local texts, keys = {}, {}
  for _, id in ipairs(single and { given } or given) do
    local wire = ids.text(where, id)
    if keys[wire] then
      table.insert(keys[wire], id)
    else
      keys[wire] = { id }
      texts[#texts + 1] = wire
    end
  end
  if single and #texts == 0 then ids.text(where, given) end
  return { single = single, texts = texts, keys = keys }
end

return ids
