-- The verdict of panel:investigate is what the panel did, or unknown with a reason.
local broken = require "spec.support.broken_panels"
local memory_store = require "spec.support.memory_store"
local smmpanel = require "smmpanel"
local verdict = require "smmpanel.ledger.verdict"
local world = require "spec.support.uncertain_world"

local SEEDS = 2 -- spec/long has a hundred

local function days(options, seeds)
  options.orders = 30
  return world.days(options, seeds or SEEDS)
end

describe("panel:investigate", function()
  it("settles what the surrounding orders prove, and is never wrong", function()
    local sum = days {}
    assert.same({}, sum.wrong)
    assert.is_true(sum.uncertain > 25, sum.uncertain)
    assert.is_true(sum.settled >= 0.9 * sum.uncertain, sum.settled .. " of " .. sum.uncertain)
    assert.equal(0, sum.writes)
  end)

  for name, how in pairs {
    ["whose numbers are scattered"] = { wrap = broken.scattered, reason = "ids_do_not_grow" },
    ["whose numbers come from two ranges"] = { wrap = broken.two_ranges, reason = "ids_do_not_grow" },
    ["whose ids are not numbers"] = { wrap = broken.opaque, reason = "ids_not_numbers" },
  } do
    it("is unknown for a panel " .. name, function()
      local sum = days({ wrap = how.wrap }, 1)
      assert.same({}, sum.wrong)
      assert.equal(0, sum.settled)
      assert.equal(sum.uncertain, sum.reasons[how.reason])
    end)
  end

  it("does not confuse another customer's order with its own", function()
    local sum = days({ wrap = broken.shows_others }, 1)
    assert.same({}, sum.wrong)
    assert.is_true(sum.settled < sum.uncertain / 2)
    assert.is_true((sum.reasons.others_orders or 0) + (sum.reasons.no_stranger or 0) > 5)
  end)

  it("does not choose between equal concurrent orders", function()
    local sum = days({ order = world.equal_order }, 1)
    assert.same({}, sum.wrong)
    assert.is_true((sum.reasons.several_fit or 0) > 5)
  end)
end)

