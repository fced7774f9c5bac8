--- The idempotency key: a second `add` with the same `request_id` and account places no order and gets the first answer
-- again. A field of another name is ignored, as on real panels: for a client with `idempotency_field = "client_ref"`
-- the sandbox is a panel that accepts the field and places two orders.
-- @module smmpanel.sandbox.panel.idempotency

local idempotency = {}

local FIELD = "request_id"

--- Returns the action `add` with an idempotency key.
---@param add fun(self: table, account: table, fields: table, wishes: table): table
---@return fun(self: table, account: table, fields: table, wishes: table): table
function idempotency.wrap(add)
  return function(self, account, fields, wishes)
    local key = fields[FIELD]
    local known = key and account.requests and account.requests[key]
    if known then return known end
    local answer = add(self, account, fields, wishes)
    if key and answer.id then
      account.requests = account.requests or {}
      account.requests[key] = answer
    end
    return answer
  end
end

return idempotency
