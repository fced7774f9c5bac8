--- Ledgers: where `panel:add(order, { ref = … })` keeps which refs were taken and what came of them.
--
--     smmpanel.new { …, ledger = smmpanel.ledger.sqlite "orders.db" }
--     smmpanel.new { …, ledger = smmpanel.ledger.redis(connect, { prefix = "shop:" }) }
--
-- **Accounts.** An entry belongs to its owner: a panel (host, path) and an account there, which is a name
-- (the option `account`) or the tag of an API key. Different names are different accounts. A ref that is known
-- at the same panel under another key, or where one of the two has a name and the other has none, is neither
-- answered nor placed (`other_account`), until `adopt` joins the two.
--
-- **A store of your own** is a table with the methods below. Each is one atomic step: when it returns it has
-- happened as a whole, and lasts; among any number of processes one at most is told `taken` for a ref. A step
-- that may have happened although it failed must bear being repeated: the token tells one taker from another.
-- All values are short texts without control characters, but `answer`, `wanted` and `evidence`, which are JSON;
-- `attempt` and `order` (an order's id; 0 where that is no number, nil where it has none) are numbers. What fails
-- returns `nil, failure`, a table with `code` (a word: unavailable, busy, full, read_only, corrupt, store_changed,
-- store) and `message` (what happened, and what to do about it).
--
--     entry = { ref, owner = { panel, account, named, id }, token, fingerprint, wanted, placer, attempt, over }
--         `placer` says which process takes it, until when: keep it as it is. `attempt` is there after take.
--     row   = { ref, attempt, state, token, fingerprint, placer, wanted, answer, since, age, floor, evidence, ours,
--               one_machine }
--         An attempt as it is kept. state: "open"; "doubt": its end is not known; "made", with `answer`;
--         "free": it ended with nothing made; "not_made": so said resolve. The token is there while it is open
--         or in doubt. since: unix time; age: seconds since then, by the store's own clock, if it has one;
--         floor: the largest `order` of this account (or of its panel) known when it was taken; ours: false
--         where it is another account's; one_machine: true where all who use the store are on one machine.
--
--     store:identity()
--         -> a random text that was made with the store and stays. A store that has returned one fails with
--         code "store_changed" when it is gone or another one.
--     store:take(entry)
--         -> "taken", attempt   there was nothing (attempt 1), or its last attempt is this owner's and is free,
--                               not_made, or has the token entry.over: then this is the next attempt. With
--                               this very token it is taken already
--         -> "held", row        else; of several the one that is ours
--     store:find(entry)         entry = { ref, owner } -> row, or false where there is none
--     store:keep(entry, answer, order)
--         The order was made. Where the entry is gone, it is made anew.
--         -> "kept"             also where this very answer was there
--         -> "settled", answer  another answer was there, and stays
--         -> "conflict"         another attempt has begun; the answer is kept with this one
--     store:free(entry)         nothing was made: where the token is still the same, state "free". -> true
--     store:doubt(entry)        its end is not known: where the token is still the same, "doubt". -> true
--     store:resolve(entry, answer, order)
--         A person's word on entry.attempt; without an answer no order was made.
--         -> "resolved"; "settled", answer; "other_attempt", number; "unknown"; "other_account"
--     store:pending(owner, after, limit)
--         -> the rows that are open or in doubt, by ref, after that ref, at most so many: the owner's, and
--         those that are in its way
--     store:adopt(owner)        joins this account with all keys of its panel that no other name has claimed.
--                               -> how many accounts were joined
--     store:attempts(entry)     -> the rows of all attempts at a ref, in their order
--     store:note(entry, evidence)
--                               keeps evidence about entry.attempt. -> true
--     store:made(owner, above, upto, limit)
--                               -> the rows of this panel, of every account, whose `order` is above the one number
--                               and up to the other, each with it in `made`, by that: at most `limit`, the first
--                               ones; with a negative limit the last ones
--
-- Optional is `store:work(name, { owner = owner })`, orders to be watched that outlive the process: see
-- smmpanel.watch.queue.
-- @module smmpanel.ledger

local ledger = {}

--- A ledger in one SQLite file, for any number of processes on one machine. It blocks while it writes: see
-- smmpanel.ledger.sqlite.
---@param path string made absolute at once
---@param options? { busy_timeout: number?, create: boolean? } seconds for other writers (5); false: it must exist
---@return smmpanel.Ledger
function ledger.sqlite(path, options)
  return require("smmpanel.ledger.sqlite").new(path, options)
end

--- A ledger in Redis, for any number of machines. What Redis has to be set to: see smmpanel.ledger.redis.
---@param client table|fun(): table a redis-lua or lua-resty-redis client, or a function that connects
---@param options? smmpanel.RedisLedgerOptions
---@return smmpanel.Ledger
function ledger.redis(client, options)
  return require("smmpanel.ledger.redis").new(client, options)
end

---@class smmpanel.Ledger see the module for what each returns
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
