-- Sets of watched orders for specs that need no panel.
local watched = {}

--- A set in a ledger, of an account of the spec's.
---@param ledger smmpanel.Ledger
---@param name string
---@param account? string
---@param panel? string
---@return table
function watched.set(ledger, name, account, panel)
  return ledger:work(name, { owner = {
    panel = panel or "panel.example/api/v2", account = account or "spec", named = true, id = assert(ledger:identity()),
  } })
end

return watched
