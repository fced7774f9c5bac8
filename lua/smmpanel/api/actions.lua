--- The one table of the API's actions. The client, batches, the reading of answers, the command line and the C
-- decoder read it: a new action is one row here, its method in `client.lua`, and its behaviour in the sandbox. Pure.
-- @module smmpanel.api.actions

---@class smmpanel.Action
---@field reads? true it changes nothing at the panel, so it may be sent again; without it the action is a write
---@field one? string the form field that carries a single id
---@field many? string the form field that carries several ids, with commas between them
---@field own? string the field that names the id asked in each record; filled in where the panel leaves it out
---@field ids? string[] the names under which a row of a list answer may carry the id asked
---@field value? string the field that makes an object a record
---@field aliases? string[] other names of `value`, in the order of trust
---@field is? "id"|"state"|"yes"|"any" what `value` has to be
---@field data? string[] fields that make an object a record even without `value`
---@field types table<string, "id"|"money"|"count"|"flag"> how the fields of the answer are decoded

---@type table<string, smmpanel.Action>
local actions = {
  services = {
    reads = true,
    types = { service = "id", id = "id", rate = "money", min = "count", max = "count", refill = "flag",
      cancel = "flag", dripfeed = "flag", drip_feed = "flag" },
  },
  add = {
    value = "order", aliases = { "order_id", "id" }, is = "id",
    types = { order = "id", order_id = "id", id = "id", service = "id", charge = "money", balance = "money",
      remaining_balance = "money", start_count = "count", remains = "count", quantity = "count" },
  },
  status = {
    reads = true, one = "order", many = "orders", ids = { "order", "order_id", "id" },
    value = "status", is = "state",
    data = { "charge", "start_count", "remains", "posts", "runs", "orders", "expiry" },
    types = { order = "id", orders = "id", id = "id", service = "id", charge = "money", start_count = "count",
      remains = "count", quantity = "count", posts = "count", runs = "count" },
  },
  refill = {
    one = "order", many = "orders", own = "order", ids = { "order", "order_id", "id" },
    value = "refill", is = "id",
    types = { order = "id", refill = "id" },
  },
  refill_status = {
    reads = true, one = "refill", many = "refills", own = "refill", ids = { "refill", "refill_id", "id" },
    value = "status", is = "state",
    types = { order = "id", refill = "id" },
  },
  cancel = {
    one = "orders", many = "orders", own = "order", ids = { "order", "order_id", "id" },
    value = "cancel", is = "yes",
    types = { order = "id", cancel = "id" },
  },
  balance = {
    reads = true, value = "balance", is = "any", data = { "currency" },
    types = { balance = "money" },
  },
}

return actions
