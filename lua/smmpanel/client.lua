--- The panel object: the seven actions, `call`, `watch`, `close`.
-- @classmod smmpanel.Panel

local lazy = require "smmpanel.util.lazy"

local account = lazy "smmpanel.ledger.account"
local add = lazy "smmpanel.ledger.add"
local add_all = lazy "smmpanel.ledger.add_all"
local cache = lazy "smmpanel.catalog.cache"
local argerror = require "smmpanel.util.argerror"
local by_ids = lazy "smmpanel.call.by_ids"
local checks = require "smmpanel.util.checks"
local failures = lazy "smmpanel.ledger.failures"
local fields = lazy "smmpanel.api.form_fields"
local events = require "smmpanel.call.events"
local ids = lazy "smmpanel.api.ids"
local investigate = lazy "smmpanel.ledger.investigate"
local loops = require "smmpanel.loop"
local max_cost = lazy "smmpanel.ledger.max_cost"
local options = require "smmpanel.options"
local order_source = lazy "smmpanel.ledger.orders"
local request = require "smmpanel.call.request"
local settle = lazy "smmpanel.ledger.settle"
local state_of = require "smmpanel.call.state"
local states = lazy "smmpanel.api.states"
local text = require "smmpanel.util.text"
local watch = lazy "smmpanel.watch.start"

---@class smmpanel.Panel
local Panel = {}

local CACHE_SECONDS = 900
local STOP_AFTER = 3 -- answers in a row, of add_all

-- Returns the services from the cache file if it is fresh; otherwise fetches them and writes the file.
local function kept_services(state, given, call, fetch)
  local owner = state.client:account_tag(state.options.url) -- a hash, because the URL may hold a token
  return cache.services({ path = given.cache, owner = owner,
    max_age = given.max_age or CACHE_SECONDS, decimals = call.decimals,
    max_body = state.options.max_body }, fetch)
end

---@class smmpanel.AddAllOptions: smmpanel.CallOptions
---@field on_answer? fun(ref: string, made: smmpanel.Made?, err: smmpanel.Error?) receives each result
---@field stop_after? integer stop after so many uncertain answers, or same unknown refusals, in a row (3)

---@class smmpanel.WatchOptions: smmpanel.CallOptions
---@field interval? number least seconds between two polls of an order (60)
---@field timeout? number seconds for the whole watch (none)
---@field on_change? fun(id: smmpanel.Id, record: table, previous: table?)
---@field name? string name of a set of orders in the ledger, which persists and which processes may share
---@field wait_for_more? boolean with a name: when no orders remain, wait for others to add some (false)

---@class smmpanel.ServicesOptions: smmpanel.CallOptions
---@field cache? string path of a file that caches the services; use one file for each panel and account
---@field max_age? number seconds for which the cached services are fresh (900)

--- Returns the catalogue (API action `services`). With `cache`, returns the services from that file while they are
-- fresh, without a request. See smmpanel.catalog for searching and pricing. A service takes about 550 bytes of
-- memory; the default `max_body` of 64 MiB allows about 260,000 services.
---@param given? smmpanel.ServicesOptions
---@return smmpanel.Service[]? list empty if the panel offers none
---@return smmpanel.Error? err with a list and kind `cache`: the list is valid, but the file could not be written
function Panel:services(given)
  local where = "panel:services"
  local state = state_of.open(self, where)
  given = options.services(where, given)
  if given.max_age and not given.cache then
    argerror.throw(where, "max_age needs the option cache: the path of the file to keep the services in")
  end
  local call = request.new(state, "services", given)
  call.fields = {}
  local function fetch() return request.run(state, call) end
  if given.cache then return kept_services(state, given, call, fetch) end
  return fetch()
end

--- Returns the account's balance (API action `balance`).
---@param given? smmpanel.CallOptions
---@return { balance: number|string, currency: string? }?
---@return smmpanel.Error?
function Panel:balance(given)
  local state = state_of.open(self, "panel:balance")
  local call = request.new(state, "balance", options.call("panel:balance", given))
  call.fields = {}
  return request.run(state, call)
