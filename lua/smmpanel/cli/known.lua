--- Looks up refs in the ledger before anything is placed.
-- @module smmpanel.cli.known

local known = {}

local explain = require "smmpanel.cli.explain"
local fail = require "smmpanel.cli.fail"
local progress = require "smmpanel.cli.views.progress"

--- Returns the ledger's entry of a ref.
---@param panel smmpanel.Panel
---@param ref string
---@return smmpanel.Known
function known.of(panel, ref)
  local entry, err = panel:lookup(ref)
  if not entry then fail.with(fail.code(err), "%s", explain.text(err)) end
  return entry
end

---@class smmpanel.cli.Known
---@field made integer placed before
---@field open integer with an unknown outcome, or being sent
---@field items smmpanel.RefOrder[] to place

--- Counts the refs by their state, and collects the orders to place.
---@param panel smmpanel.Panel
---@param items smmpanel.RefOrder[]
---@return smmpanel.cli.Known
function known.count(panel, items)
  local counts = { made = 0, open = 0, items = {} }
  for _, item in ipairs(items) do
    local state = known.of(panel, item.ref).state
    if state == "made" then
      counts.made = counts.made + 1
    elseif state == "new" then
      table.insert(counts.items, item)
    else
      counts.open = counts.open + 1
    end
  end
  return counts
end

--- "5: 3 placed before, 2 to place". Pure.
---@param counts smmpanel.cli.Known
---@param total integer
---@return string
function known.text(counts, total)
  local parts = {}
  if counts.made > 0 then parts[1] = progress.number(counts.made) .. " placed before" end
  if counts.open > 0 then parts[#parts + 1] = progress.number(counts.open) .. " with an unknown outcome" end
  parts[#parts + 1] = progress.number(#counts.items) .. " to place"
  local all = progress.number(total)
  return #counts.items == total and all or all .. ": " .. table.concat(parts, ", ")
end

return known
