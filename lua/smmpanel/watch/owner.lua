--- Decides which account a set of watched orders belongs to, with the rules for refs in the ledger. A set that
-- belongs to another key of the same panel is refused. Two names are two accounts. Pure.
-- @module smmpanel.watch.owner

local owner = {}

local OTHER_ACCOUNT = "the watched orders '%s' belong to another key of this panel. If the key was changed, "
  .. "call panel:adopt_account() (or run smmpanel ledger adopt): it joins both keys to one account. If it is another "
  .. "account, give each panel its own account = \"name\", or its own ledger"

--- Makes the failure for a set that belongs to another account.
---@param name string
---@return { code: string, message: string }
function owner.other_account(name)
  return { code = "other_account", message = OTHER_ACCOUNT:format(name) }
end

--- Chooses among the sets that this panel has under a name.
---@param sets { scope: any, exact: boolean, joined: boolean, named: boolean }[] exact: belongs to this account;
-- joined: belongs to an account that was joined with it by adoption; named: its account has a name
---@param own smmpanel.LedgerOwner
---@param name string
---@return any scope of the chosen set; false if there is none yet; nil if it belongs to another account
---@return { code: string, message: string }? failure
function owner.choose(sets, own, name)
  for _, set in ipairs(sets) do
    if set.exact then return set.scope end
  end
  local others = false
  for _, set in ipairs(sets) do
    if set.joined then return set.scope end
    others = others or not (set.named and own.named)
  end
  if others then return nil, owner.other_account(name) end
  return false
end

return owner
