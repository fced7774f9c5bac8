-- An order with a ref: what is promised, whatever the store and the panel do. No network, no store, no real clock.
local entries = require "spec.support.entries"
local errors = require "smmpanel.errors"
local memory_store = require "spec.support.memory_store"
local once = require "smmpanel.ledger.place_once"
local process = require "smmpanel.ledger.process"
local json = require "smmpanel.util.json"
local schemas = require "smmpanel.api.schemas"
local settle = require "smmpanel.ledger.settle"

local clock = 0 -- seconds; sleeping moves it

-- A store in memory that records each step, and fails the requested ones: fail[step] times.
local function new_store(fail)
  local inner = memory_store.new()
  local store = { steps = {}, inner = inner, fail = fail or {} }
  return setmetatable(store, { __index = function(_, name)
    if name == "identity" then return function() return inner.id end end
    return function(_, ...)
      store.steps[#store.steps + 1] = name
      local times = store.fail[name] or 0
      if times > 0 then
        store.fail[name] = times - 1
        return nil, { code = "unavailable", message = "the store is away" }
      end
      return inner[name](inner, ...)
    end
  end })
end

local FIELDS = { "service", "1", "link", "https://example.com/", "quantity", "100" }

local function call(store, ref, more)
  local deadline = clock + 60
  local made = {
    ref = ref, site = "example.com", fields = FIELDS, decimals = "number",
    owner = function() return entries.owner(store) end, now = function() return clock end,
    deadline = function() return deadline end, sleep = function(seconds) clock = clock + seconds end,
  }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

-- Places an order as a call does: take, send, settle.
local function add(store, ref, send, more)
  return once.add(store, call(store, ref, more), send)
end

local function resolve(store, ref, order_id, given)
  local options = given or {}
  options.ref = ref
  return settle.resolve("panel:resolve", store, entries.owner(store), order_id, options)
end

-- A panel that counts its requests.
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

-- Makes the attempt this old.
local function age(store, seconds)
  for _, row in ipairs(store.inner.rows) do
    row.placer = row.placer:gsub("^(%S+ %S+ %d+ %S+) (%S+)", function(who, at)
      return ("%s %.3f"):format(who, tonumber(at) - seconds)
    end)
  end
end

-- Makes the placer a process that has ended.
local function die(store)
  for _, row in ipairs(store.inner.rows) do row.placer = row.placer:gsub("^(%S+ %S+) %d+", "%1 999999999") end
end

describe("an order with a ref", function()
  before_each(function() clock = 0 end)

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
    _, err = add(store, "a", send, { admit = function() clock = clock + 61 end })
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
    assert.equal(0, clock)
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
  before_each(function() clock = 0 end)

  it("waits for that answer, and returns it", function()
    local store = new_store()
    local waiting = coroutine.wrap(function()
      return add(store, "a", error, { sleep = function(seconds)
        clock = clock + seconds
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
    assert.is_true(clock >= 5 and clock < 6)
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

describe("an order with a ref, if the store fails", function()
  before_each(function() clock = 0 end)
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
    assert.is_true(clock > 0 and clock < 30)
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
    assert.is_true(clock >= 90 and clock < 92, "until the deadline and 30 s more")
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

describe("panel:resolve", function()
  it("throws if it is called incorrectly", function()
    local store = new_store()
    assert.error_matches(function() resolve(store, "a", nil) end, "needs the order's id, or false")
    assert.error_matches(function() resolve(store, "a", true) end, "needs the order's id, or false")
    assert.error_matches(function() resolve(store, "a", "1,2") end, "an id must be")
    assert.same({}, store.steps)
  end)

  it("settles nothing twice, but accepts the same settlement twice", function()
    local store = new_store()
    add(store, "a", function() return { order = 1 } end)
    assert.is_true(resolve(store, "a", 1))
    assert.is_true(resolve(store, "a", "1"))
    local ok, err = resolve(store, "a", 2)
    assert.is_nil(ok)
    assert.same({ "ledger", "settled", 1 }, { err.kind, err.code, err.answer.order })
    assert.equal("settled", select(2, resolve(store, "a", false)).code)
  end)

  it("does not know a ref that was never taken, or one that is free", function()
    local store = new_store()
    assert.equal("unknown", select(2, resolve(store, "a", 1)).code)
    add(store, "b", function() return nil, refusal() end)
    assert.equal("unknown", select(2, resolve(store, "b", 1)).code)
  end)

  it("does not record that no order was placed while the panel may be working on it", function()
    local store = new_store()
    add(store, "a", function() return nil, doubtful() end)
    local _, err = resolve(store, "a", false)
    assert.same({ "ledger", "too_early" }, { err.kind, err.code })
    assert.is_true(err.seconds > 80 and err.seconds <= 91)
    assert.is_true(settle.pending(store, entries.owner(store), {})[1].too_early > 80)
    age(store, 91)
    assert.is_nil(settle.pending(store, entries.owner(store), {})[1].too_early)
    assert.is_true(resolve(store, "a", false))
  end)

  it("records it at once if forced", function()
    local store = new_store()
    add(store, "a", function() return nil, doubtful() end)
    assert.is_true(resolve(store, "a", false, { force = true }))
  end)

  it("applies to the attempt that was checked", function()
    local store = new_store()
    add(store, "a", function() return nil, doubtful() end)
    resolve(store, "a", false, { force = true, attempt = 1 })
    add(store, "a", function() return nil, doubtful() end)
    local _, err = resolve(store, "a", 5, { attempt = 1 })
    assert.same({ "other_attempt", 2 }, { err.code, err.attempt })
    assert.is_true(resolve(store, "a", 5, { attempt = 2 }))
  end)

  it("refuses an order that belongs to another ref", function()
    local store = new_store()
    add(store, "b", function() return { order = 23501 } end)
    add(store, "a", function() return nil, doubtful() end)
    local made, err = resolve(store, "a", 23501)
    assert.same({ nil, "other_ref" }, { made, err.code })
    assert.matches("order 23501 already belongs to 'b'", err.message, 1, true)
    assert.equal("uncertain", settle.pending(store, entries.owner(store), {})[1].state)
    store.fail.made = 1
    assert.equal("unavailable", select(2, resolve(store, "a", 23502)).code)
    assert.is_true(resolve(store, "a", 23502))
    assert.is_true(resolve(store, "a", 23502))
    add(store, "c", function() return nil, doubtful() end)
    assert.is_true(resolve(store, "c", "23501", { force = true }))
  end)

  it("reveals nothing of another account's ref", function()
    local store = new_store()
    add(store, "a", function() return nil, doubtful() end, { owner = function()
      return entries.owner(store, "key2")
    end })
    local list = settle.pending(store, entries.owner(store), {})
    assert.same({ "a", true }, { list[1].ref, list[1].other_account })
    assert.equal("other_account", select(2, resolve(store, "a", 5)).code)
  end)
end)

describe("an attempt's lease", function()
  local lease = require "smmpanel.ledger.lease"
  local WALL = 1.7e9

  local function row(placer, more)
    local made = { state = "open", placer = placer }
    for name, value in pairs(more or {}) do made[name] = value end
    return made
  end

  local function here(uptime, wall, life)
    return { boot = "b1", uptime = uptime, wall = WALL + wall, life = function() return life end }
  end

  local SAME = ("b1 n1 7 70 1000.000 %.0f 90"):format(WALL)
  local ELSEWHERE = ("b2 n1 7 70 5.000 %.0f 90"):format(WALL)

  it("follows the clock since boot, however the wall clock is set", function()
    for _, step in ipairs { 0, 60, 86400, 3.2e7, -60, -86400, -3.2e7 } do
      assert.same({ "sending", 80 }, { lease.state(row(SAME), here(1010, step, "running")) })
      assert.equal(80, (lease.too_early(row(SAME), here(1010, step, "running"))))
      assert.equal("uncertain", (lease.state(row(SAME), here(1091, step, "running"))))
      assert.is_nil(lease.too_early(row(SAME), here(1091, step, "running")))
    end
  end)

  it("is not ended early by setting one clock, if the placer is on another machine", function()
    assert.equal(80, select(2, lease.state(row(ELSEWHERE, { age = 10 }), here(1, 86400))))
    assert.equal(80, select(2, lease.state(row(ELSEWHERE, { age = 86400 }), here(1, 10))))
    assert.equal(90, (lease.too_early(row(ELSEWHERE, { age = 91 }), here(1, -3600))))
    assert.is_nil(lease.too_early(row(ELSEWHERE, { age = 91 }), here(1, 91)))
  end)

  it("ends when its process has died, and not while it is stopped", function()
    assert.equal("uncertain", (lease.state(row(SAME), here(1010, 10, "dead"))))
    assert.equal(80, (lease.too_early(row(SAME), here(1010, 10, "dead"))))
    assert.equal("sending", (lease.state(row(SAME), here(9999, 10, "stopped"))))
    assert.same({ 1, "7" }, { lease.too_early(row(SAME), here(9999, 10, "stopped")) })
    assert.is_nil(lease.too_early(row(SAME, { state = "doubt" }), here(9999, 10, "stopped")))
  end)

  it("ended when the machine rebooted, if all are on one machine", function()
    assert.equal("uncertain", (lease.state(row(ELSEWHERE, { one_machine = true }), here(1, 10))))
    assert.equal("sending", (lease.state(row(ELSEWHERE), here(1, 10))))
  end)

  it("sees this process as running, and an ended one as dead", function()
    local now = process.here()
    local me = process.parse(process.placer(60))
    if me.start == "-" then return pending "no /proc here" end
    assert.equal("running", now.life(me))
    me.start = "1"
    assert.equal("dead", now.life(me))
    me.boot = "another"
    assert.is_nil(now.life(me))
  end)
end)

describe("a record in a ledger", function()
  it("is restored unchanged", function()
    local records = {
      { order = 23501 }, { order = "ord_01HG", status = "success" }, { order = "9007199254740993123456" },
      { charge = 0.1, remaining_balance = 1e-7, n = 0.30000000000000004, m = 1.5e300, z = -0.25 },
      { message = 'a "quote" \\ \n\t\127 é \0 end', flag = true, other = false },
      { list = { 1, 2, 3 }, names = { "a", "b" }, nested = { { x = 1 }, { y = { 1 } } } },
    }
    for _, made in ipairs(records) do assert.same(made, json.decode_record(json.encode(made), schemas.add)) end
    if math.type then
      local again = json.decode_record(json.encode { order = math.maxinteger }, schemas.add)
      assert.equal("integer", math.type(again.order))
    end
  end)

  it("is the same text for the same record", function()
    assert.equal('{"a":1,"b":0.5,"c":"x"}', json.encode { c = "x", b = 0.5, a = 1 })
  end)

  it("has money in the form of the panel's current option", function()
    assert.equal("0.27819", json.decode_record('{"charge":"0.27819"}', schemas.add, "string").charge)
    assert.equal(0.27819, json.decode_record('{"charge":"0.27819"}', schemas.add, "number").charge)
  end)
end)

describe("an order's fingerprint", function()
  it("is the same in every Lua", function()
    assert.equal("1-2b8511f43bdab490198ccb78",
      once.fingerprint("example.com/api/v2", { "service", "1", "comments", { "a", "b" } }))
  end)

  it("does not collide among many similar orders", function()
    local seen = {}
    for i = 1, 20000 do
      local print = once.fingerprint("example.com", { "service", "1", "link", "https://example.com/" .. i })
      assert.is_nil(seen[print])
      seen[print] = true
    end
  end)
end)
