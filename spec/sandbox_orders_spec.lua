-- An order in the sandbox panel, by the spec's clock: its states, refunds, refills, drip-feeds and subscriptions.
local checks = require "smmpanel.sandbox.panel.checks"
local new_panel = require "spec.support.sandbox_panel"
local orders = require "smmpanel.sandbox.panel.orders"

describe("an order's life", function()
  local function parts(text)
    return text:match '"status":"([^"]+)"', text:match '"remains":"(%d+)"', text:match '"charge":"([%d.]+)"'
  end
  local function check(at, id, after, status, remains, charge)
    at.now = 1000000 + after
    assert.same({ status, remains, charge }, { parts(at.status(id)) })
  end

  it("follows the clock from Pending to Completed", function()
    local at = new_panel()
    local id = at.add "service=1&link=x&quantity=1000"
    check(at, id, 0, "Pending", "1000", "0.9")
    assert.equal("0", at.status(id):match '"start_count":"(%d+)"')
    check(at, id, 2, "Processing", "1000", "0.9")
    check(at, id, 4, "In progress", "1000", "0.9")
    check(at, id, 17, "In progress", "500", "0.9")
    assert.equal("21168", at.status(id):match '"start_count":"(%d+)"')
    check(at, id, 30, "Completed", "0", "0.9")
    check(at, id, 1e7, "Completed", "0", "0.9")
  end)

  it("ends as Partial, with the rest refunded once", function()
    local at = new_panel()
    local id = at.add "service=19&link=x&quantity=1001"
    assert.equal("99.39928781", at.balance())
    check(at, id, 29, "In progress", "425", "1.44363219")
    check(at, id, 30, "Partial", "401", "0.865314")
    assert.equal("99.977606", at.balance())
    assert.equal("99.977606", at.balance())
  end)

  it("is refunded in full when the panel cancels it, even if nobody requests its status", function()
    local at = new_panel()
    local id = at.add "service=20&link=x&quantity=1000"
    assert.equal("100.18292", at.balance())
    at.now = at.now + 40
    assert.equal("100.84292", at.balance())
    check(at, id, 41, "Canceled", "1000", "0")
  end)

  it("ends as its link says", function()
    local at = new_panel()
    local failed = at.add "service=1&quantity=100&link=x%23ends=In_error"
    local never = at.add "service=1&quantity=100&link=x%23ends=never"
    check(at, failed, 30, "In error", "100", "0")
    check(at, never, 1e9, "In progress", "100", "0.09")
  end)

  it("is ended early by a cancellation, some time after the request", function()
    local at = new_panel()
    local early = at.add "service=1&link=x&quantity=1000"
    assert.equal('[{"order":' .. early .. ',"cancel":1}]', at.ask("action=cancel&orders=" .. early))
    assert.equal('[{"order":' .. early .. ',"cancel":{"error":"Order can\'t be canceled"}}]',
      at.ask("action=cancel&orders=" .. early))
    assert.equal("99.94292", at.balance())
    at.now = at.now + 4
    local late = at.add "service=1&link=x&quantity=1000"
    check(at, early, 5, "Partial", "962", "0.0342")
    at.now = 1000000 + 4 + 12
    at.ask("action=cancel&orders=" .. late)
    check(at, late, 21, "Partial", "500", "0.45")
    assert.equal("100.35872", at.balance())
    local pending = at.add "service=4&link=x&quantity=10&keywords=a"
    at.ask("action=cancel&orders=" .. pending)
    assert.equal('[{"order":2,"cancel":1}]', at.ask "action=cancel&orders=2")
  end)

  it("is cancelled completely if nothing was delivered yet", function()
    local at = new_panel()
    local id = at.add "service=1&link=x&quantity=50"
    at.ask("action=cancel&orders=" .. id)
    check(at, id, 5, "Partial", "49", "0.0009")
    local never = at.add "service=1&quantity=100&link=x%23ends=never"
    at.ask("action=cancel&orders=" .. never)
    check(at, never, 10, "Canceled", "100", "0")
  end)

  it("cannot be cancelled if the service does not allow it, or when it has ended", function()
    local at = new_panel()
    local id = at.add "service=3&link=x"
    assert.truthy(at.ask("action=cancel&orders=" .. id):find "not eligible for cancellation")
    id = at.add "service=1&link=x&quantity=50"
    at.now = at.now + 30
    assert.truthy(at.ask("action=cancel&orders=" .. id):find "can't be canceled")
  end)
end)

