--- Explains the client's errors to a user of the command line: what happened, and which command comes next. Pure.
-- @module smmpanel.cli.explain

local explain = {}

local decimal = require "smmpanel.util.decimal"
local text = require "smmpanel.util.text"

-- These replace the client's own messages, which name Lua functions.
local LEDGER = {
  uncertain = "the outcome of the order '%s' is unknown; see: smmpanel pending --investigate",
  in_progress = "another process is placing '%s': run the command again when it has finished",
  mismatch = "the ref '%s' was used for another order: use a different ref for this one",
  other_account = "'%s' was placed with another key; if both keys belong to one account: smmpanel ledger adopt",
  other_ref = "that order already has another ref: check the panel for the order of '%s' (--force records it anyway)",
  other_attempt = "'%s' was sent again in the meantime; see: smmpanel pending",
  store_changed = "the ledger is missing or was replaced: nothing was sent for '%s'",
}

local RESOLVE = {
  too_early = "the panel may still be working on '%s'%s: try again later, or with --force",
  uncertain = "the request for '%s' may still be running%s: try again later",
}

local function seconds_of(err)
  local left = err.seconds or err.left
  return left and (" for %.0f seconds"):format(math.ceil(left)) or ""
end

local function ledger_text(err)
  if err.kind ~= "ledger" or not err.ref then return nil end
  if err.action == "resolve" and RESOLVE[err.code] then return RESOLVE[err.code]:format(err.ref, seconds_of(err)) end
  -- An error about a placed order that could not be recorded has the order's id in its message: do not replace it.
  return not err.order and LEDGER[err.code] and LEDGER[err.code]:format(err.ref) or nil
end

--- What to do about pending orders.
explain.FIND_OUT = "Find out what became of them: smmpanel pending --investigate"
explain.LOOK_UP = "Look up each order at the panel, then: smmpanel resolve REF ORDER_ID (or --not-placed)"

-- The next command, where a ref is pending after this error.
local function next_step(err)
  if not (err.uncertain and err.ref) then return "" end
  if err.order then
    local id = type(err.order) == "number" and decimal.shortest(err.order) or tostring(err.order)
    return ("; next: smmpanel resolve %s %s"):format(text.shell_word(err.ref), text.shell_word(id))
  end
  return "; do not repeat it, see: smmpanel pending --investigate"
end

--- Returns an error as one line.
---@param err smmpanel.Error
---@return string
function explain.text(err)
  local own = ledger_text(err)
  if own then return ("%s (%s)"):format(own, err.code) end
  -- The client's own advice names a function.
  return (tostring(err):gsub("^smmpanel: ", ""):gsub("; call panel:resolve%b()", "")) .. next_step(err)
end

--- Returns an error for a cell of a table. Long explanations are printed once, below the table.
---@param err smmpanel.Error
---@return string
function explain.short(err)
  if err.server and err.server.page then return "a web page instead of an answer" end
  if err.code == "not_json" then return "an answer that is not JSON" end
  return ledger_text(err) or err.message
end

return explain
