--- The panel object: the seven actions, `call`, `watch`, `close`.
-- @classmod smmpanel.Panel

local add_all = require "smmpanel.ledger.add_all"
local batch = require "smmpanel.call.batch"
local core = require "smmpanel.core"
local errors = require "smmpanel.errors"
local fields = require "smmpanel.api.form_fields"
local loops = require "smmpanel.loop"
local ids = require "smmpanel.api.ids"
local place_once = require "smmpanel.ledger.place_once"
local options = require "smmpanel.options"
local order = require "smmpanel.api.order_fields"
local limiter = require "smmpanel.limiter.local"
local request = require "smmpanel.call.request"
local text = require "smmpanel.util.text"
local argerror = require "smmpanel.util.argerror"
local watch = require "smmpanel.watch"
local queue = require "smmpanel.watch.queue"

---@class smmpanel.Panel
local Panel = {}

local Meta = { __index = Panel, __name = "smmpanel.Panel" }

-- A panel's state stands beside it and not in it: who walks through the object, or prints it, finds nothing.
local state_of = setmetatable({}, { __mode = "k" })

local READS = { services = true, status = true, refill_status = true, balance = true }

-- The field that carries the id, and the one that carries several.
local FIELDS = {
  status = { one = "order", many = "orders" },
  refill = { one = "order", many = "orders" },
  refill_status = { one = "refill", many = "refills" },
  cancel = { one = "orders", many = "orders" },
}

local function open_state(panel, where)
  local state = state_of[panel]
  if not state then argerror.throw(where, "call it as a method of a panel, with a colon") end
  if state.closed then argerror.throw(where, "the panel is closed") end
  return state
end

local function ledger_of(state, where)
  local ledger = state.options.ledger
  if not ledger then argerror.throw(where, "refs need a ledger: smmpanel.new { ledger = ... }") end
  return ledger
end

-- What all calls have in common, with this call's options before the panel's.
local function new_call(state, action, given)
  local own = state.options
  return {
    action = action, write = not READS[action], separator = "\n", loop = loops.pick(own.loop),
    deadline = core.now() + (given.timeout or own.timeout), retries = given.retries or own.retries,
    decimals = given.decimals or own.decimals,
  }
end

local function with(call, more)
  for name, value in pairs(call) do
    if more[name] == nil then more[name] = value end
  end
  return more
end

local function one_id(state, call, id)
  call.asked, call.fields = id, { FIELDS[call.action].one, id }
  return request.run(state, call)
end

local function many_ids(state, call, asked, given)
  local field = FIELDS[call.action].many
  local function send(texts)
    return request.run(state, with(call, { asked = texts, fields = { field, texts }, separator = "," }))
  end
  local function progress(done, total)
    request.notify(state, "on_progress", given.on_progress, done, total)
  end
  return batch.run(call.action, asked, {
    loop = call.loop, batch_size = given.batch_size or state.options.batch_size,
    concurrency = given.concurrency or state.options.concurrency,
  }, send, progress)
end

-- status, refill, refill_status, cancel: one id or a list.
local function by_ids(panel, action, x, given)
  local where = "panel:" .. action
  local state = open_state(panel, where)
  local asked = ids.read(where, x)
  given = options.list(where, given)
  local call = new_call(state, action, given)
  if asked.single then return one_id(state, call, asked.texts[1]) end
  return many_ids(state, call, asked, given)
end

local CACHE_SECONDS = 900

-- The services from a file, or from the panel and into the file.
local function kept_services(state, given, call, fetch)
  local site = state.options.url:gsub("//[^/?#]*@", "//")
  return require("smmpanel.catalog.cache").services({ path = given.cache, site = site,
    max_age = given.max_age or CACHE_SECONDS, decimals = call.decimals }, fetch)
end