describe("panel:investigate, one ref:", function()
  local sandbox, store, panel
  before_each(function()
    sandbox = smmpanel.sandbox { key = "shop", balance = "1000000" }
    store = memory_store.new()
    panel = function(fault)
      return smmpanel.new { url = sandbox:url_with(fault or ""), key = "shop", transport = sandbox, ledger = store,
        timeout = 0.2, retries = 0 }
    end
  end)

  local function order(name) return { service = 1, link = "https://example.com/" .. name, quantity = 700 } end

  -- Makes all attempts so far older.
  local function age(seconds)
    for _, row in ipairs(store.rows) do
      row.placer = row.placer and row.placer:gsub("^(%S+ %S+ %d+ %S+) (%S+)", function(who, at)
        return ("%s %.3f"):format(who, tonumber(at) - seconds)
      end)
    end
  end

  local function shop(count, name)
    for i = 1, count do assert(panel():add(order(name .. i), { ref = name .. i })) end
  end

  local function investigate(ref, given)
    local found, err = panel():investigate(ref, given)
    assert.is_nil(err)
    return found
  end

  it("reports its findings, and settles only on request", function()
    shop(10, "a")
    panel("lost"):add(order "lost", { ref = "lost" })
    panel("500"):add({ service = 2, link = "https://example.com/none", quantity = 500 }, { ref = "none" })
    local early = investigate "lost"
    assert.same({ "too_early", "the panel may still be working on it: investigate again in 31 s", 31 },
      { early.reason, early.message, early.seconds })
    age(60)
    assert.equal("window_open", investigate("lost").reason)
    sandbox:set_balance("5", "second")
    smmpanel.new({ url = sandbox.url, key = sandbox.keys.second, transport = sandbox }):add(order "stranger")
    shop(1, "b")
    local found = investigate "lost"
    local made = sandbox:orders("https://example.com/lost")[1].order
    assert.same({ "made", made, 1, "lost" }, { found.verdict, tostring(found.order), found.attempt, found.ref })
    assert.equal("not_made", investigate("none").verdict)
    local pending = panel():pending()
    assert.same({ 2, "made" }, { #pending, pending[1].evidence.verdict })
    assert.is_true(investigate("lost", { settle = true }).settled)
    assert.is_true(investigate("none", { settle = true }).settled)
    assert.same({}, panel():pending())
    assert.equal(made, tostring(panel():add(order "lost", { ref = "lost" }).order))
    assert.equal(12, sandbox:stats().made - 1)
  end)

  it("needs proof that the panel's numbers grow", function()
    shop(3, "a")
    panel("lost"):add(order "lost", { ref = "lost" })
    age(60)
    shop(1, "b")
    assert.equal("few_orders", investigate("lost").reason)
  end)

  it("ends when a request is cancelled, as by Ctrl-C, and sends no other", function()
    shop(10, "a")
    panel("lost"):add(order "lost", { ref = "lost" })
    age(60)
    for i = 1, 150 do assert(panel():add(order("b" .. i), { ref = "b" .. i })) end
    local sent = 0
    local other = smmpanel.new { url = sandbox.url, key = "shop", ledger = store, retries = 0, transport = function()
      sent = sent + 1
      return nil, { code = "cancelled", message = "interrupted" }
    end }
    local found, err = other:investigate "lost"
    assert.is_nil(found)
    assert.same({ "cancelled", 1 }, { err.code, sent })
  end)

  it("sends at most max_requests", function()
    shop(10, "a")
    panel("lost"):add(order "lost", { ref = "lost" })
    age(60)
    local plain = smmpanel.new { url = sandbox.url, key = sandbox.keys.second, transport = sandbox }
    sandbox:set_balance("1000000", "second")
    for i = 1, 120 do assert(plain:add(order("s" .. i))) end
    shop(1, "b")
    assert.equal("too_many_ids", investigate("lost", { max_requests = 1 }).reason)
    local found = investigate("lost", { max_requests = 2 })
    assert.same({ "made", 2 }, { found.verdict, found.requests })
  end)

  it("is refused for a ref that is unknown, or belongs to another account", function()
    assert.equal("unknown", select(2, panel():investigate "never").code)
    shop(1, "a")
    local other = smmpanel.new { url = sandbox.url, key = "other", transport = sandbox, ledger = store }
    assert.equal("other_account", select(2, other:investigate "a1").code)
    assert.equal("made", investigate("a1").verdict)
    assert.has_error(function() panel():investigate(" a") end)
  end)
end)

describe("the verdict on an attempt", function()
  local function facts(more)
    local decimal = require "smmpanel.util.decimal"
    local price = decimal.parse "0.63"
    local made = {
      inside = { 11, 12 }, outside = {}, records = { [11] = { charge = "0.63" } }, hidden = { [12] = true },
      controls_shown = true, attempt = { order = { service = "1", quantity = "700" }, price = price }, others = {},
    }
    for name, value in pairs(more or {}) do made[name] = value end
    return made
  end

  it("is made if exactly one order fits, and everything else is explained", function()
    assert.same({ "made", 11 }, { verdict.of(facts()).verdict, verdict.of(facts()).order })
  end)

  it("is not made if all numbers belong to other customers", function()
    assert.equal("not_made", verdict.of(facts { records = {}, hidden = { [11] = true, [12] = true } }).verdict)
  end)

  it("is unknown if anything is missing", function()
    assert.equal("not_read", verdict.of(facts { hidden = {} }).reason)
    assert.equal("not_read", verdict.of(facts { controls_shown = false }).reason)
    assert.equal("no_stranger", verdict.of(facts { inside = { 11 } }).reason)
    assert.equal("charge_differs", verdict.of(facts { records = { [11] = { charge = "0.27" } } }).reason)
    assert.equal("several_fit",
      verdict.of(facts { records = { [11] = { charge = "0.63" }, [12] = { charge = "0.63" } },
        outside = { 9 }, hidden = { [9] = true } }).reason)
    assert.equal("price_unknown", verdict.of(facts { attempt = { order = {} } }).reason)
    assert.equal("others_orders", verdict.of(facts { outside = { 9 }, records = { [9] = { charge = "1" },
      [11] = { charge = "0.63" } } }).reason)
  end)

  it("considers the other fields of the record", function()
    local record = { charge = "0.63", service = "1", quantity = 700, link = "https://example.com/" }
    assert.equal("made", verdict.of(facts { records = { [11] = record } }).verdict)
    record.service = "2"
    assert.equal("charge_differs", verdict.of(facts { records = { [11] = record } }).reason)
  end)
end)
