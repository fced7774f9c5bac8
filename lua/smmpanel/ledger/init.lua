--- Ledgers: stores that record which refs `panel:add(order, { ref = … })` has used, and the outcome of each order.
--
--     smmpanel.new { …, ledger = smmpanel.ledger.sqlite "orders.db" }
--     smmpanel.new { …, ledger = smmpanel.ledger.redis(connect, { prefix = "shop:" }) }
--
-- **Accounts.** An entry belongs to its owner: a panel (host, path) and an account at it. The account is a name
-- (the option `account`) or a hash of the API key. Different names are different accounts. A ref that exists at the
-- same panel under another key fails with `other_account` until `adopt` joins the two accounts. So does a ref where
-- only one of the two accounts has a name.
--
-- **A custom store** is a table with the methods below. Each method is one atomic step: when it returns, its change
-- is complete and durable. Among any number of processes at most one gets `taken` for a ref. A step that failed may
-- have taken effect, so repeating it must be safe: the token identifies the caller that took the ref. All values are
-- short texts without control characters, except `answer`, `wanted` and `evidence`, which are JSON, and `attempt`
-- and `order`, which are numbers. `order` is an order's id; 0 if the id is not a number, nil if there is none. A
-- method that fails returns `nil, failure`. A failure has `code` (one of unavailable, busy, full, read_only, corrupt,
-- store_changed, store) and `message` (what happened, and what to do about it).
--
--     entry = { ref, owner = { panel, account, named, id }, token, fingerprint, wanted, placer, attempt, over }
--         `placer` names the process that takes the ref and the end of its lease: store it unchanged. `attempt` is
--         set after take.
--     row   = { ref, attempt, state, token, fingerprint, placer, wanted, answer, since, age, floor, evidence, ours,
--               one_machine }
--         A stored attempt. state: "open"; "doubt": the outcome is unknown; "made": placed, with `answer`;
--         "free": ended without an order; "not_made": resolve recorded that there is no order. The token is present
--         while the state is open or doubt. since: unix time; age: seconds since then, by the store's own clock, if
--         it has one; floor: the largest `order` of this account (or of its panel) known when the ref was taken;
--         ours: false if it belongs to another account; one_machine: true if all users of the store are on one
--         machine.
--
--     store:identity()
--         -> a random text, created with the store and constant. If the store is later missing or replaced, its
--         methods fail with code "store_changed".
--     store:take(entry)
--         -> "taken", attempt   the ref is new (attempt 1); or its last attempt is this owner's and is free or
--                               not_made, or has the token entry.over: then this is the next attempt. Also if the
--                               ref is already taken with this token
--         -> "held", row        otherwise; of several rows the one of this account
--     store:find(entry)         entry = { ref, owner } -> row, or false if there is none
--     store:keep(entry, answer, order)
--         Records that the order was placed. Creates the entry again if it is gone.
--         -> "kept"             also if the same answer was stored before
--         -> "settled", answer  another answer was stored before; it stays
--         -> "conflict"         another attempt has begun; the answer is stored with this one
--     store:free(entry)         no order was placed: if the token is unchanged, sets the state "free". A take with this
--                               token that arrives later, over a slow network, takes nothing. -> true
--     store:doubt(entry)        the outcome is unknown: if the token is unchanged, sets the state "doubt". -> true
--     store:resolve(entry, answer, order)
--         Records a person's decision about entry.attempt; without an answer: no order was placed.
--         -> "resolved"; "settled", answer; "other_attempt", number; "unknown"; "other_account"
--     store:pending(owner, after, limit)
--         -> the rows in state open or doubt, sorted by ref, of the first `limit` refs after the ref `after`: the
--         owner's, and those of other accounts that block it
--     store:adopt(owner)        joins this account with all keys of its panel that have no other name.
--                               -> the number of accounts joined
--     store:attempts(entry)     -> the rows of all attempts at a ref, in their order
--     store:note(entry, evidence)
--                               stores evidence about entry.attempt. -> true
--     store:made(owner, above, upto, limit)
--                               -> the rows of this panel, of every account, with above < `order` <= upto, each with
--                               its order's id in `made`, sorted by it: the first `limit` rows; with a negative
--                               limit the last ones
--
-- Optional: `store:work(name, { owner = owner })`, a persistent set of watched orders: see smmpanel.watch.queue.
-- @module smmpanel.ledger

local ledger = {}

--- Makes a ledger in one SQLite file, for any number of processes on one machine. It blocks while it writes: see
-- smmpanel.ledger.sqlite.
---@param path string a relative path is resolved immediately
---@param options? { busy_timeout: number?, create: boolean? } seconds to wait for other writers (5); false: must exist
---@return smmpanel.Ledger
function ledger.sqlite(path, options)
  return require("smmpanel.ledger.sqlite").new(path, options)
end

--- Makes a ledger in Redis, for any number of machines. See smmpanel.ledger.redis for the settings Redis needs.
---@param client table|fun(): table a redis-lua or lua-resty-redis client, or a function that connects
---@param options? smmpanel.RedisLedgerOptions
---@return smmpanel.Ledger
function ledger.redis(client, options)
  return require("smmpanel.ledger.redis").new(client, options)
end

---@class smmpanel.Ledger the module's documentation describes each method
---@field identity fun(self): string?, table?
---@field take fun(self, entry: table): string?, any
---@field find fun(self, entry: table): table|false|nil, table?
---@field keep fun(self, entry: table, answer: string, order: number?): string?, any
---@field free fun(self, entry: table): true?, table?
---@field doubt fun(self, entry: table): true?, table?
---@field resolve fun(self, entry: table, answer: string?, order: number?): string?, any
---@field pending fun(self, owner: table, after: string?, limit: integer): table?, table?
---@field adopt fun(self, owner: table): integer?, table?
---@field attempts fun(self, entry: table): table?, table?
---@field note fun(self, entry: table, evidence: string): true?, table?
---@field made fun(self, owner: table, above: number, upto: number, limit: integer): table?, table?
---@field work? fun(self, name: string, how: table): table

return ledger