local function add_one(state, wanted, ref, given)
  local call = new_call(state, "add", given)
  call.fields = order.fields(wanted)
  local function send() return request.run(state, call) end
  if ref == nil then return send() end
  return place_once.add(ledger_of(state, "panel:add"), {
    ref = ref, site = state.authority, fields = call.fields, decimals = call.decimals,
    seconds = call.deadline - core.now(),
  }, send)
end

---@class smmpanel.Service
---@field service smmpanel.Id
---@field name? string
---@field type? string
---@field category? string
---@field rate? number|string the price of 1,000; of a Package the price of one
---@field min? integer
---@field max? integer
---@field refill? boolean
---@field cancel? boolean
---@field dripfeed? boolean

---@class smmpanel.Status an order's; a subscription has posts and orders, a drip-feed runs and orders
---@field status? string|integer as the panel writes it: see smmpanel.state
---@field charge? number|string
---@field start_count? integer
---@field remains? integer
---@field currency? string

---@class smmpanel.Entry an id without a record, in the answer to a list
---@field error string the panel's words, or what happened
---@field code string
---@field cause? smmpanel.Error where the whole request failed
---@field uncertain? true a write that may have been carried out

---@class smmpanel.Refill
---@field order smmpanel.Id
---@field refill smmpanel.Id

---@class smmpanel.RefillStatus
---@field refill smmpanel.Id
---@field status string

---@class smmpanel.Cancel
---@field order smmpanel.Id
---@field cancel any what the panel says for yes

---@class smmpanel.Made
---@field order? smmpanel.Id absent where the panel accepted it without an id (a scheduled order)

---@class smmpanel.Pending an order with a ref and without an answer
---@field ref string
---@field state "sending"|"uncertain"
---@field since? number when it was taken, unix time
---@field left number seconds for which it may still be being sent
---@field order table what was wanted, as it was sent

---@class smmpanel.AddAllOptions: smmpanel.CallOptions
---@field on_answer? fun(ref: string, made: smmpanel.Made?, err: smmpanel.Error?) instead of results

---@class smmpanel.WatchOptions: smmpanel.CallOptions
---@field interval? number seconds between the polls of an order, at least (60)
---@field timeout? number seconds for all of it (none)
---@field on_change? fun(id: smmpanel.Id, record: table, previous: table?)
---@field name? string of a set of orders in the ledger, which outlives the process and may be shared
---@field wait_for_more? boolean with a name: go on when nothing is left, for orders that others add (false)

---@alias smmpanel.Statuses table<smmpanel.Id, smmpanel.Status|smmpanel.Entry>
---@alias smmpanel.Refills table<smmpanel.Id, smmpanel.Refill|smmpanel.Entry>
---@alias smmpanel.RefillStatuses table<smmpanel.Id, smmpanel.RefillStatus|smmpanel.Entry>
---@alias smmpanel.Cancels table<smmpanel.Id, smmpanel.Cancel|smmpanel.Entry>

---@class smmpanel.ServicesOptions: smmpanel.CallOptions
---@field cache? string path of a file to keep the services in, one for each panel and account
---@field max_age? number seconds that what is kept there is good for (900)

--- The catalogue. Stands for the action `services`. With `cache`, what was kept in that file and is young
-- enough is given without asking the panel; see smmpanel.catalog for finding and pricing.
---@param given? smmpanel.ServicesOptions
---@return smmpanel.Service[]? list empty where the panel offers nothing
---@return smmpanel.Error? err beside a list, kind `cache`: the list is good, but could not be kept
function Panel:services(given)
  local where = "panel:services"
  local state = open_state(self, where)
  given = options.services(where, given)
  if given.max_age and not given.cache then
    argerror.throw(where, "max_age needs the option cache: the path of the file to keep the services in")
  end
  local call = new_call(state, "services", given)
  call.fields = {}
  local function fetch() return request.run(state, call) end
  if given.cache then return kept_services(state, given, call, fetch) end
  return fetch()
end

