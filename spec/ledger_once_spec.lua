-- An order with a ref: what is promised, whatever the store and the panel do. No network, no store, no real clock.
local entries = require "spec.support.entries"
local errors = require "smmpanel.errors"
local once = require "smmpanel.ledger.place_once"
local placing = require "spec.support.placing"
local settle = require "smmpanel.ledger.settle"

local add, resolve, new_store, clock = placing.add, placing.resolve, placing.new_store, placing.clock
local sender, refusal, doubtful = placing.sender, placing.refusal, placing.doubtful
local age, die, FIELDS = placing.age, placing.die, placing.FIELDS

describe("an order with a ref", function()
  before_each(function() clock.now = 0 end)

  it("is taken before it is sent, and its answer is stored before it is returned", function()
    local store = new_store()
    local made = assert(add(store, "a", function()
      assert.same({ "take" }, store.steps)
      return { order = 23501 }
    end))
    assert.same({ order = 23501 }, made)
    assert.same({ "take", "keep" }, store.steps)
  end)

  it("is sent once, and the second answer is the same", function()
    local store = new_store()
    local sent, send = sender { order = 23501, charge = 0.27819, status = "ok", big = "9007199254740993123" }
    local first = assert(add(store, "a", send))
    local second = assert(add(store, "a", send))
    assert.equal(1, sent.count)
    assert.same(first, second)
    assert.equal(math.type and math.type(first.order), math.type and math.type(second.order))
  end)

  it("waits once for a store that is away, and takes nothing that it could not free", function()
    local store = new_store { take = 1, free = 3 }
    local sent, send = sender { order = 1 }
    local failed = select(2, add(store, "a", send))
    assert.same({ "take", "free" }, store.steps)
    for _ = 1, 2 do
      store.steps = {}
      assert.equal("unavailable", select(2, add(store, "b", send)).code)
      assert.same({ "free" }, store.steps)
    end
    assert.truthy(failed.message:find("if 'a' is pending later", 1, true))
    assert.same({ order = 1 }, add(store, "b", send))
    assert.equal(1, sent.count)
  end)

  it("is answered if its placer stores the answer and ends after the ref was read", function()
    local store = new_store()
    local placer = entries.new(store, "a", "t1", { attempt = 1, fingerprint = once.fingerprint("example.com", FIELDS) })
    store.inner:take(placer)
    die(store)
    local take = store.inner.take
    store.inner.take = function(...)
      local word, row = take(...)
      local copy = {}
      for field, value in pairs(row) do copy[field] = value end
      store.inner:keep(placer, '{"order":7}', 7)
      return word, copy
    end
    local sent, send = sender { order = 8 }
    assert.same({ order = 7 }, add(store, "a", send))
    assert.equal(0, sent.count)
  end)

  it("needs no slot in a rate limit if the answer is known", function()
    local store = new_store()
    local slots = 0
    local function admit() slots = slots + 1 end
    assert(add(store, "a", function() return { order = 1 } end, { admit = admit, may_wait = true }))
    assert.equal(1, add(store, "a", error, { admit = admit, may_wait = true }).order)
    assert.equal(1, slots)
  end)

  it("is not taken while it waits for its slot, and is sent only in time", function()
    local store = new_store()
    local sent, send = sender { order = 1 }
    local _, err = add(store, "a", send, { may_wait = true, admit = function()
      assert.same({ "find" }, store.steps)
      return errors.new { kind = "timeout", code = "rate", action = "add", message = "no slot" }
    end })
    assert.same({ "rate", "a" }, { err.code, err.ref })
    _, err = add(store, "a", send, { admit = function() clock.now = clock.now + 61 end })
    assert.equal("timeout", err.code)
    assert.same({ 0, "free" }, { sent.count, store.inner.rows[1].state })
  end)

  it("is the same order with its fields in any order", function()
    local store = new_store()
    local sent, send = sender { order = 1 }
    assert(add(store, "a", send))
    assert(add(store, "a", send, { fields = { "quantity", "100", "service", "1", "link", "https://example.com/" } }))
    assert.equal(1, sent.count)
  end)

  it("is refused as a mismatch if anything differs", function()
    local store = new_store()
    local sent, send = sender { order = 1 }
    assert(add(store, "a", send))
    local others = {
      { "service", "1", "link", "https://example.com/", "quantity", "101" },
      { "service", "1", "link", "https://example.com/" },
      { "service", "1", "link", "https://example.com/", "quantity", "100", "runs", "2" },
      { "service", "1", "link", "https://example.com/&quantity=100" },
      { "service", "1", "link", "https://example.com/", "quantity", "100", "comments", { "a", "b" } },
    }
    for _, fields in ipairs(others) do
      local made, err = add(store, "a", send, { fields = fields })
      assert.is_nil(made)
      assert.same({ "ledger", "mismatch", "a" }, { err.kind, err.code, err.ref })
    end
    assert.equal("mismatch", select(2, add(store, "a", send, { site = "other.example" })).code)
    assert.equal(1, sent.count)
  end)

  it("is neither answered nor placed for another key of the panel", function()
    local store = new_store()
    assert(add(store, "a", function() return { order = 1 } end))
    local other = { owner = function() return entries.owner(store, "key2") end }
    local made, err = add(store, "a", error, other)
    assert.is_nil(made)
    assert.same({ "ledger", "other_account" }, { err.kind, err.code })
    assert.truthy(err.message:find("panel:adopt_account()", 1, true) and err.message:find("account = ", 1, true))
    assert.equal(1, settle.adopt(store, other.owner()))
    assert.equal(1, add(store, "a", error, other).order)
  end)

  it("frees the ref when the panel refuses", function()
    local store = new_store()
    local _, err = add(store, "a", function() return nil, refusal() end)
    assert.same({ "panel", "bad_link", "a" }, { err.kind, err.code, err.ref })
    assert.same({ "take", "free" }, store.steps)
    assert(add(store, "a", function() return { order = 1 } end))
  end)

  it("may be another order if none was placed for the first", function()
    local store = new_store()
    add(store, "a", function() return nil, refusal() end)
    assert(add(store, "a", function() return { order = 1 } end, { fields = { "service", "2" } }))
  end)

  it("keeps the ref if the outcome is uncertain, and sends nothing until it is settled", function()
    local store = new_store()
    local _, err = add(store, "a", function() return nil, doubtful() end)
    assert.same({ true, 1 }, { err.uncertain, err.attempt })
    assert.same({ "take", "doubt" }, store.steps)
    local sent, send = sender { order = 2 }
    local made
    made, err = add(store, "a", send)
    assert.is_nil(made)
    assert.same({ "ledger", "uncertain", true, 1 }, { err.kind, err.code, err.uncertain, err.attempt })
    assert.truthy(err.message:find("panel:resolve", 1, true))
    assert.equal(0, sent.count)
    age(store, 91)
    assert.is_true(resolve(store, "a", false))
    assert.same({ order = 2 }, (add(store, "a", send)))
    assert.equal(1, sent.count)
  end)

  it("returns the order that it was settled with", function()
    local store = new_store()
    add(store, "a", function() return nil, doubtful() end)
    assert.is_true(resolve(store, "a", 23501))
    local sent, send = sender { order = 2 }
    assert.same({ order = 23501 }, (add(store, "a", send)))
    assert.equal(0, sent.count)
  end)

  it("is uncertain at once when the process that placed it has died", function()
    local store = new_store()
    add(store, "a", function()
      die(store)
      local _, err = add(store, "a", error)
      assert.equal("uncertain", err.code)
      return { order = 1 }
    end)
    assert.equal(0, clock.now)
  end)

  it("is sent again automatically if the panel makes one order of both", function()
    local store = new_store()
    add(store, "a", function() return nil, doubtful() end, { repeatable = "request_id" })
    assert.equal("uncertain", select(2, add(store, "a", error)).code)
    assert.equal("uncertain", select(2, add(store, "a", error, { repeatable = "another_field" })).code)
    assert.same({ order = 1 }, (add(store, "a", function() return { order = 1 } end, { repeatable = "request_id" })))
    assert.equal(2, store:find { ref = "a", owner = entries.owner(store) }.attempt)
  end)

  it("is not sent again automatically if it was sent without the idempotency field", function()
    local store = new_store()
    add(store, "a", function() return nil, doubtful() end)
    assert.equal("uncertain", select(2, add(store, "a", error, { repeatable = "request_id" })).code)
  end)
end)

