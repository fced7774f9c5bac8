--- Decides whether and when a failed attempt is retried. Pure: the clock and the random numbers are arguments.
-- @module smmpanel.call.retry

local retry = {}

local errors = require "smmpanel.errors"

local BASE = 0.5 -- seconds: upper bound of the first pause
local CAP = 30 -- seconds: upper bound of every pause that the panel did not ask for

--- Seconds; a longer Retry-After must not stop all calls for a day, and across restarts.
retry.HOLD_MAX = 900

-- Failures that a retry cannot change: cancelled by the caller, an invalid URL, a feature missing from libcurl, an
-- error in the option `transport`.
local FINAL = { cancelled = true, bad_url = true, unsupported = true, transport = true }

-- Failures before anything was sent, so the panel cannot have seen the request.
local function never_arrived(outcome)
  return outcome.code ~= "" and outcome.sent == false
end

local function passing(err)
  local status = err.http_status or 0
  return err.kind == "network" or err.kind == "timeout" or err.code == "rate_limited"
    or status == 429 or status >= 500
end

--- Returns whether this failure may be retried: reads if the failure may be temporary, writes only if nothing can have
-- reached the panel.
---@param err smmpanel.Error
---@param outcome table the engine's outcome of the attempt
---@param write boolean
---@param repeatable? boolean the write has an idempotency key that the panel supports
---@return boolean
function retry.may(err, outcome, write, repeatable)
  if errors.is_authentication(err) or FINAL[outcome.code] then return false end
  if repeatable then write = not err.uncertain and err.code ~= "rate_limited" end
  if write then return never_arrived(outcome) end
  return never_arrived(outcome) or passing(err) or repeatable == true
end

--- Exponential back-off with full jitter: a random time between 0 and a bound that doubles.
---@param attempt integer how many were made, from 1
---@param random fun(): number in [0, 1)
---@return number seconds
function retry.backoff(attempt, random)
  return random() * math.min(CAP, BASE * 2 ^ (attempt - 1))
end

--- Returns the pause before the next attempt. Nil if there is none: the failure may not be retried, all retries are
-- used, or the pause (or the panel's Retry-After) would last until the deadline.
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