--- The account's balance. Stands for the action `balance`.
---@param given? smmpanel.CallOptions
---@return { balance: number|string, currency: string? }?
---@return smmpanel.Error?
function Panel:balance(given)
  local state = open_state(self, "panel:balance")
  local call = new_call(state, "balance", options.call("panel:balance", given))
  call.fields = {}
  return request.run(state, call)
end

--- Places an order. Stands for the action `add`. It is sent again only where nothing of it can have reached
-- the panel; `err.uncertain` is true where it may have been made although no answer says so. Throws where
-- the order is wrong. With a `ref`, and a ledger, it is placed at most once whatever happens: the same ref
-- again gives the answer that was kept.
---@param wanted smmpanel.Order
---@param given? smmpanel.CallOptions
---@return smmpanel.Made? made
---@return smmpanel.Error?
function Panel:add(wanted, given)
  local state = open_state(self, "panel:add")
  given = options.add("panel:add", given)
  return add_one(state, wanted, given.ref, given)
end

--- Places many orders with refs, `concurrency` at a time. It stops where going on makes no sense: no funds, a
-- refused key, a ledger or a limiter that fails. Run again, after that or after a crash, it sends only what
-- was not sent. Each order of a list is checked before the first is sent.
---@param orders smmpanel.RefOrder[]|fun(): smmpanel.RefOrder? a list, or what returns the next one
---@param given? smmpanel.AddAllOptions
---@return table<string, smmpanel.Made|smmpanel.Entry> results by ref; empty with on_answer
---@return smmpanel.Error? why it stopped
function Panel:add_all(orders, given)
  local where = "panel:add_all"
  local state = open_state(self, where)
  given = options.add_all(where, given)
  ledger_of(state, where)
  local next_order, total = add_all.source(orders)
  return add_all.run(next_order, total, {
    loop = loops.pick(state.options.loop), concurrency = given.concurrency or state.options.concurrency,
    on_answer = given.on_answer,
    on_progress = function(done) request.notify(state, "on_progress", given.on_progress, done, total) end,
  }, function(item) return add_one(state, item.order, item.ref, given) end)
end

--- The orders with a ref that were begun and have no answer: another may be sending it at this moment, or
-- whether it was made is not known.
---@return smmpanel.Pending[]? list by ref
---@return smmpanel.Error?
function Panel:pending()
  return place_once.pending(ledger_of(open_state(self, "panel:pending"), "panel:pending"))
end

--- Settles a pending ref, when you have seen at the panel what became of it: with the order's id, or with
-- false where it was not made, which frees the ref. Not while who took it may still be sending.
---@param ref string
---@param order_id smmpanel.Id|false
---@return true? ok also where it was settled just so before
---@return smmpanel.Error?
function Panel:resolve(ref, order_id)
  local where = "panel:resolve"
  return place_once.resolve(where, ledger_of(open_state(self, where), where), ref, order_id)
end

--- The state of an order, or of any number of orders. Stands for the action `status`.
---@param x smmpanel.Id one order's id; or a list of ids, for a table in which each of them has an entry
---@param given? smmpanel.CallOptions
---@return smmpanel.Status? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.Statuses, smmpanel.Error?
function Panel:status(x, given)
  return by_ids(self, "status", x, given)
end

--- Asks for a refill of an order, or of any number of orders. Stands for the action `refill`, a write as
-- `add` is.
---@param x smmpanel.Id one order's id; or a list of ids, for a table in which each of them has an entry
---@param given? smmpanel.CallOptions
---@return smmpanel.Refill? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.Refills, smmpanel.Error?
function Panel:refill(x, given)
  return by_ids(self, "refill", x, given)
end

--- The state of a refill, or of any number of refills. Stands for the action `refill_status`.
---@param x smmpanel.Id one refill's id; or a list of ids, for a table in which each of them has an entry
---@param given? smmpanel.CallOptions
---@return smmpanel.RefillStatus? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.RefillStatuses, smmpanel.Error?
function Panel:refill_status(x, given)
  return by_ids(self, "refill_status", x, given)
