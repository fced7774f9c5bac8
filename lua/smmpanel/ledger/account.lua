--- Whose entries a ledger's are: the panel's URL, and the account there.
-- @module smmpanel.ledger.account

local account = {}

local text = require "smmpanel.util.text"

local DEFAULT_PORTS = { http = "80", https = "443" }

--- A panel as a ledger names it: the host in lower case, a port that is not the usual one, the path. What may
-- change without its being another panel is left out: the scheme, the query. Pure.
---@param url string
---@return string
function account.panel(url)
  local scheme, authority, path = url:match "^(%a+)://([^/?#]*)([^?#]*)"
  local host = text.lower(authority:gsub("^.*@", ""))
  local bare, port = host:match "^(.*):(%d+)$"
  if port == DEFAULT_PORTS[text.lower(scheme)] then host = bare end
  return host .. (path:gsub("/+$", ""))
end

---@class smmpanel.LedgerOwner
---@field panel string
---@field account string a name, or the tag of a key
---@field named boolean
---@field id string the store that it is good for

--- The owner of this panel's entries in a store. The tag of the key is made with the store's id, so two
-- ledgers do not show that they are of one account.
---@param store smmpanel.Ledger
---@param state table the panel's
---@return smmpanel.LedgerOwner?
---@return table? failure
function account.owner(store, state)
  local id, failure = store:identity()
  if not id then return nil, failure end
  local known = state.owner
  if known and known.id == id then return known end
  local name = state.options.account
  local tag = name or state.client:account_tag(id)
  if not tag then return nil, { code = "closed", message = "the panel was closed" } end
  state.owner = { panel = account.panel(state.options.url), account = tag, named = name ~= nil, id = id }
  return state.owner
end

return account
