-- A panel with an idempotency key: an order whose answer was lost is sent again, and placed once.
local memory_store = require "spec.support.memory_store"
local smmpanel = require "smmpanel"

describe("idempotency_field", function()
  local sandbox, store
  before_each(function()
    sandbox = smmpanel.sandbox { key = "shop", balance = "1000000" }
    store = memory_store.new()
  end)

  local function panel(fault, more)
    local options = { url = sandbox:url_with(fault or ""), key = "shop", transport = sandbox, ledger = store,
      timeout = 2, retries = 1, idempotency_field = "request_id" }
    for name, value in pairs(more or {}) do options[name] = value or nil end
    return smmpanel.new(options)
  end

  local ORDER = { service = 1, link = "https://example.com/1", quantity = 100 }
  local UNCERTAIN = { "lost", "lost-reset", "cut:5", "made,502-html", "made,empty" }

  it("sends an order again whose answer was lost, within the deadline", function()
    for i, fault in ipairs(UNCERTAIN) do
      local made = assert(panel(fault .. "@1"):add(ORDER, { ref = "r" .. i }))
      assert.truthy(made.order)
      assert.equal(i, sandbox:stats().made)
    end
    assert.same({}, panel():pending())
  end)

  it("sends it again on the next add with that ref, as after a crash", function()
    for i, fault in ipairs(UNCERTAIN) do
      assert.is_true(select(2, panel(fault, { retries = 0 }):add(ORDER, { ref = "r" .. i })).uncertain)
      assert.truthy(panel():add(ORDER, { ref = "r" .. i }))
      assert.equal(i, sandbox:stats().made)
    end
    assert.same({}, panel():pending())
  end)

  it("does not do so for an order that was sent without it, or without a ref", function()
    local plain = panel("lost", { retries = 3, idempotency_field = false })
    assert.is_true(select(2, plain:add(ORDER, { ref = "a" })).uncertain)
    assert.equal("uncertain", select(2, panel():add(ORDER, { ref = "a" })).code)
    assert.is_true(select(2, panel "lost":add(ORDER)).uncertain)
    assert.equal(2, sandbox:stats().made)
  end)

  it("keeps an order uncertain that an attempt may have placed, whatever the next attempt returns", function()
    local next_answers = {
      { nil, { code = "connect", message = "no connection", sent = false } },
      { { status = 200, body = '{"error":"Not enough funds on balance"}' } },
      { { status = 401, body = "" } },
    }
    for i, answer in ipairs(next_answers) do
      local attempts = 0
      local function transport()
        attempts = attempts + 1
        if attempts == 1 then return nil, { code = "reset", message = "reset", sent = true } end
        return answer[1], answer[2]
      end
      local ref = "doubt" .. i
      local made, err = panel(nil, { transport = transport }):add(ORDER, { ref = ref })
      assert.is_nil(made)
      assert.same({ 2, true }, { err.attempts, err.uncertain })
      assert.matches("the outcome is unknown", err.message, 1, true)
      assert.equal("uncertain", panel():lookup(ref).state)
      local other = { service = 1, link = "https://example.com/other", quantity = 100 }
      assert.equal("mismatch", select(2, panel():add(other, { ref = ref })).code)
    end
  end)

  it("keeps an order uncertain that an earlier call may have placed, whatever the next call returns", function()
    local answers = {
      { nil, { code = "connect", message = "no connection", sent = false } },
      { { status = 200, body = '{"error":"Not enough funds on balance"}' } },
      { { status = 429, body = "" } },
    }
    for i, answer in ipairs(answers) do
      local ref = "again" .. i
      assert.is_true(select(2, panel("lost", { retries = 0 }):add(ORDER, { ref = ref })).uncertain)
      local next_call = panel(nil, { retries = 0, transport = function() return answer[1], answer[2] end })
      local _, err = next_call:add(ORDER, { ref = ref })
      assert.is_true(err.uncertain)
      assert.equal("uncertain", panel():lookup(ref).state)
      assert.truthy(panel():add(ORDER, { ref = ref }))
      assert.equal(i, sandbox:stats().made)
    end
  end)

  it("is not part of the order: it may be set later", function()
    assert(panel(nil, { idempotency_field = false }):add(ORDER, { ref = "a" }))
    assert(panel():add(ORDER, { ref = "a" }))
    assert.equal(1, sandbox:stats().made)
  end)

  it("does not retry what the panel refused", function()
    local _, err = panel():add({ service = 1, link = "https://example.com/1", quantity = 1 }, { ref = "a" })
    assert.same({ "bad_quantity", 1 }, { err.code, err.attempts })
  end)

  it("places two orders if the panel only pretends to support it: that is the panel's promise", function()
    local lying = panel("lost@1", { idempotency_field = "client_ref" })
    assert(lying:add(ORDER, { ref = "a" }))
    assert.equal(2, sandbox:stats().made)
  end)

  it("throws if the name is invalid, or if the order has that field", function()
    for _, name in ipairs { "", "key", "action", "a b", 5 } do
      assert.has_error(function() panel(nil, { idempotency_field = name }) end)
    end
    local order = { service = 1, link = "https://example.com/1", quantity = 100, request_id = "x" }
    assert.error_matches(function() panel():add(order, { ref = "a" }) end, "sends the ref in it")
  end)
end)