end

--- Asks for the cancellation of an order, or of any number of orders. Stands for the action `cancel`, a
-- write as `add` is. One that is taken is requested, not yet refunded.
---@param x smmpanel.Id one order's id; or a list of ids, for a table in which each of them has an entry
---@param given? smmpanel.CallOptions
---@return smmpanel.Cancel? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.Cancels, smmpanel.Error?
function Panel:cancel(x, given)
  return by_ids(self, "cancel", x, given)
end

-- Several ids stand on one line with commas, every other list on lines.
local COMMAS = { orders = true, refills = true }

local function call_fields(where, given)
  if given == nil then return {} end
  if type(given) ~= "table" then
    argerror.throw(where, "needs a table of fields, got %s", argerror.describe(given))
  end
  local read = {}
  for name, value in pairs(given) do
    value = fields.any(where, fields.name(where, name), value)
    read[name] = COMMAS[name] and type(value) == "table" and table.concat(value, ",") or value
  end
  return fields.flat(read)
end

--- Any action, for what a panel adds to the API or does in its own way. The answer is given as it is, its
-- known fields typed; a refusal is `nil, err`. Actions other than services, status, refill_status and
-- balance count as writes: they are sent again only where nothing can have reached the panel.
---@param action string sent as it is: panels mind the case
---@param given_fields? table<string, any> scalars, and lists, as lines (orders, refills: with commas)
---@param given? smmpanel.CallOptions
---@return any? answer
---@return smmpanel.Error?
function Panel:call(action, given_fields, given)
  local state = open_state(self, "panel:call")
  if type(action) ~= "string" or action == "" or text.has_control(action) then
    argerror.throw("panel:call", "needs the action's name, got %s", argerror.describe(action))
  end
  local call = new_call(state, action, options.call("panel:call", given))
  call.fields, call.raw = call_fields("panel:call", given_fields), true
  return request.run(state, call)
end

-- What the orders are called by whoever watches them: as they were given, or as records have ids.
local function names_of(asked)
  return function(id)
    local keys = asked and asked.keys[id]
    return keys and keys[1] or ids.value(id)
  end
end

-- What was last seen of each order, by the keys as given.
local function results_of(asked, seen, failed)
  local last = {}
  for id, keys in pairs(asked.keys) do
    for _, key in ipairs(keys) do last[key] = seen[id] or failed[id] end
  end
  return last
end

local LEASE_MARGIN = 15 -- seconds that a claim outlasts the poll it is for

local function new_watching(state, given, asked, set)
  local own = state.options
  local timeout, batch_size = own.timeout, given.batch_size or own.batch_size
  return {
    work = set, interval = given.interval or 60, deadline = given.timeout and core.now() + given.timeout,
    lease = timeout + LEASE_MARGIN, batch_size = batch_size, pollers = given.concurrency or own.concurrency,
    loop = loops.pick(own.loop), key_of = names_of(asked), on_change = given.on_change or function() end,
    failed = function() end,
    poll = function(open, seconds)
      local call = { timeout = math.min(seconds or math.huge, timeout), retries = given.retries,
        decimals = given.decimals, batch_size = batch_size }
      return many_ids(state, new_call(state, "status", call), ids.read("panel:watch", open), call)
    end,
  }
end