describe("a ref that another process is placing", function()
  before_each(function() clock.now = 0 end)

  it("waits for that answer, and returns it", function()
    local store = new_store()
    local waiting = coroutine.wrap(function()
      return add(store, "a", error, { sleep = function(seconds)
        clock.now = clock.now + seconds
        coroutine.yield "waits"
      end })
    end)
    assert(add(store, "a", function()
      assert.equal("waits", waiting())
      assert.equal("waits", waiting())
      return { order = 7 }
    end))
    assert.same({ order = 7 }, (waiting()))
  end)

  it("is in progress if its own deadline comes first", function()
    local store, inner = new_store(), nil
    add(store, "a", function()
      inner = select(2, add(store, "a", error, { deadline = function() return 5 end }))
      return { order = 1 }
    end)
    assert.same({ "ledger", "in_progress" }, { inner.kind, inner.code })
    assert.is_nil(inner.uncertain)
    assert.is_true(clock.now >= 5 and clock.now < 6)
  end)

  it("is placed by the waiting process if the first could not place it", function()
    local store = new_store()
    local waiting = coroutine.wrap(function()
      return add(store, "a", function() return { order = 8 } end, { sleep = coroutine.yield })
    end)
    add(store, "a", function()
      waiting()
      return nil, refusal()
    end)
    assert.same({ order = 8 }, (waiting()))
  end)
end)
