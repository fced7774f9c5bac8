--- What an order's or a refill's state means. Pure.
-- @module smmpanel.api.states

local states = {}

local text = require "smmpanel.util.text"

local WORDS = {
  open = "pending processing inprogress active awaiting queued inqueue paused refill holding 0 1",
  completed = "completed complete success 2",
  partial = "partial 3",
  canceled = "canceled cancelled cancel refunded refunds 4 5",
  failed = "fail failed error expired limit rejected",
}

local class_of = {}
for class, words in pairs(WORDS) do
  for word in words:gmatch("[^ ]+") do class_of[word] = class end
end

--- The class of a state as a panel writes it, of an order or of a refill. A text that is not known is
-- `unknown`, never taken for open or for done. Stands for the `status` field of `status` and `refill_status`.
---@param status string|integer|nil as in the record; some panels answer numbers, 0 to 5
---@return "open"|"completed"|"partial"|"canceled"|"failed"|"unknown"
function states.state(status)
  local kind = type(status)
  if kind == "number" then
    return status % 1 == 0 and class_of[("%.0f"):format(status)] or "unknown"
  end
  if kind ~= "string" then return "unknown" end
  local word = text.lower(text.trim(status)):gsub("^tasks%.status%.", "")
  return class_of[text.squeeze(word)] or "unknown"
end

--- Whether nothing more will happen to it: completed, partial, canceled or failed. Unknown is not final.
---@param status string|integer|nil as in the record
---@return boolean
function states.is_final(status)
  local class = states.state(status)
  return class ~= "open" and class ~= "unknown"
end

return states
