-- An order with a ref whose store cannot be reached, loses an answer, or returns one that cannot be read.
local entries = require "spec.support.entries"
local memory_store = require "spec.support.memory_store"
local placing = require "spec.support.placing"
local settle = require "smmpanel.ledger.settle"

local add, resolve, new_store, clock = placing.add, placing.resolve, placing.new_store, placing.clock
local age, refusal, sender = placing.age, placing.refusal, placing.sender

describe("an order with a ref, if the store fails", function()
  before_each(function() clock.now = 0 end)
  local EVER = 1e9

  it("is not sent if the ref cannot be taken", function()
    local sent, send = sender { order = 1 }
    local made, err = add(new_store { take = 1 }, "a", send)
    assert.is_nil(made)
    assert.same({ "ledger", "unavailable", 0 }, { err.kind, err.code, err.attempts })
    assert.is_nil(err.uncertain)
    assert.truthy(err.message:find("nothing was sent", 1, true))
    assert.equal(0, sent.count)
  end)

  it("frees every ref, even if two calls free at the same time", function()
    local store, failing = memory_store.new(), { a = true, b = true }
    local take, free, unfreed = store.take, store.free, 1
    local function away() return nil, { code = "unavailable", message = "the store is away" } end
    function store.take(self, entry)
      local state, more = take(self, entry)
      if not failing[entry.ref] then return state, more end
      coroutine.yield()
      return away()
    end
    function store.free(self, entry)
      if failing[entry.ref] then coroutine.yield() end
      if entry.ref ~= "b" or unfreed == 0 then return free(self, entry) end
      unfreed = unfreed - 1
      return away()
    end
    local threads = {}
    for i, ref in ipairs { "a", "b" } do
      threads[i] = coroutine.create(function() add(store, ref, error) end)
    end
    for _, i in ipairs { 1, 2, 1, 2, 1, 2, 1, 2 } do coroutine.resume(threads[i]) end
    failing = {}
    add(store, "c", function() return { order = 2 } end)
    assert.same({}, settle.pending(store, entries.owner(store), {}))
  end)

  it("frees a ref whose take succeeded although its answer was lost", function()
    local store = new_store { free = 1 }
    local take = store.inner.take
    function store.inner.take(...)
      store.inner.take = take
      take(...)
      return nil, { code = "unavailable", message = "lost" }
    end
    local _, err = add(store, "a", error)
    assert.truthy(err.message:find("panel:resolve(ref, false)", 1, true)) -- it could not free it then
    assert.same({ order = 1 }, (add(store, "a", function() return { order = 1 } end)))
  end)

  it("waits for the store to come back before it gives up an answer", function()
    local store = new_store { keep = 8 }
    local made = assert(add(store, "a", function() return { order = 23501 } end))
    assert.equal(23501, made.order)
    assert.is_true(clock.now > 0 and clock.now < 30)
    store = new_store { free = 8 }
    assert.is_nil(select(2, add(store, "a", function() return nil, refusal() end)).pending)
    assert(add(store, "a", function() return { order = 1 } end))
  end)

  it("does not lose the placed order if it cannot be stored", function()
    local store = new_store { keep = EVER }
    local made, err = add(store, "a", function() return { order = 23501, charge = 0.5 } end)
    assert.is_nil(made)
    assert.same({ "ledger", "unavailable", true, 23501 }, { err.kind, err.code, err.uncertain, err.order })
    assert.same({ order = 23501, charge = 0.5 }, err.answer)
    assert.truthy(err.message:find("panel:resolve(ref, 23501)", 1, true))
    assert.is_true(clock.now >= 90 and clock.now < 92, "until the deadline and 30 s more")
    age(store, 91)
    assert.equal("uncertain", select(2, add(store, "a", error)).code)
  end)

  it("returns the panel's refusal, and says that the ref is still pending", function()
    local _, err = add(new_store { free = EVER }, "a", function() return nil, refusal() end)
    assert.same({ "panel", "the store is away" }, { err.kind, err.pending })
  end)

  it("reports two orders if the ref was settled meanwhile as another", function()
    local store = new_store()
    local made, err = add(store, "a", function()
      resolve(store, "a", 7)
      return { order = 8 }
    end)
    assert.is_nil(made)
    assert.same({ "ledger", "conflict", 8 }, { err.kind, err.code, err.order })
    made = add(store, "b", function()
      resolve(store, "b", 8)
      return { order = 8, charge = 0.5 }
    end)
    assert.equal(8, made.order)
  end)

  it("reports an answer that it cannot read, and sends nothing", function()
    local store = new_store()
    add(store, "a", function() return { order = 1 } end)
    store.inner.rows[1].answer = "{broken"
    local _, err = add(store, "a", error)
    assert.same({ "ledger", "corrupt" }, { err.kind, err.code })
  end)
end)
