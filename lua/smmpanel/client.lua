--- The panel object: the seven actions, `call`, `watch`, `close`.
-- @classmod smmpanel.Panel

local account = require "smmpanel.ledger.account"
local add = require "smmpanel.ledger.add"
local add_all = require "smmpanel.ledger.add_all"
local argerror = require "smmpanel.util.argerror"
local by_ids = require "smmpanel.call.by_ids"
local checks = require "smmpanel.util.checks"
local core = require "smmpanel.core"
local failures = require "smmpanel.ledger.failures"
local fields = require "smmpanel.api.form_fields"
local events = require "smmpanel.call.events"
local ids = require "smmpanel.api.ids"
local investigate = require "smmpanel.ledger.investigate"
local limiter = require "smmpanel.limiter.local"
local loops = require "smmpanel.loop"
local max_cost = require "smmpanel.ledger.max_cost"
local options = require "smmpanel.options"
local order_source = require "smmpanel.ledger.orders"
local own_words = require "smmpanel.api.own_words"
local redact = require "smmpanel.util.redact"
local request = require "smmpanel.call.request"
local settle = require "smmpanel.ledger.settle"
local state_of = require "smmpanel.call.state"
local states = require "smmpanel.api.states"
local text = require "smmpanel.util.text"
local transport = require "smmpanel.call.transport"
local watch = require "smmpanel.watch.start"
local wire_log = require "smmpanel.wire_log"

---@class smmpanel.Panel
local Panel = {}

local Meta = { __index = Panel, __name = "smmpanel.Panel" }

local CACHE_SECONDS = 900
local STOP_AFTER = 3 -- answers in a row, of add_all

-- The services from a file, or from the panel and into the file.
local function kept_services(state, given, call, fetch)
  local owner = state.client:account_tag(state.options.url) -- a URL may hold a token: it is not written down
  return require("smmpanel.catalog.cache").services({ path = given.cache, owner = owner,
    max_age = given.max_age or CACHE_SECONDS, decimals = call.decimals }, fetch)
end

---@class smmpanel.AddAllOptions: smmpanel.CallOptions
---@field on_answer? fun(ref: string, made: smmpanel.Made?, err: smmpanel.Error?) instead of results
---@field stop_after? integer answers in a row that were uncertain, or alike and unknown, after which it stops (3)

---@class smmpanel.WatchOptions: smmpanel.CallOptions
---@field interval? number seconds between the polls of an order, at least (60)
---@field timeout? number seconds for all of it (none)
---@field on_change? fun(id: smmpanel.Id, record: table, previous: table?)
---@field name? string of a set of orders in the ledger, which outlives the process and may be shared
---@field wait_for_more? boolean with a name: go on when nothing is left, for orders that others add (false)

---@class smmpanel.ServicesOptions: smmpanel.CallOptions
---@field cache? string path of a file to keep the services in, one for each panel and account
---@field max_age? number seconds that what is kept there is good for (900)

--- The catalogue. Stands for the action `services`. With `cache`, what was kept in that file and is young
-- enough is given without asking the panel; see smmpanel.catalog for finding and pricing. A service takes about
-- 550 bytes of memory, and the default `max_body` of 64 MiB ends a catalogue at about 270,000 services.
---@param given? smmpanel.ServicesOptions
---@return smmpanel.Service[]? list empty where the panel offers nothing
---@return smmpanel.Error? err beside a list, kind `cache`: the list is good, but could not be kept
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

--- The account's balance. Stands for the action `balance`.
---@param given? smmpanel.CallOptions
---@return { balance: number|string, currency: string? }?
---@return smmpanel.Error?
function Panel:balance(given)
  local state = state_of.open(self, "panel:balance")
  local call = request.new(state, "balance", options.call("panel:balance", given))
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
  local state = state_of.open(self, "panel:add")
  given = options.add("panel:add", given)
  return add.run(state, wanted, given.ref, given, { budget = max_cost.new(state, given) })
end

--- Places many orders with refs, `concurrency` at a time. Each order of a list is checked before the first is
-- sent. It waits for the rate limit as long as it takes, and pauses where the panel answers 429. It stops where
-- going on makes no sense: no funds, a refused key, a ledger or a limiter that fails, `max_cost`, an iterator's
-- wrong entry (code `bad_entry`), or `stop_after` answers in a row that were uncertain or the same unknown
-- refusal. The orders that were not tried have the code `unsent`. Run again, after that or after a crash, it
-- sends only what was not sent.
---@param orders smmpanel.RefOrder[]|fun(): smmpanel.RefOrder? a list, or what returns the next one
---@param given? smmpanel.AddAllOptions
---@return table<string, smmpanel.Made|smmpanel.Entry> results by ref; empty with on_answer
---@return smmpanel.Error? why it stopped; or the error of a ref that an iterator gave twice
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
  local shared = { budget = max_cost.new(state, given), patient = true, is_stopped = add_all.stop_check(run) }
  function run.add(item) return add.run(state, item.order, item.ref, given, shared) end
  return add_all.run(next_order, total, run)
