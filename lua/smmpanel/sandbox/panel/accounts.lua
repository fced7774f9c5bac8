--- The accounts of the sandbox, and the orders that exist from the start.
-- @module smmpanel.sandbox.panel.accounts

local accounts = {}

local money = require "smmpanel.sandbox.panel.money"

--- Returns the accounts by key.
---@param options sandbox.panel_options
---@return table<string, table>
function accounts.new(options)
  local by_key = {}
  for name, key in pairs(options.keys) do
    local balance = name == "empty" and "0" or options.balance or "100.84292"
    by_key[key] = { name = name, balance = assert(money.parse(balance), "the balance is not a decimal") }
  end
  if not options.any_key then return by_key end
  local main = by_key[options.keys.main]
  return setmetatable(by_key, { __index = function(_, key) return key ~= nil and key ~= "" and main or nil end })
end

--- Gives an account the example orders of the documentation: 1 is partial; 2 and 100 stay in progress.
---@param self table the panel
---@param account table
function accounts.add_examples(self, account)
  local now = self.now()
  local function example(id, service, charge, quantity, start, delivered)
    local order = { id = tostring(id), serial = id, account = account, link = "https://example.com/" .. id,
                    service = self.by_id[tostring(service)], charge = money.parse(charge),
                    quantity = quantity, start_count = start, made = now, starts = now, ends = math.huge,
                    outcome = "Completed", delivers = quantity, still = delivered }
    self.orders[order.id] = order
    return order
  end
  local partial = example(1, 1, "0.27819", 466, 3572, 309)
  partial.outcome, partial.ends, partial.delivers = "Partial", now, 309
  partial.settled, partial.settled_example = true, true
  example(2, 1, "0.9", 1000, 500, 600)
  example(100, 19, "1.44219", 1000, 234, 990)
end

return accounts
