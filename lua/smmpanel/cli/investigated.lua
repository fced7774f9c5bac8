--- Determines the outcome of pending orders from other orders at the panel. It only reads.
-- @module smmpanel.cli.investigated

local investigated = {}

local explain = require "smmpanel.cli.explain"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local progress = require "smmpanel.cli.views.progress"

--- Investigates each entry whose outcome is unknown.
---@param context smmpanel.cli.Context
---@param entries smmpanel.Pending[]
---@return table<string, smmpanel.Investigation> by ref
function investigated.of(context, entries)
  local found, panel, bar = {}, context:panel(), progress.new "investigate"
  context.bar = bar
  for i, entry in ipairs(entries) do
    bar:draw(i - 1, #entries)
    if entry.state == "uncertain" and not entry.other_account then
      local result, err = panel:investigate(entry.ref)
      fail.if_interrupted(err)
      found[entry.ref] = result or { verdict = "unknown", message = explain.text(err), candidates = {} }
    end
  end
  bar:hide()
  context.bar = nil
  return found
end

--- Returns the outcomes that were determined, for recording, and prints a message about each of the others.
---@param context smmpanel.cli.Context
---@param entries smmpanel.Pending[]
---@return smmpanel.cli.Resolution[]
function investigated.resolutions(context, entries)
  local found, list = investigated.of(context, entries), {}
  for _, entry in ipairs(entries) do
    local result = found[entry.ref]
    if result and result.verdict == "made" then
      list[#list + 1] = { ref = entry.ref, order = formats.text(result.order) }
    elseif result and result.verdict == "not_made" then
      list[#list + 1] = { ref = entry.ref, order = false }
    else
      context:say("%s: outcome unknown: %s", entry.ref, result and (result.message or result.reason or "no evidence")
        or "its request may still be running")
    end
  end
  return list
end

return investigated
