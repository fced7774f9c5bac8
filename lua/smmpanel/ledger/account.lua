--- The owner of a ledger's entries: the panel, and the account at it.
-- @module smmpanel.ledger.account

local account = {}

local text = require "smmpanel.util.text"

local DEFAULT_PORTS = { http = "80", https = "443" }

-- -> the host in lower case, with a port other than the default; the path
local function parts(url)
  local scheme, authority, path = url:match "^(%a+)://([^/?#]*)([^?#]*)"
  local host = text.lower(authority:gsub("^.*@", ""))
  local bare, port = host:match "^(.*):(%d+)$"
  if port == DEFAULT_PORTS[text.lower(scheme)] then host = bare end
  return host, path
end

--- Returns a panel's name in a ledger: the host in lower case, a port other than the default, the path. The scheme and
-- the query are omitted, because they may change for the same panel. Pure.
---@param url string
---@return string
function account.panel(url)
  local host, path = parts(url)
  return host .. (path:gsub("/+$", ""))
end

--- Returns the panel's host, with a port other than the default: part of an order's fingerprint.
---@param state table the panel's
---@return string
function account.site(state)
  state.host = state.host or parts(state.options.url)
  return state.host
end

---@class smmpanel.LedgerOwner
---@field panel string
---@field account string a name, or the hash of a key
---@field named boolean
---@field id string the id of the store that it is valid for

--- Returns the owner of this panel's entries in a store. The hash of the key includes the store's id, so that two
-- ledgers do not reveal that they belong to the same account.
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