end

--- Places an order (API action `add`). Retries only if nothing of the request can have reached the panel.
-- `err.uncertain` is true if the panel may have placed the order although no response confirms it. Throws if the
-- order is wrong. With a `ref` and a ledger the order is placed at most once: calling it again with the same ref
-- returns the stored result.
---@param wanted smmpanel.Order
---@param given? smmpanel.CallOptions
---@return smmpanel.Made? made
---@return smmpanel.Error?
function Panel:add(wanted, given)
  local state = state_of.open(self, "panel:add")
  given = options.add("panel:add", given)
  return add.run(state, wanted, given.ref, given, { budget = given.max_cost and max_cost.new(state, given) })
end

--- Places many orders with refs, `concurrency` at a time (API action `add`). A list is checked completely before the
-- first order is sent. It waits for the rate limit without a timeout, and pauses when the panel answers 429. It stops
-- on: no funds, a refused key, a ledger or a limiter that fails, `max_cost`, a wrong entry from an iterator (code
-- `bad_entry`), or `stop_after` answers in a row that were uncertain or the same unknown refusal. Orders that were
-- not tried have the code `unsent`. Running it again, also after a crash, sends only the orders that were not sent.
---@param orders smmpanel.RefOrder[]|fun(): smmpanel.RefOrder? a list, or a function that returns the next order
---@param given? smmpanel.AddAllOptions
---@return table<string, smmpanel.Made|smmpanel.Entry> results by ref; empty with on_answer
---@return smmpanel.Error? why it stopped; or the error of a ref that an iterator returned twice
function Panel:add_all(orders, given)
  local where = "panel:add_all"
  local state = state_of.open(self, where)
  given = options.add_all(where, given)
  state_of.ledger(state, where)
  local next_order, total = order_source.of(orders)
  local own = state.options
  local run = {
    loop = loops.pick(own.loop), concurrency = given.concurrency or own.concurrency, on_answer = given.on_answer,
    retries = given.retries or own.retries, stop_after = given.stop_after or STOP_AFTER,
    is_closed = function() return state.closed end,
    on_progress = function(done) events.notify(state, "on_progress", given.on_progress, done, total) end,
  }
  local shared = { budget = given.max_cost and max_cost.new(state, given), patient = true,
    is_stopped = add_all.stop_check(run) }
  function run.add(item) return add.run(state, item.order, item.ref, given, shared) end
  if not total then next_order = loops.in_turn(run.loop, next_order) end
  return add_all.run(next_order, total, run)
end

-- Returns the ledger and the owner (panel and account) of this panel's entries.
local function ledger_and_owner(panel, where)
  local own = state_of.open(panel, where)
  local ledger = state_of.ledger(own, where)
  local owner, failure = account.owner(ledger, own)
  if owner then return ledger, owner end
  return nil, nil, failures.new(where:match "[^:]*$", nil, failure.code, failure.message)
end

--- Lists the pending orders: they have a ref and no known outcome. Another process may be sending the order now, or
-- it is unknown whether the panel placed it. Reads the ledger only.
---@param given? { after: string?, limit: integer? } list the refs after this one; at most this many refs
---@return smmpanel.Pending[]? list sorted by ref
---@return smmpanel.Error?
function Panel:pending(given)
  given = options.pending("panel:pending", given)
  local ledger, owner, err = ledger_and_owner(self, "panel:pending")
  if not ledger then return nil, err end
  return settle.pending(ledger, owner, given)
end

--- Looks a ref up in the ledger: whether an order was placed under it, and which one. Reads the ledger only.
---@param ref string|integer
---@return smmpanel.Known?
---@return smmpanel.Error?
function Panel:lookup(ref)
  local where = "panel:lookup"
  local wrong = checks.ref(ref)
  if wrong then argerror.throw(where, "the ref must be %s, got %s", wrong, argerror.describe(ref)) end
  local ledger, owner, err = ledger_and_owner(self, where)
  if not ledger then return nil, err end
  return settle.lookup(ledger, owner, checks.ref_text(ref), state_of.open(self, where).options.decimals)