end

-- The ledger, and whose entries this panel's are.
local function ledger_and_owner(panel, where)
  local own = state_of.open(panel, where)
  local ledger = state_of.ledger(own, where)
  local owner, failure = account.owner(ledger, own)
  if owner then return ledger, owner end
  return nil, nil, failures.new(where:match "[^:]*$", nil, failure.code, failure.message)
end

--- The orders with a ref that were begun and have no answer: another may be sending it at this moment, or
-- whether it was made is not known. Asks the ledger alone.
---@param given? { after: string?, limit: integer? } the ref after which to begin, and how many at most
---@return smmpanel.Pending[]? list by ref
---@return smmpanel.Error?
function Panel:pending(given)
  given = options.pending("panel:pending", given)
  local ledger, owner, err = ledger_and_owner(self, "panel:pending")
  if not ledger then return nil, err end
  return settle.pending(ledger, owner, given)
end

--- What the ledger knows of a ref: whether an order was placed under it, and which. Asks the ledger alone.
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

--- Settles a pending ref, when you have seen at the panel what became of it: with the order's id, or with
-- false where it was not made, which frees the ref. False is refused (`too_early`, with `seconds`) while the
-- panel may still be working on it. Asks the ledger alone.
---@param ref string|integer
---@param order_id smmpanel.Id|false
---@param given? { attempt: integer?, force: boolean? } the attempt that you looked at; settle it even too early
---@return true? ok also where it was settled just so before
---@return smmpanel.Error? err code settled, other_attempt, too_early, other_account, unknown, or the ledger's failure
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

--- Finds out what became of a pending ref, from the orders around it: see docs/uncertain-orders.md. It only reads:
-- the ledger, and the panel's `status` and `services`. With `settle` it records a verdict of made or not made as
-- `resolve` does.
---@param ref string|integer
---@param given? smmpanel.InvestigateOptions
---@return smmpanel.Investigation?
---@return smmpanel.Error? err beside an investigation: it could not be settled
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

--- Declares this panel's key (or account name) to be the account that the ledger knows at this panel under
-- other keys: their refs are this one's from now on. Asks the ledger alone.
---@return integer? count how many accounts were joined with this one
---@return smmpanel.Error?
function Panel:adopt_account()
  local ledger, owner, err = ledger_and_owner(self, "panel:adopt_account")
  if not ledger then return nil, err end
  return settle.adopt(ledger, owner)
end

--- The state of an order, or of any number of orders. Stands for the action `status`.
---@param x smmpanel.Id one order's id; or a list of ids, for a table in which each of them has an entry;
-- with `on_answer` also a function that returns the next id
---@param given? smmpanel.CallOptions
---@return smmpanel.Status? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.Statuses, smmpanel.Error?
function Panel:status(x, given)
  return by_ids.run(self, "status", x, given)
end

--- Asks for a refill of an order, or of any number of orders. Stands for the action `refill`, a write as
-- `add` is.
---@param x smmpanel.Id one order's id; or a list of ids, for a table in which each of them has an entry;
-- with `on_answer` also a function that returns the next id
---@param given? smmpanel.CallOptions
---@return smmpanel.Refill? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.Refills, smmpanel.Error?
function Panel:refill(x, given)
  return by_ids.run(self, "refill", x, given)
end

--- The state of a refill, or of any number of refills. Stands for the action `refill_status`.
---@param x smmpanel.Id one refill's id; or a list of ids, for a table in which each of them has an entry;
-- with `on_answer` also a function that returns the next id
---@param given? smmpanel.CallOptions
---@return smmpanel.RefillStatus? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.RefillStatuses, smmpanel.Error?
function Panel:refill_status(x, given)
  return by_ids.run(self, "refill_status", x, given)
end