-- In this process, for as long as the call lasts.
local function watch_here(state, given, asked, x)
  local set, failed = queue.new(core.now), {}
  set:add(asked.texts)
  local run = new_watching(state, given, asked, set)
  run.pollers = math.min(run.pollers, math.ceil(#asked.texts / run.batch_size))
  run.lease = math.huge -- nobody else can have them
  function run.failed(id, record) failed[id] = record end
  local err = watch.run(run)
  local last = results_of(asked, set.seen, failed)
  if asked.single then return last[x], err end
  return last, err
end

-- In the ledger, for all who watch under this name.
local function watch_kept(state, where, given, asked)
  local ledger = ledger_of(state, where)
  if type(ledger.work) ~= "function" then argerror.throw(where, "this ledger keeps no orders to be watched") end
  local set = ledger:work(given.name, { decimals = given.decimals or state.options.decimals })
  local ok, failure = set:add(asked and asked.texts or {})
  if not ok then return watch.failed(failure) end
  local run = new_watching(state, given, asked, set)
  run.shared, run.wait_for_more = true, given.wait_for_more
  return watch.run(run)
end

--- Polls `status` until every order is final, or unknown to the panel: in full batches, each no more often
-- than asked, each change told place_once. Failed polls are tried again at the next interval; a refused key ends
-- it. What `on_change` throws ends it too.
--
-- With a `name` the orders are kept in the panel's ledger under it. Watched again under that name, after a
-- crash too, it goes on from what was last seen; several processes share the work, and what one leaves undone
-- when it dies the others do. No change is lost; the one that was being told when the process died is told
-- again. So is one that `on_change` takes longer over than the panel's `timeout` and 15 seconds: the others
-- take the process for dead.
---@param x smmpanel.Id|smmpanel.Id[]|nil one id or a list; with a name none are needed: those kept there are watched
---@param given? smmpanel.WatchOptions
---@return table last the last records by id; for one id its record; with a name empty
---@return smmpanel.Error? why not all are final
function Panel:watch(x, given)
  local where = "panel:watch"
  local state = open_state(self, where)
  given = options.watch(where, given)
  if given.wait_for_more and not given.name then
    argerror.throw(where, "wait_for_more needs a name, for others to add orders under")
  end
  local asked = not (x == nil and given.name) and ids.read(where, x) or nil
  if not given.name then return watch_here(state, given, asked, x) end
  return {}, watch_kept(state, where, given, asked)
end

--- Closes the panel: what is in flight ends as cancelled, the key is wiped, later calls throw. Closing it
-- again does nothing. On Lua 5.4 `local panel <close> = smmpanel.new {…}` does it at the end of the block.
function Panel:close()
  local state = state_of[self]
  if not state then argerror.throw("panel:close", "call it as a method of a panel, with a colon") end
  if state.closed then return end
  state.closed = true
  for transfer in pairs(state.transfers) do transfer:cancel() end
  state.client:close()
end

Meta.__close = Panel.close

function Meta:__tostring()
  local state = state_of[self]
  return ("smmpanel.Panel (%s%s)"):format(state.site, state.closed and ", closed" or "")
end

local client = {}

-- The process' own, then what it shares with others.
local function budgets(own)
  local list = {}
  if own.rate then list[1] = limiter.new(own.rate, core.now) end
  list[#list + 1] = own.limiter
  return list
end

-- What tells one panel from another in a ledger: the host, by whatever path it is reached.
local function authority(url)
  return text.lower((url:match("^%a+://([^/?#]*)"):gsub("^.*@", "")))
end

--- A new panel.
---@param given smmpanel.Options
---@return smmpanel.Panel
function client.new(given)
  local own = options.panel(given)
  loops.check("smmpanel.new", own.loop)
  local state = {
    client = core.client {
      url = own.url, key = own.key, max_body = own.max_body, connect_timeout = own.connect_timeout,
      headers = own.headers, proxy = own.proxy, ca_file = own.ca_file,
      crl_file = own.crl_file,
      user_agent = own.user_agent or "smmpanel/" .. core.version,
    },
    redact = errors.redactor(own.key), authority = authority(own.url),
    site = own.url:match("^%a+://[^/?#]*"):gsub("//.*@", "//"),
    budgets = budgets(own), options = own, transfers = {}, reported = {}, closed = false,
  }
  own.key = nil
  local panel = setmetatable({}, Meta)
  state_of[panel] = state
  return panel
end

return client
