--- The table of the API's actions, which the client, the reading of answers, the command line and the C decoder use. A
-- new action is one row here, a method in `client.lua`, and its behaviour in the sandbox. Pure.
-- @module smmpanel.api.actions

---@class smmpanel.Action
---@field reads? true changes nothing at the panel, so it may be sent again; nil: the action is a write
---@field one? string the form field that carries a single id
---@field many? string the form field that carries several ids, separated by commas
---@field own? string the field of a record that has the requested id; added if the panel leaves it out
---@field ids? string[] the fields in which a row of a list may repeat the requested id
---@field value? string the required field: an object without it is not a record
---@field is? "id"|"state"|"yes"|"any" the type of `value`
---@field several? string the field for several values, for a panel that made several orders of one request
---@field data? string[] fields that make an object a record even without `value`
---@field names table<string, string[]> documented name -> other names on panels, the most reliable first
---@field types table<string, "id"|"money"|"count"|"flag"> how the fields of the answer are decoded

-- The records that the actions return, for the manual and for editors.

---@class smmpanel.Service
---@field service smmpanel.Id
---@field name? string
---@field type? string
---@field category? string
---@field rate? number|string the price of 1,000 pieces; of a Package the price of one
---@field min? integer
---@field max? integer
---@field refill? boolean
---@field cancel? boolean
---@field dripfeed? boolean

---@class smmpanel.Status an order's; a subscription has posts and orders, a drip-feed runs and orders
---@field status? string|integer in the panel's words: see smmpanel.state
---@field charge? number|string
---@field start_count? integer
---@field remains? integer
---@field currency? string

---@class smmpanel.Entry an id without a record, in the results of a list
---@field error string the panel's text, or a description of what happened
---@field code string
---@field cause? smmpanel.Error if the whole request failed
---@field uncertain? true the write may have been carried out

---@class smmpanel.Refill
---@field order smmpanel.Id
---@field refill smmpanel.Id

---@class smmpanel.RefillStatus
---@field refill smmpanel.Id
---@field status string

---@class smmpanel.Cancel
---@field order smmpanel.Id
---@field cancel any the panel's value for success

---@class smmpanel.Made
---@field order? smmpanel.Id absent if the panel accepted the order without an id (a scheduled order)
---@field orders? smmpanel.Id[] if the panel made several orders of one request; `order` is the first

---@alias smmpanel.Statuses table<smmpanel.Id, smmpanel.Status|smmpanel.Entry>
---@alias smmpanel.Refills table<smmpanel.Id, smmpanel.Refill|smmpanel.Entry>
---@alias smmpanel.RefillStatuses table<smmpanel.Id, smmpanel.RefillStatus|smmpanel.Entry>
---@alias smmpanel.Cancels table<smmpanel.Id, smmpanel.Cancel|smmpanel.Entry>

---@type table<string, smmpanel.Action>
local actions = {
  services = {
    reads = true,
    names = { service = { "service_id", "sid", "id" }, name = { "layanan", "service_name", "title" },
      category = { "kategori", "category_name" }, rate = { "price", "harga" }, min = { "minimum", "min_order" },
      max = { "maximum", "max_order" }, desc = { "description", "catatan" }, dripfeed = { "drip_feed" } },
    types = { service = "id", service_id = "id", sid = "id", id = "id", rate = "money", price = "money",
      harga = "count", min = "count", max = "count", minimum = "count", maximum = "count", min_order = "count",
      max_order = "count",
      refill = "flag", cancel = "flag", dripfeed = "flag", drip_feed = "flag" },
  },
  add = {
    value = "order", is = "id", several = "orders",
    names = { order = { "order_id", "orderId", "orderID", "id" }, start_count = { "start_counter", "startCount" } },
    types = { order = "id", order_id = "id", orderId = "id", orderID = "id", id = "id", orders = "id", service = "id",
      charge = "money", balance = "money", remaining_balance = "money", start_count = "count",
      start_counter = "count", startCount = "count", remains = "count", quantity = "count" },
  },
  status = {
    reads = true, one = "order", many = "orders", ids = { "order", "order_id", "orderId", "orderID", "id" },
    value = "status", is = "state",
    data = { "charge", "start_count", "remains", "posts", "runs", "orders", "expiry" },
    names = { start_count = { "start_counter", "startCount", "startcount" }, remains = { "remain", "remaining" },
      status = { "order_status", "orderStatus" } },
    types = { order = "id", order_id = "id", orders = "id", id = "id", service = "id", charge = "money",
      start_count = "count", start_counter = "count", startCount = "count", startcount = "count", remains = "count",
      remain = "count", remaining = "count", quantity = "count", posts = "count", runs = "count" },
  },
  refill = {
    one = "order", many = "orders", own = "order", ids = { "order", "order_id", "orderId", "orderID", "id" },
    value = "refill", is = "id",
    names = { refill = { "refill_id", "refillId" } },
    types = { order = "id", order_id = "id", refill = "id", refill_id = "id", refillId = "id" },
  },
  refill_status = {
    reads = true, one = "refill", many = "refills", own = "refill", ids = { "refill", "refill_id", "refillId", "id" },
    value = "status", is = "state",
    names = { status = { "refill_status" } },
    types = { order = "id", refill = "id", refill_id = "id", refillId = "id" },
  },
  cancel = {
    one = "orders", many = "orders", own = "order", ids = { "order", "order_id", "orderId", "orderID", "id" },
    value = "cancel", is = "yes",
    names = { cancel = { "cancel_id" } },
    types = { order = "id", order_id = "id", cancel = "id" },
  },
  balance = {
    reads = true, value = "balance", is = "any", data = { "currency" },
    names = { balance = { "saldo", "funds" } },
    types = { balance = "money", saldo = "money", funds = "money" },
  },
}

-- Some panels write the keys with a capital letter.
for _, row in pairs(actions) do
  local capital = {}
  for name, kind in pairs(row.types) do capital[name:gsub("^[a-z]", string.upper)] = kind end
  for name, kind in pairs(capital) do row.types[name] = kind end
end

return actions