end

--- Settles a pending ref after you have checked at the panel: pass the order's id, or false if no order was placed,
-- which frees the ref. False is refused (code `too_early`, with `seconds`) while the panel may still be processing
-- the request. Writes to the ledger only.
---@param ref string|integer
---@param order_id smmpanel.Id|false
---@param given? { attempt: integer?, force: boolean? } the attempt that you checked; skip `too_early`, `other_ref`
---@return true? ok also if it was already settled in the same way
---@return smmpanel.Error? err code settled, other_attempt, other_ref, too_early, other_account, unknown, or the store's
function Panel:resolve(ref, order_id, given)
  local where = "panel:resolve"
  local wrong = checks.ref(ref)
  if wrong then argerror.throw(where, "the ref must be %s, got %s", wrong, argerror.describe(ref)) end
  given = options.resolve(where, given)
  local ledger, owner, err = ledger_and_owner(self, where)
  if not ledger then return nil, err end
  return settle.resolve(where, ledger, owner, order_id,
    { ref = checks.ref_text(ref), attempt = given.attempt, force = given.force })
end

--- Investigates whether the order of a pending ref was placed, from the order ids around it: see
-- docs/uncertain-orders.md. Reads the ledger, and the panel's `status` and `services`; writes no order. With
-- `settle` it records a verdict of made or not made, like `resolve`.
---@param ref string|integer
---@param given? smmpanel.InvestigateOptions
---@return smmpanel.Investigation?
---@return smmpanel.Error? err with an investigation: the verdict could not be recorded
function Panel:investigate(ref, given)
  local where = "panel:investigate"
  local wrong = checks.ref(ref)
  if wrong then argerror.throw(where, "the ref must be %s, got %s", wrong, argerror.describe(ref)) end
  given = options.investigate(where, given)
  local ledger, owner, err = ledger_and_owner(self, where)
  if not ledger then return nil, err end
  return investigate.run(state_of.open(self, where), ledger, owner, checks.ref_text(ref), {
    settle = given.settle, max_requests = given.max_requests or 20, timeout = given.timeout, retries = given.retries,
  })
end

--- Declares that this panel's key (or account name) is the same account as the other keys that the ledger has for
-- this panel. Their refs then belong to this account too. Writes to the ledger only.
---@return integer? count the number of accounts that were joined with this one
---@return smmpanel.Error?
function Panel:adopt_account()
  local ledger, owner, err = ledger_and_owner(self, "panel:adopt_account")
  if not ledger then return nil, err end
  return settle.adopt(ledger, owner)
end

--- Returns the state of one order, or of any number of orders (API action `status`).
---@param x smmpanel.Id one order's id; or a list of ids, for a table in which each of them has an entry;
-- with `on_answer` also a function that returns the next id
---@param given? smmpanel.CallOptions
---@return smmpanel.Status? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.Statuses, smmpanel.Error?
function Panel:status(x, given)
  return by_ids.run(self, "status", x, given)
end

--- Requests a refill of one order, or of any number of orders (API action `refill`). It is a write: it is retried
-- only like `add`.
---@param x smmpanel.Id one order's id; or a list of ids, for a table in which each of them has an entry;
-- with `on_answer` also a function that returns the next id
---@param given? smmpanel.CallOptions
---@return smmpanel.Refill? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.Refills, smmpanel.Error?
function Panel:refill(x, given)
  return by_ids.run(self, "refill", x, given)
end

--- Returns the state of one refill, or of any number of refills (API action `refill_status`).
---@param x smmpanel.Id one refill's id; or a list of ids, for a table in which each of them has an entry;
-- with `on_answer` also a function that returns the next id
---@param given? smmpanel.CallOptions
---@return smmpanel.RefillStatus? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.RefillStatuses, smmpanel.Error?
function Panel:refill_status(x, given)
  return by_ids.run(self, "refill_status", x, given)
end