describe("a refill", function()
  it("is for completed orders, one at a time, within the refill period", function()
    local at = new_panel()
    local id = at.add "service=1&link=x&quantity=50"
    local refill = "action=refill&order=" .. id
    assert.equal('{"error":"Order is not completed"}', at.ask(refill))
    at.now = at.now + 30
    assert.equal('{"refill":"1"}', at.ask(refill))
    assert.equal('{"error":"Refill was requested already"}', at.ask(refill))
    assert.equal('{"status":"Pending"}', at.ask "action=refill_status&refill=1")
    at.now = at.now + 5
    assert.equal('{"status":"In progress"}', at.ask "action=refill_status&refill=1")
    at.now = at.now + 5
    assert.equal('{"status":"Completed"}', at.ask "action=refill_status&refill=1")
    assert.equal('{"refill":"2"}', at.ask(refill))
    at.now = at.now + 86400 * orders.REFILL_DAYS
    assert.equal('{"error":"Refill days are over"}', at.ask(refill))
  end)

  it("is refused if the service has none, and may be rejected", function()
    local at = new_panel()
    local none = at.add "service=12&link=x&quantity=10&username=u"
    local rejected = at.add "service=1&quantity=50&link=x%23refill=Rejected"
    at.now = at.now + 30
    assert.equal('{"error":"Refill is disabled for this service"}', at.ask("action=refill&order=" .. none))
    at.ask("action=refill&order=" .. rejected)
    at.now = at.now + 10
    assert.equal('{"status":"Rejected"}', at.ask "action=refill_status&refill=1")
  end)
end)

describe("a drip-feed", function()
  it("is paid at once, and places an order each interval", function()
    local at = new_panel()
    local id = at.add "service=1&link=x&quantity=100&runs=3&interval=1"
    assert.equal("100.57292", at.balance())
    assert.equal('{"status":"In progress","runs":"3","orders":["23502"]}', at.status(id))
    assert.equal(1, #at.panel.made)
    at.now = at.now + 119
    assert.equal('{"status":"In progress","runs":"3","orders":["23502","23503"]}', at.status(id))
    at.now = at.now + 31
    assert.equal('{"status":"Completed","runs":"3","orders":["23502","23503","23504"]}', at.status(id))
    assert.equal("0.09", at.status(23503):match '"charge":"([%d.]+)"')
    assert.equal("100.57292", at.balance())
    assert.truthy(at.ask("action=cancel&orders=" .. id):find "not eligible")
    assert.truthy(at.ask("action=refill&order=" .. id):find "not eligible")
  end)
end)

describe("a subscription", function()
  it("places an order for each post, and pays it then", function()
    local at = new_panel()
    local id = at.add "service=16&username=u&min=20&max=20&posts=2&delay=0"
    assert.equal('{"status":"Active","expiry":"","posts":"2","orders":["23502"]}', at.status(id))
    assert.equal("100.83792", at.balance())
    at.now = at.now + 20
    assert.equal("100.83292", at.balance())
    at.now = at.now + 30
    assert.equal('{"status":"Completed","expiry":"","posts":"2","orders":["23502","23503"]}', at.status(id))
  end)

  it("waits for its delay, serves old posts, and ends after its expiry", function()
    local at = new_panel()
    at.now = 86400 * 365
    local id = at.add "service=16&username=u&min=20&max=20&delay=5&old_posts=1&expiry=01%2F01%2F1971"
    assert.equal('{"status":"Active","expiry":"01\\/01\\/1971","posts":"0","orders":["23502"]}',
      at.status(id))
    at.now = at.now + 339
    assert.truthy(at.status(id):find('"orders":["23502","23503"]', 1, true))
    at.now = 86400 * 366 + 1
    assert.equal("Expired", at.status(id):match '"status":"(%a+)"')
  end)

  it("pauses without money, and is limited without an end", function()
    local at = new_panel { balance = "0.009" }
    local id = at.add "service=16&username=u&min=20&max=20&delay=0"
    at.now = at.now + 20
    assert.equal("Paused", at.status(id):match '"status":"(%a+)"')
    at = new_panel()
    id = at.add "service=16&username=u&min=20&max=20&delay=0"
    at.now = at.now + 1e8
    assert.equal(orders.CHILDREN_MAX, select(2, at.status(id):gsub('"%d%d%d%d%d"', "")))
  end)

  it("knows the calendar", function()
    assert.equal(86400, checks.expiry "01/01/1970")
    assert.equal(951868800, checks.expiry "29/02/2000")
    assert.equal(4102444800, checks.expiry "31/12/2099")
    for _, text in ipairs { "", "1/1/70", "32/01/2030", "01/13/2030", "2030/01/01" } do
      assert.is_nil(checks.expiry(text), text)
    end
  end)
end)
