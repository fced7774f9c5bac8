--- Decides when a run of many orders stops: after an error that the other orders would meet too. Pure.
-- @module smmpanel.ledger.stopping

local stopping = {}

local errors = require "smmpanel.errors"

-- Failures of the ledger that concern only one order; all others concern every order.
local OWN = { uncertain = true, mismatch = true, conflict = true, in_progress = true, other_account = true }

-- Errors that the next order would meet as well.
local ALL = { no_funds = true, limiter = true, max_cost = true, rate_limited = true, maintenance = true }

--- Returns whether this error stops a run immediately.
---@param err smmpanel.Error
---@return boolean
function stopping.at_once(err)
  if err.kind == "ledger" then return not OWN[err.code] end
  if err.kind == "cancelled" then return true end -- also if the order that Ctrl-C cut short is uncertain
  if err.uncertain then return false end
  return ALL[err.code] == true or errors.is_authentication(err)
end

--- Returns whether the panel asked for a pause and did not place the order.
---@param err? smmpanel.Error
---@return boolean
function stopping.is_rate_limit(err)
  return err ~= nil and err.code == "rate_limited" and not err.uncertain
end

-- Returns the value by which failures are compared; nil if a failure concerns only its order, or no panel sent it.
local function likeness(err)
  if err.uncertain then return "uncertain" end
  if err.kind == "panel" then return err.code == "unknown" and "the same refusal: " .. err.message or nil end
  local whole = err.kind == "http" or err.kind == "network" or err.kind == "timeout"
  return whole and "the same failure: " .. err.code or nil
end

local Streak = {}
Streak.__index = Streak

--- Makes a counter of equal failures in a row.
---@param limit integer the number of failures at which the run stops
---@return table
function stopping.streak(limit)
  return setmetatable({ limit = limit, count = 0 }, Streak)
end

--- Counts the next answer.
---@param err? smmpanel.Error nil if the order was placed
---@return smmpanel.Error? why the run stops now
function Streak:judge(err)
  if err and stopping.at_once(err) then return err end
  if err and err.attempts == 0 then return nil end -- from the ledger, not from the panel
  local like = err and likeness(err)
  self.count = like and (like == self.like and self.count + 1 or 1) or 0
  self.like = like
  if self.count < self.limit then return nil end
  local said = "stopped after %d %s answers in a row; the last: %s"
  return errors.new { kind = err.kind, code = err.code, action = "add", attempts = err.attempts, cause = err,
    http_status = err.http_status, uncertain = err.uncertain,
    message = said:format(self.count, err.uncertain and "uncertain" or "equal", err.message) }
end

return stopping
