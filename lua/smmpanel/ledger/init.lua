--- Ledgers: where `panel:add(order, { ref = … })` keeps which refs were taken and what came of them.
--
--     smmpanel.new { …, ledger = smmpanel.ledger.sqlite "orders.db" }
--     smmpanel.new { …, ledger = smmpanel.ledger.redis(connect, { prefix = "shop:" }) }
--
-- **A store of your own** is a table with the methods below. Each is one atomic step: when it returns it has
-- happened as a whole, and lasts; among any number of processes one at most is told `taken` for a ref. A step
-- that may have happened although it failed must bear being repeated: the token tells one taker from another.
-- A ref, a token and a fingerprint are short texts without control characters; `answer` and `wanted` are
-- JSON. What fails returns `nil, failure`, a table with `code` (a word: unavailable, busy, full, read_only,
-- corrupt, store) and `message` (what happened, and what to do about it).
--
--     store:take(entry)
--         entry = { ref, token, fingerprint, wanted, seconds }: so long the taker may be sending. Returns,
--         by what is there for this ref,
--           "taken"            nothing, or this very token's entry: it is the caller's now
--           "mismatch"         an entry with another fingerprint
--           "done", answer     its answer was kept
--           "sending", left    another's, who may be sending for so many more seconds
--           "uncertain"        another's, whose time is over, or whose end is in doubt
--     store:keep(entry, answer)
--         The order was made. Where the entry is gone, it is made anew. Returns
--           "kept"             also where this very answer was there
--           "settled", answer  another answer was there, and stays
--           "conflict"         another token has taken the ref
--     store:free(entry)
--         Nothing was made: where the token is still the same, the entry goes; a kept answer stays. Returns true.
--     store:doubt(entry)
--         The end is not known: where the token is still the same, its time is over; a kept answer stays. Returns
--         true.
--     store:pending()
--         All that have no answer, by ref: a list of
--         { ref, state = "sending"|"uncertain", since = unix time, left = seconds, wanted }.
--     store:resolve(ref, answer)
--         The user's word; answer = nil: no order was made. Returns
--           "resolved"         the answer is kept; without one, the entry is gone
--           "settled", answer  there was an answer, and it stays
--           "sending", left    without an answer: the taker may still be sending
--           "unknown"          there is no such ref
--
-- Optional is `store:work(name)`, orders to be watched that outlive the process: see smmpanel.work.
-- @module smmpanel.ledger

local ledger = {}

--- A ledger in one SQLite file, for any number of processes on one machine. It blocks while it writes: see
-- smmpanel.ledger.sqlite.
---@param path string
---@param options? { busy_timeout: number? } seconds to wait for other processes' writing (5)
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
---@field take fun(self, entry: table): string?, any
---@field keep fun(self, entry: table, answer: string): string?, any
---@field free fun(self, entry: table): true?, table?
---@field doubt fun(self, entry: table): true?, table?
---@field pending fun(self): table?, table?
---@field resolve fun(self, ref: string, answer: string?): string?, any
---@field work? fun(self, name: string): table

return ledger
