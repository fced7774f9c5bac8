--- An idempotency key: an `add` with the `request_id` of an earlier one of this account makes no other order, and is
-- answered as that was. A field of another name is ignored, as panels do: to a client with `idempotency_field =
-- "client_ref"` the sandbox is a panel that accepts the key and makes two orders.
-- @module smmpanel.sandbox.panel.idempotency

local idempotency = {}

local FIELD = "request_id"

--- The action `add` with that.
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