--- Asks for the cancellation of an order, or of any number of orders. Stands for the action `cancel`, a
-- write as `add` is. One that is taken is requested, not yet refunded.
---@param x smmpanel.Id one order's id; or a list of ids, for a table in which each of them has an entry;
-- with `on_answer` also a function that returns the next id
---@param given? smmpanel.CallOptions
---@return smmpanel.Cancel? record
---@return smmpanel.Error? err for a list that of the first request that failed as a whole
---@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.Cancels, smmpanel.Error?
function Panel:cancel(x, given)
  return by_ids.run(self, "cancel", x, given)
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
  local state = state_of.open(self, "panel:call")
  if type(action) ~= "string" or action == "" or text.has_control(action) then
    argerror.throw("panel:call", "needs the action's name, got %s", argerror.describe(action))
  end
  local call = request.new(state, action, options.call("panel:call", given))
  call.fields, call.raw = call_fields("panel:call", given_fields), true
  return request.run(state, call)
end

--- Polls `status` until every order is final, or unknown to the panel: in full batches, each no more often
-- than asked, each change reported once. Failed polls (event `poll_failed`) are tried again at the next interval; a
-- refused key ends it. What `on_change` throws ends it too, and is thrown on.
--
-- With a `name` the orders are kept in the panel's ledger under it. The name belongs to the panel's URL and the
-- account. Watched again under that name, after a crash too, it goes on from what was last seen; a final state is
-- reported once, also if its id is given again. Several processes share the work, and the orders of one that dies
-- go to the others. No change is lost: a change that was being reported when the process died or `on_change` threw
-- is reported again. So is one for which `on_change` takes longer than the panel's `timeout` and 15 seconds, because
-- the others take the process for dead.
---@param x smmpanel.Id|smmpanel.Id[]|nil one id or a list; with a name none are needed: those kept there are watched
---@param given? smmpanel.WatchOptions
---@return table last the last records by id; for one id its record; with a name empty
---@return smmpanel.Error? why not all are final
function Panel:watch(x, given)
  local where = "panel:watch"
  local state = state_of.open(self, where)
  given = options.watch(where, given)
  if given.wait_for_more and not given.name then
    argerror.throw(where, "wait_for_more needs a name, for others to add orders under")
  end
  local asked = not (x == nil and given.name) and ids.read(where, x) or nil
  if not given.name then return watch.here(state, given, asked, x) end
  return {}, watch.named(state, where, given, asked)
end

--- The class of an order's or refill's state, by the option `order_states` first. Stands for the `status` field of
-- `status` and `refill_status`.
---@param status string|integer|nil as a record holds it
---@return "open"|"completed"|"partial"|"canceled"|"failed"|"unknown"
function Panel:state(status)
  return state_of.of(self, "panel:state").class_of(status)
end

--- Whether an order or refill in this state will change no more, by the option `order_states` first. An unknown state
-- is not final.
---@param status string|integer|nil as a record holds it
---@return boolean
function Panel:is_final(status)
  return states.is_final_class(self:state(status))
end

--- Closes the panel: what is in flight ends as cancelled, the key is wiped, later calls throw. Closing it
-- again does nothing. On Lua 5.4 `local panel <close> = smmpanel.new {…}` does it at the end of the block.
function Panel:close()
  local state = state_of.of(self, "panel:close")
  if state.closed then return end
  state.closed = true
  for transfer in pairs(state.transfers) do transfer:cancel() end
  state.client:close()
end

Meta.__close = Panel.close

function Meta:__tostring()
  local state = state_of.of(self, "tostring")
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

local function network_client(own)
  return core.client {
    url = own.url, key = own.key, max_body = own.max_body, connect_timeout = own.connect_timeout,
    headers = own.headers, proxy = own.proxy, ca_file = own.ca_file, crl_file = own.crl_file,
    user_agent = own.user_agent,
  }
end

--- A new panel.
---@param given smmpanel.Options
---@return smmpanel.Panel
function client.new(given)
  local own = options.panel(given)
  loops.check("smmpanel.new", own.loop)
  own.user_agent = own.user_agent or "smmpanel/" .. core.version
  local state = {
    client = network_client(own), transport = own.transport and transport.client(own),
    redact = redact(own.key), codes = own_words.codes(own.error_codes), class_of = own_words.states(own.order_states),
    authority = authority(own.url),
    site = own.url:match("^%a+://[^/?#]*"):gsub("//.*@", "//"),
    budgets = budgets(own), options = own, transfers = {}, reported = {}, calls = 0, closed = false,
  }
  if own.record then state.record = wire_log.writer(own.record, state.redact) end
  own.key = nil
  local panel = setmetatable({}, Meta)
  state_of.store(panel, state)
  return panel
end

return client
