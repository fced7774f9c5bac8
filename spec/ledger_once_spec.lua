-- An order with a ref: what is promised, whatever the store and the panel do. No network, no store.
local errors = require "smmpanel.errors"
local once = require "smmpanel.ledger.place_once"
local record = require "smmpanel.ledger.record"

-- A store in memory that notes each step, and fails those it is told to.
local function new_store(fail)
  local store = { steps = {}, entries = {} }
  local function step(name, f)
    store[name] = function(_, ...)
      store.steps[#store.steps + 1] = name
      if fail and fail[name] then return nil, { code = "unavailable", message = "the store is away" } end
      return f(...)
    end
  end
  step("take", function(entry)
    local old = store.entries[entry.ref]
    if not old then
      store.entries[entry.ref] = entry
      return "taken"
    end
    if old.fingerprint ~= entry.fingerprint then return "mismatch" end
    if old.answer then return "done", old.answer end
    return old.doubt and "uncertain" or "sending", 12
  end)
  step("keep", function(entry, answer)
    local now = store.entries[entry.ref]
    if now.answer then return "settled", now.answer end
    now.answer = answer
    return "kept"
  end)
  step("free", function(entry)
    store.entries[entry.ref] = nil
    return true
  end)
  step("doubt", function(entry)
    store.entries[entry.ref].doubt = true
    return true
  end)
  step("pending", function() return {} end)
  step("resolve", function(ref, answer)
    local entry = store.entries[ref]
    if not entry then return "unknown" end
    if entry.answer then return "settled", entry.answer end
    if not answer and not entry.doubt then return "sending", 12 end
    entry.answer = answer
    if not answer then store.entries[ref] = nil end
    return "resolved"
  end)
  return store
end

local FIELDS = { "service", "1", "link", "https://example.com/", "quantity", "100" }

local function call(ref, fields)
  return {
    ref = ref, site = "example.com/api/v2", fields = fields or FIELDS, seconds = 60, decimals = "number",
  }
end

-- A panel that notes how often it was asked.
local function sender(made, err)
  local sent = { count = 0 }
  return sent, function()
    sent.count = sent.count + 1
    return made, err
  end
end

local function refusal()
  return errors.new { kind = "panel", code = "bad_link", action = "add", message = "no" }
end

local function doubtful()
  return errors.new { kind = "network", code = "cut", action = "add", message = "cut", uncertain = true }
end

describe("an order with a ref", function()
  it("is taken before it is sent, and kept before it is told", function()
    local store = new_store()
    local made = assert(once.add(store, call "a", function()
      assert.same({ "take" }, store.steps)
      return { order = 23501 }
    end))
    assert.same({ order = 23501 }, made)
    assert.same({ "take", "keep" }, store.steps)
  end)

  it("is sent once, and the answer is the same the second time", function()
    local store = new_store()
    local sent, send = sender { order = 23501, charge = 0.27819, status = "ok", big = "9007199254740993123" }
    local first = assert(once.add(store, call "a", send))
    local second = assert(once.add(store, call "a", send))
    assert.equal(1, sent.count)
    assert.same(first, second)
    assert.equal(math.type and math.type(first.order), math.type and math.type(second.order))
  end)

  it("is the same order in whatever order its fields come", function()
    local store = new_store()
    local sent, send = sender { order = 1 }
    assert(once.add(store, call "a", send))
    local turned = { "quantity", "100", "service", "1", "link", "https://example.com/" }
    assert(once.add(store, call("a", turned), send))
    assert.equal(1, sent.count)
  end)

  it("is refused as a mismatch where anything of it differs", function()
    local store = new_store()
    local sent, send = sender { order = 1 }
    assert(once.add(store, call "a", send))
    local others = {
      { "service", "1", "link", "https://example.com/", "quantity", "101" },
      { "service", "1", "link", "https://example.com/" },
      { "service", "1", "link", "https://example.com/", "quantity", "100", "runs", "2" },
      { "service", "1", "link", "https://example.com/&quantity=100" },
      { "service", "1", "link", "https://example.com/", "quantity", "100", "comments", { "a", "b" } },
    }
    for _, fields in ipairs(others) do
      local made, err = once.add(store, call("a", fields), send)
      assert.is_nil(made)
      assert.same({ "ledger", "mismatch", "a" }, { err.kind, err.code, err.ref })
    end
    local elsewhere = call "a"
    elsewhere.site = "other.example/api/v2"
    assert.equal("mismatch", select(2, once.add(store, elsewhere, send)).code)
    assert.equal(1, sent.count)
  end)

  it("frees the ref when the panel refuses", function()
    local store = new_store()
    local _, err = once.add(store, call "a", function() return nil, refusal() end)
    assert.same({ "panel", "bad_link", "a" }, { err.kind, err.code, err.ref })
    assert.same({ "take", "free" }, store.steps)
    assert(once.add(store, call "a", function() return { order = 1 } end))
  end)

  it("frees the ref when surely nothing was sent", function()
    local store = new_store()
    once.add(store, call "a", function()
      return nil, errors.new { kind = "network", code = "connect", action = "add", message = "refused" }
    end)
    assert.same({ "take", "free" }, store.steps)
  end)

  it("keeps the ref when the end is uncertain, and sends nothing until it is settled", function()
    local store = new_store()
    local _, err = once.add(store, call "a", function() return nil, doubtful() end)
    assert.is_true(err.uncertain)
    assert.same({ "take", "doubt" }, store.steps)
    local sent, send = sender { order = 2 }
    local made
    made, err = once.add(store, call "a", send)
    assert.is_nil(made)
    assert.same({ "ledger", "uncertain", true }, { err.kind, err.code, err.uncertain })
    assert.truthy(err.message:find("panel:resolve", 1, true))
    assert.equal(0, sent.count)
    assert.is_true(once.resolve("panel:resolve", store, "a", false))
    assert.same({ order = 2 }, (once.add(store, call "a", send)))
    assert.equal(1, sent.count)
  end)

  it("gives the order that it was settled with", function()
    local store = new_store()
    once.add(store, call "a", function() return nil, doubtful() end)
    assert.is_true(once.resolve("panel:resolve", store, "a", 23501))
    local sent, send = sender { order = 2 }
    assert.same({ order = 23501 }, (once.add(store, call "a", send)))
    assert.equal(0, sent.count)
  end)

  it("is uncertain while another may be sending it", function()
    local store = new_store()
    local inner
    once.add(store, call "a", function()
      local sent, send = sender { order = 2 }
      inner = select(2, once.add(store, call "a", send))
      assert.equal(0, sent.count)
      return { order = 1 }
    end)
    assert.same({ "ledger", "uncertain", true }, { inner.kind, inner.code, inner.uncertain })
    assert.truthy(inner.message:find("12 more seconds", 1, true))
  end)
end)

describe("an order with a ref, where the store fails", function()
  it("is not sent when the ref cannot be taken", function()
    local sent, send = sender { order = 1 }
    local made, err = once.add(new_store { take = true }, call "a", send)
    assert.is_nil(made)
    assert.same({ "ledger", "unavailable", 0 }, { err.kind, err.code, err.attempts })
    assert.is_nil(err.uncertain)
    assert.truthy(err.message:find("nothing was sent", 1, true))
    assert.equal(0, sent.count)
  end)

  it("does not lose the order that was made when it cannot be kept", function()
    local store = new_store { keep = true }
    local made, err = once.add(store, call "a", function() return { order = 23501, charge = 0.5 } end)
    assert.is_nil(made)
    assert.same({ "ledger", "unavailable", true, 23501 }, { err.kind, err.code, err.uncertain, err.order })
    assert.same({ order = 23501, charge = 0.5 }, err.answer)
    assert.truthy(err.message:find("panel:resolve(ref, 23501)", 1, true))
    assert.equal("uncertain", select(2, once.add(store, call "a", error)).code)
  end)

  it("tells the panel's refusal, and that the ref is still pending", function()
    local _, err = once.add(new_store { free = true }, call "a", function() return nil, refusal() end)
    assert.same({ "panel", "the store is away" }, { err.kind, err.pending })
  end)

  it("tells of two orders where the ref was settled meanwhile as another", function()
    local store = new_store()
    local made, err = once.add(store, call "a", function()
      store.entries.a.answer = '{"order":7}'
      return { order = 8 }
    end)
    assert.is_nil(made)
    assert.same({ "ledger", "conflict", 8 }, { err.kind, err.code, err.order })
    made = once.add(store, call "b", function()
      store.entries.b.answer = '{"order":8}'
      return { order = 8, charge = 0.5 }
    end)
    assert.equal(8, made.order)
  end)

  it("tells what it could not read, and sends nothing", function()
    local store = new_store()
    once.add(store, call "a", function() return { order = 1 } end)
    store.entries.a.answer = "{broken"
    local _, err = once.add(store, call "a", error)
    assert.same({ "ledger", "corrupt" }, { err.kind, err.code })
  end)
end)

describe("panel:resolve", function()
  local function resolve(store, ref, order_id) return once.resolve("panel:resolve", store, ref, order_id) end

  it("throws where it is called wrongly", function()
    local store = new_store()
    for _, ref in ipairs { "", 1, "a\nb", "a\0", ("x"):rep(257), true } do
      assert.error_matches(function() resolve(store, ref, 1) end, "the ref must be a text of 1 to 256 bytes")
    end
    assert.error_matches(function() resolve(store, "a", nil) end, "needs the order's id, or false")
    assert.error_matches(function() resolve(store, "a", true) end, "needs the order's id, or false")
    assert.error_matches(function() resolve(store, "a", "1,2") end, "an id must be")
    assert.same({}, store.steps)
  end)

  it("settles nothing twice, but bears being told the same twice", function()
    local store = new_store()
    once.add(store, call "a", function() return { order = 1 } end)
    assert.is_true(resolve(store, "a", 1))
    assert.is_true(resolve(store, "a", "1"))
    local ok, err = resolve(store, "a", 2)
    assert.is_nil(ok)
    assert.same({ "ledger", "settled", 1 }, { err.kind, err.code, err.answer.order })
    assert.equal("settled", select(2, resolve(store, "a", false)).code)
  end)

  it("knows no ref that was never taken, and waits for one that is being sent", function()
    local store = new_store()
    assert.equal("unknown", select(2, resolve(store, "a", 1)).code)
    once.add(store, call "a", function()
      local _, err = resolve(store, "a", false)
      assert.equal("uncertain", err.code)
      assert.truthy(err.message:find("12 seconds", 1, true))
      return { order = 1 }
    end)
  end)
end)

describe("a record in a ledger", function()
  it("comes back as it was", function()
    local records = {
      { order = 23501 }, { order = "ord_01HG", status = "success" }, { order = "9007199254740993123456" },
      { charge = 0.1, remaining_balance = 1e-7, n = 0.30000000000000004, m = 1.5e300, z = -0.25 },
      { message = 'a "quote" \\ \n\t\127 é \0 end', flag = true, other = false },
      { list = { 1, 2, 3 }, names = { "a", "b" }, nested = { { x = 1 }, { y = { 1 } } } },
    }
    for _, made in ipairs(records) do assert.same(made, record.decode(record.encode(made))) end
    if math.type then
      local again = record.decode(record.encode { order = math.maxinteger })
      assert.equal("integer", math.type(again.order))
    end
  end)

  it("is the same text for the same record", function()
    assert.equal('{"a":1,"b":0.5,"c":"x"}', record.encode { c = "x", b = 0.5, a = 1 })
  end)

  it("gives money as the panel's option says now", function()
    assert.equal("0.27819", record.decode('{"charge":"0.27819"}', "add", "string").charge)
    assert.equal(0.27819, record.decode('{"charge":"0.27819"}', "add", "number").charge)
  end)
end)

describe("an order's fingerprint", function()
  it("is the same in every Lua", function()
    assert.equal("1-2b8511f43bdab490198ccb78",
      once.fingerprint("example.com/api/v2", { "service", "1", "comments", { "a", "b" } }))
  end)

  it("does not collide among many like orders", function()
    local seen = {}
    for i = 1, 20000 do
      local print = once.fingerprint("example.com", { "service", "1", "link", "https://example.com/" .. i })
      assert.is_nil(seen[print])
      seen[print] = true
    end
  end)
end)