--- Requests the cancellation of one order, or of any number of orders (API action `cancel`). It is a write: it is
-- retried only like `add`. Success means that the cancellation is requested, not that the order is refunded.
---@param x smmpanel.Id one order's id; or a list of ids, for a table in which each of them has an entry;
-- with `on_answer` also a function that returns the next id
---@param given? smmpanel.CallOptions
---@return smmpanel.Cancel? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.Cancels, smmpanel.Error?
function Panel:cancel(x, given)
  return by_ids.run(self, "cancel", x, given)
end

-- Lists of ids are joined with commas, all other lists with newlines.
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

--- Calls any action, for extensions and peculiarities of a panel. Returns the response unchanged, with its known
-- fields typed; a refusal is `nil, err`. Actions other than services, status, refill_status and balance count as
-- writes: they are retried only if nothing can have reached the panel.
---@param action string sent unchanged: panels distinguish upper and lower case
---@param given_fields? table<string, any> scalars, or lists, joined with newlines (orders, refills: with commas)
---@param given? smmpanel.CallOptions
---@return any? answer
---@return smmpanel.Error?
function Panel:call(action, given_fields, given)
  local state = state_of.open(self, "panel:call")
  if type(action) ~= "string" or action == "" or text.has_control(action) then
    argerror.throw("panel:call", "needs the action's name, got %s", argerror.describe(action))
  end
  local call = request.new(state, action, options.call("panel:call", given))
  call.fields, call.raw = call_fields("panel:call", given_fields), true
  return request.run(state, call)
end

--- Polls orders until each is final or unknown to the panel (API action `status`). Ids are sent in full batches, an
-- order is polled at most once per `interval`, and each change is reported once. A failed poll (event `poll_failed`)
-- is retried at the next interval. A refused key ends the watch. An error in `on_change` ends it and is rethrown.
--
-- With a `name` the orders are stored in the panel's ledger under that name, for this panel's URL and account.
-- Watching the same name again, also after a crash, continues from the last known records. A final state is reported
-- once, even if its id is passed again. Several processes share the work; the orders of a process that dies go to
-- the others. No change is lost: a change is reported again if the process died, or `on_change` threw, while it was
-- being reported. It is also reported again if `on_change` takes longer than the panel's `timeout` plus 15 seconds,
-- because the other processes then take this one for dead.
---@param x smmpanel.Id|smmpanel.Id[]|nil one id or a list; with a name it may be nil: watches the stored orders
---@param given? smmpanel.WatchOptions
---@return table last the last records by id; for one id its record; empty with a name
---@return smmpanel.Error? why not all orders are final
function Panel:watch(x, given)
  local where = "panel:watch"
  local state = state_of.open(self, where)
  given = options.watch(where, given)
  if given.wait_for_more and not given.name then
    argerror.throw(where, "wait_for_more needs a name, under which others add orders")
  end
  local asked = not (x == nil and given.name) and ids.read(where, x) or nil
  if not given.name then return watch.here(state, given, asked, x) end
  return {}, watch.named(state, where, given, asked)
end

--- Returns the class of an order's or refill's state. The option `order_states` takes precedence. Classifies the
-- `status` field of `status` and `refill_status`.
---@param status string|integer|nil the field `status` of a record
---@return "open"|"completed"|"partial"|"canceled"|"failed"|"unknown"
function Panel:state(status)
  return state_of.of(self, "panel:state").class_of(status)
end

--- Returns whether a state is final: the order or refill will not change again. The option `order_states` takes
-- precedence. An unknown state is not final.
---@param status string|integer|nil the field `status` of a record
---@return boolean
function Panel:is_final(status)
  return states.is_final_class(self:state(status))
end

--- Closes the panel: requests in flight end as cancelled, the key is wiped, later calls throw. Closing it again does
-- nothing. From Lua 5.4 on, `local panel <close> = smmpanel.new {…}` closes it at the end of the block.
function Panel:close()
  local state = state_of.of(self, "panel:close")
  if state.closed then return end
  state.closed = true
  for transfer in pairs(state.transfers) do transfer:cancel() end
  state.client:close()
end

return Panel
