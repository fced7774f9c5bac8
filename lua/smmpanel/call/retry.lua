--- Whether a failed attempt is followed by another, and when. Pure: the clock and the dice come from outside.
-- @module smmpanel.call.retry

local retry = {}

local errors = require "smmpanel.errors"

local BASE = 0.5 -- seconds: the most that the first pause may be
local CAP = 30 -- seconds: the most that any pause of ours may be

-- What a second attempt cannot change: the caller's word, a URL that is none, what libcurl was built without.
local FINAL = { cancelled = true, bad_url = true, unsupported = true }

-- The panel cannot have seen it: nothing was sent.
local function never_arrived(outcome)
  return outcome.code ~= "" and outcome.sent == false
end

local function passing(err)
  local status = err.http_status or 0
  return err.kind == "network" or err.kind == "timeout" or err.code == "rate_limited"
    or status == 429 or status >= 500
end

--- Whether this failure may be tried again: reads where it may pass, writes only where nothing reached the
-- panel.
---@param err smmpanel.Error
---@param outcome table the engine's outcome of the attempt
---@param write boolean
---@param repeatable? boolean the panel makes one order of a write that is sent twice
---@return boolean
function retry.may(err, outcome, write, repeatable)
  if errors.is_authentication(err) or FINAL[outcome.code] then return false end
  if repeatable then write = not err.uncertain and err.code ~= "rate_limited" end
  if write then return never_arrived(outcome) end
  return never_arrived(outcome) or passing(err) or repeatable == true
end

--- Exponential with full jitter: anywhere between nothing and a bound that doubles.
---@param attempt integer how many were made, from 1
---@param random fun(): number in [0, 1)
---@return number seconds
function retry.backoff(attempt, random)
  return random() * math.min(CAP, BASE * 2 ^ (attempt - 1))
end

--- The pause before the next attempt, or nil where there is none: not to be tried again, tries used up,
-- or the pause (the panel's Retry-After too) would not leave any of the remaining time.
---@param attempt integer how many were made, from 1
---@param err smmpanel.Error
---@param outcome table
---@param call { write: boolean, retries: integer }
---@param remaining number seconds to the deadline
---@param random fun(): number
---@return number? seconds
function retry.pause(attempt, err, outcome, call, remaining, random)
  if attempt > call.retries or not retry.may(err, outcome, call.write, call.repeatable) then return nil end
  local pause = math.max(retry.backoff(attempt, random), err.retry_after or 0)
  return pause < remaining and pause or nil
end

return retry
