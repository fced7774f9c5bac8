--- Errors of the client in the words of the command line: what happened, and which command comes next. Pure.
-- @module smmpanel.cli.explain

local explain = {}

-- The client's own sentences name functions of Lua.
local LEDGER = {
  uncertain = "the outcome of the order '%s' is unknown; see: smmpanel pending",
  in_progress = "another process is placing '%s': run the command again when it has finished",
  mismatch = "the ref '%s' was used for another order: give this one a ref of its own",
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
  -- What it tells of an order that was made, and could not be kept, is worth more than a sentence of ours.
  return not err.order and LEDGER[err.code] and LEDGER[err.code]:format(err.ref) or nil
end

--- An error in one line.
---@param err smmpanel.Error
---@return string
function explain.text(err)
  local own = ledger_text(err)
  if own then return ("%s (%s)"):format(own, err.code) end
  return (tostring(err):gsub("^smmpanel: ", ""))
end

--- An error for a cell of a table: what is the same for many rows is said once, below it.
---@param err smmpanel.Error
---@return string
function explain.short(err)
  if err.server and err.server.page then return "a web page instead of an answer" end
  if err.code == "not_json" then return "an answer that is not JSON" end
  return ledger_text(err) or err.message
end

return explain
