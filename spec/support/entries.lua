-- Entries as smmpanel.ledger.place_once makes them, for specs that use a store directly.
local process = require "smmpanel.ledger.process"

local entries = {}

--- An owner of entries in a store.
function entries.owner(store, account, named)
  return { panel = "panel.example/api/v2", account = account or "key1", named = named or false,
    id = store:identity() or "none" }
end

--- An entry of the first owner, or of more.owner.
function entries.new(store, ref, token, more)
  local entry = { ref = ref, token = token or "t1", fingerprint = "f1", wanted = '{"service":1}',
    placer = process.placer(90), owner = more and more.owner or entries.owner(store) }
  for name, value in pairs(more or {}) do entry[name] = value end
  return entry
end

--- The owner of the refs that `take` takes: one table for all calls, because a store registers an owner once.
entries.taker = { panel = "panel.example/api/v2", account = "key1", named = false }

--- Takes a ref as smmpanel.ledger.place_once does. Returns nil and the failure if the store has no identity.
function entries.take(store, ref, token)
  local id, failure = store:identity()
  if not id then return nil, failure end
  entries.taker.id = id
  return store:take(entries.new(store, ref, token, { owner = entries.taker }))
end

return entries
