-- Retries: pure, with the clock and the random numbers as arguments.
local errors = require "smmpanel.errors"
local pace = require "smmpanel.limiter.local"
local retry = require "smmpanel.call.retry"

local function err(fields)
  fields.action, fields.message = "x", "x"
  return errors.new(fields)
end

local UNSENT = { code = "connect", sent = false }
local SENT = { code = "reset", sent = true }
local ANSWERED = { code = "", sent = true }

describe("a read is retried", function()
  local function may(fields, outcome) return retry.may(err(fields), outcome or ANSWERED, false) end

  it("on network errors and timeouts", function()
    assert.is_true(may({ kind = "network", code = "connect" }, UNSENT))
    assert.is_true(may({ kind = "network", code = "reset" }, SENT))
    assert.is_true(may({ kind = "timeout", code = "timeout" }, SENT))
  end)
  it("on 429 and 5xx, with any body", function()
    for _, status in ipairs { 429, 500, 502, 503, 599 } do
      assert.is_true(may { kind = "http", code = "x", http_status = status })
      assert.is_true(may { kind = "panel", code = "unknown", http_status = status })
    end
  end)
  it("if the panel mentions its rate limit, even with 200", function()
    assert.is_true(may { kind = "panel", code = "rate_limited", http_status = 200 })
  end)
  it("not if the panel refused, or its answer cannot be read", function()
    assert.is_false(may { kind = "panel", code = "bad_order", http_status = 200 })
    assert.is_false(may { kind = "panel", code = "unknown", http_status = 422 })
    assert.is_false(may { kind = "response", code = "not_json", http_status = 200 })
    assert.is_false(may { kind = "response", code = "too_large" })
    assert.is_false(may { kind = "http", code = "redirect", http_status = 303 })
    assert.is_false(may({ kind = "cancelled", code = "cancelled" }, { code = "cancelled", sent = false }))
  end)
  it("never if the key or the account is refused", function()
    for _, code in ipairs { "invalid_key", "account" } do
      for _, status in ipairs { 200, 401, 429, 500 } do
        assert.is_false(may { kind = "panel", code = code, http_status = status })
      end
    end
    assert.is_false(may { kind = "http", code = "forbidden", http_status = 403 })
    assert.is_false(may { kind = "http", code = "forbidden", http_status = 401 })
  end)
end)

describe("a write is retried", function()
  local function may(fields, outcome) return retry.may(err(fields), outcome, true) end

  it("only if nothing of it can have reached the panel", function()
    for _, word in ipairs { "resolve", "connect", "tls" } do
      assert.is_true(may({ kind = "network", code = word }, { code = word, sent = false }))
    end
  end)
  it("not otherwise", function()
    assert.is_false(may({ kind = "network", code = "reset" }, SENT))
    assert.is_false(may({ kind = "network", code = "reset" }, { code = "reset" }))
    assert.is_false(may({ kind = "timeout", code = "timeout" }, { code = "timeout", sent = true }))
    assert.is_false(may({ kind = "http", code = "server_error", http_status = 503 }, ANSWERED))
    assert.is_false(may({ kind = "panel", code = "rate_limited", http_status = 429 }, ANSWERED))
    assert.is_false(may({ kind = "cancelled", code = "cancelled" }, { code = "cancelled", sent = false }))
  end)
end)

describe("the pause", function()
  local READ = { write = false, retries = 2 }
  local function pause(attempt, fields, remaining, dice)
    return retry.pause(attempt, err(fields), SENT, READ, remaining, function() return dice end)
  end
  local RESET = { kind = "network", code = "reset" }

  it("is random below a bound that doubles", function()
    for attempt, bound in ipairs { 0.5, 1, 2, 4, 8, 16, 30, 30 } do
      assert.equal(0, retry.backoff(attempt, function() return 0 end))
      assert.equal(bound / 2, retry.backoff(attempt, function() return 0.5 end))
    end
  end)
  it("is returned as often as `retries` allows", function()
    assert.equal(0.25, pause(1, RESET, 60, 0.5))
    assert.equal(0.5, pause(2, RESET, 60, 0.5))
    assert.is_nil(pause(3, RESET, 60, 0.5))
  end)
  it("is at least Retry-After", function()
    assert.equal(7, pause(1, { kind = "http", code = "x", http_status = 429, retry_after = 7 }, 60, 0.5))
    assert.equal(0.25, pause(1, { kind = "http", code = "x", http_status = 429, retry_after = 0.1 }, 60, 0.5))
  end)
  it("is none at all if it would reach the deadline", function()
    assert.is_nil(pause(1, { kind = "http", code = "x", http_status = 429, retry_after = 60 }, 60, 0.5))
    assert.is_nil(pause(1, RESET, 0.25, 0.5))
    assert.is_nil(pause(1, RESET, -1, 0))
  end)
end)

describe("the budget of `rate` requests a second", function()
  it("gives evenly spaced slots", function()
    local now = 100
    local budget = pace.new(10, function() return now end)
    assert.equal(0, (budget:reserve(60)))
    assert.is_near(0.1, budget:reserve(60), 1e-9)
    now = 100.05
    assert.is_near(0.15, budget:reserve(60), 1e-9)
    now = 200
    assert.equal(0, (budget:reserve(60)))
  end)
  it("reserves nothing if the wait would be too long", function()
    local budget = pace.new(1, function() return 0 end)
    assert.equal(0, (budget:reserve(60)))
    assert.is_nil(budget:reserve(0.5))
    assert.is_near(1, budget:reserve(60), 1e-9)
  end)
  it("gives delayed callers other slots, one after the other", function()
    local now = 0
    local budget = pace.new(10, function() return now end)
    local _, first = budget:reserve(60)
    local _, second = budget:reserve(60)
    budget:hold(5)
    now = 0.1
    local wait, again = budget:reserve(60, second)
    assert.is_near(4.9, wait, 1e-9)
    assert.is_near(5, budget:reserve(60, first), 1e-9)
    now = 5
    assert.same({ 0, again }, { budget:reserve(60, again) })
    budget:hold(0.01)
    now = 6
    assert.is_near(0, budget:reserve(60), 1e-9)
  end)
end)
