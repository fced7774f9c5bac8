--- When a run of many orders stops: after which error none of the others would do better. Pure.
-- @module smmpanel.ledger.stopping

local stopping = {}

local errors = require "smmpanel.errors"

-- Failures of the ledger that concern one order; every other one concerns all.
local OWN = { uncertain = true, mismatch = true, conflict = true, in_progress = true, other_account = true }

-- Errors of one answer that the next order meets as well.
local ALL = { no_funds = true, limiter = true, max_cost = true, rate_limited = true, maintenance = true }

--- Whether this error stops a run at once.
---@param err smmpanel.Error
---@return boolean
function stopping.at_once(err)
  if err.kind == "ledger" then return not OWN[err.code] end
  if err.uncertain then return false end
  return err.kind == "cancelled" or ALL[err.code] == true or errors.is_authentication(err)
end

--- Whether the panel asked for a pause and the order was not made.
---@param err? smmpanel.Error
---@return boolean
function stopping.is_rate_limit(err)
  return err ~= nil and err.code == "rate_limited" and not err.uncertain
end

-- What makes two failures alike; nil for one that is about its order alone, or came from no panel.
local function likeness(err)
  if err.uncertain then return "uncertain" end
  if err.kind == "panel" then return err.code == "unknown" and "the same refusal: " .. err.message or nil end
  local whole = err.kind == "http" or err.kind == "network" or err.kind == "timeout"
  return whole and "the same failure: " .. err.code or nil
end

local Streak = {}
Streak.__index = Streak

--- Counts failures in a row that are alike.
---@param limit integer after so many the run stops
---@return table
function stopping.streak(limit)
  return setmetatable({ limit = limit, count = 0 }, Streak)
end

--- The next answer.
---@param err? smmpanel.Error nil where the order was made
---@return smmpanel.Error? why the run stops now
function Streak:judge(err)
  if err and stopping.at_once(err) then return err end
  if err and err.attempts == 0 then return nil end -- from the ledger: no answer of the panel's
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
