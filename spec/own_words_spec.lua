-- The user's own words for a panel's texts, and a server's texts around its answers, through the whole client: the
-- options error_codes and order_states, web pages, rate limits, single ids in lists.
local smmpanel = require "smmpanel"

-- A panel that gives the requested answer, and records its requests.
local function panel_of(answer, more)
  local asked = {}
  local options = { url = "http://panel.example/api/v2", key = "a-secret-key", retries = 0,
    transport = function(request)
      asked[#asked + 1] = request.body
      local said = type(answer) == "function" and answer(#asked) or answer
      return type(said) == "table" and said or { status = 200, body = said }
    end }
  for name, value in pairs(more or {}) do options[name] = value end
  return smmpanel.new(options), asked
end

describe("the option error_codes", function()
  it("precedes the built-in texts, in any case and with any accents", function()
    local own = { error_codes = { ["kasa boş"] = "no_funds", ["not enough"] = "out_of_money" } }
    for said, code in pairs { ["Kasa Boş!"] = "no_funds", ["KASA BOS"] = "no_funds",
      ["Not enough funds"] = "out_of_money", ["Incorrect service ID"] = "bad_service" } do
      local panel = panel_of(('{"error":"%s"}'):format(said), own)
      assert.equal(code, select(2, panel:balance()).code)
      assert.equal(code, select(2, panel:call "mine").code)
    end
  end)
  it("applies to the entries of a list", function()
    local panel = panel_of('{"1":{"error":"gone fishing"},"2":{"status":"Pending"}}',
      { error_codes = { fishing = "bad_order" } })
    assert.equal("bad_order", panel:status({ 1, 2 })[1].code)
  end)
  it("refuses anything but a table of texts", function()
    for _, wrong in ipairs { "x", { 1 }, { a = 1 }, { [""] = "x" }, { a = "" } } do
      assert.has_error(function() panel_of("{}", { error_codes = wrong }) end)
    end
  end)
end)

describe("the option order_states", function()
  it("precedes the built-in states", function()
    local panel = panel_of("{}",
      { order_states = { ["Baking now"] = "open", Completed = "open", gone = "canceled" } })
    for state, class in pairs { ["BAKING-NOW"] = "open", completed = "open", Gone = "canceled", Partial = "partial",
      odd = "unknown" } do
      assert.equal(class, panel:state(state))
    end
    assert.is_true(panel:is_final "gone")
    assert.is_false(panel:is_final "completed")
    assert.is_false(panel:is_final "odd")
  end)
  it("ends a watch", function()
    local panel = panel_of('{"charge":"1","status":"ready to eat"}',
      { order_states = { ["ready to eat"] = "completed" } })
    local last, err = panel:watch(5, { interval = 0.01, timeout = 5 })
    assert.is_nil(err)
    assert.equal("ready to eat", last.status)
  end)
  it("refuses an unknown class", function()
    assert.has_error(function() panel_of("{}", { order_states = { x = "done" } }) end)
  end)
end)

describe("one id is sent in the singular form", function()
  local function asked_for(action, x, given)
    local panel, asked = panel_of '{"charge":"1","status":"Pending","refill":1,"cancel":1}'
    panel[action](panel, x, given)
    local list = {}
    for i, body in ipairs(asked) do list[i] = body:match "&action=[^&]+&(.*)$" end
    table.sort(list)
    return table.concat(list, " ")
  end
  it("alone, in a list of one, and if batch_size is 1", function()
    assert.equal("order=5", asked_for("status", 5))
    assert.equal("order=5", asked_for("status", { 5 }))
    assert.equal("order=5 order=6", asked_for("status", { 5, 6 }, { batch_size = 1 }))
    assert.equal("order=7 orders=5,6", (asked_for("status", { 5, 6, 7 }, { batch_size = 2 }):gsub("%%2C", ",")))
    assert.equal("order=5", asked_for("refill", { 5 }))
    assert.equal("refill=5", asked_for("refill_status", { 5 }))
    assert.equal("orders=5", asked_for("cancel", { 5 }))
    assert.equal("orders=5", asked_for("cancel", 5))
  end)
  it("a refusal of the order is its entry, a refusal of the request is the second value", function()
    local entries, err = panel_of('{"error":"Incorrect order ID"}'):status { 5 }
    assert.equal("bad_order", entries[5].code)
    assert.is_nil(err)
    for said, code in pairs { ["Invalid API key"] = "invalid_key", ["Too many requests"] = "rate_limited" } do
      entries, err = panel_of(('{"error":"%s"}'):format(said)):status { 5 }
      assert.equal(code, entries[5].code)
      assert.equal(code, err.code)
      assert.equal(err, entries[5].cause)
    end
  end)
  it("a message alone under an HTTP error is not a record of that id", function()
    for status, code in pairs { [429] = "rate_limited", [500] = "server_error", [503] = "server_error" } do
      local entries, err = panel_of({ status = status, body = '{"message":"Sorry"}' }):status { 5 }
      assert.equal(code, err.code)
      assert.equal(err, entries[5].cause)
    end
    local _, err = panel_of({ status = 500, body = '{"message":"Server Error"}' }):add { service = 1 }
    assert.same({ "http", "server_error", true }, { err.kind, err.code, err.uncertain })
    assert.equal("HTTP 500: Server Error", err.message)
  end)
  it("a 503 that says Service Unavailable is about no service", function()
    for _, said in ipairs { "Service Unavailable", "Service Temporarily Unavailable." } do
      local _, err = panel_of({ status = 503, body = ('{"error":"%s"}'):format(said) }):add { service = 1 }
      assert.same({ "http", "server_error", true }, { err.kind, err.code, err.uncertain })
      _, err = panel_of({ status = 200, body = ('{"error":"%s"}'):format(said) }):add { service = 1 }
      assert.same({ "panel", false }, { err.kind, err.uncertain or false })
    end
    local _, err = panel_of({ status = 503, body = '{"error":"This service is not available"}' }):add { service = 1 }
    assert.same({ "panel", "bad_service" }, { err.kind, err.code })
  end)
  it("a cancel under a 429 was not carried out", function()
    local entries, err = panel_of({ status = 429, body = '{"message":"Too Many Attempts."}' }):cancel { 5 }
    assert.same({ "panel", "rate_limited" }, { err.kind, err.code })
    assert.is_nil(err.uncertain)
    assert.is_nil(entries[5].uncertain)
  end)
end)

describe("an error", function()
  local PAGE = '<!DOCTYPE html><html><head><title>%s</title></head><body>x</body></html>'
  it("concatenates", function()
    local _, err = panel_of('{"error":"Not enough funds"}'):balance()
    assert.equal("failed: " .. tostring(err), "failed: " .. err)
    assert.equal(tostring(err) .. "!", err .. "!")
  end)
  it("has the title of a web page, and its probable kind", function()
    for title, page in pairs { ["Just a moment..."] = "cloudflare", ["Bakımdayız"] = "maintenance",
      ["502 Bad Gateway"] = "overloaded", ["404 Not Found"] = "not_found", ["Giriş Yap"] = "login",
      ["Best SMM &amp; Panel"] = "web_page", ["Access denied"] = "blocked" } do
      local answer = { status = 200, body = PAGE:format(title), headers = { ["CF-RAY"] = "8a-IST" } }
      local _, err = panel_of(answer):balance()
      assert.same({ "response", "not_json", page, (title:gsub("&amp;", "&")), "8a-IST" },
        { err.kind, err.code, err.server.page, err.server.title, err.server.cf_ray })
      assert.is_truthy(err.message:find((title:gsub("&amp;", "&")), 1, true))
    end
  end)
  it("has the panel's answer if it names an order in spite of the refusal", function()
    local refusals = { '{"error":"Save failed","order":5}', '{"error":"x","order_id":"5"}', '{"error":"x","id":5}',
      '{"success":false,"message":"x","data":{"order":5}}', '{"error":"x","data":{"id":"ord_5"}}',
      '{"status":"error","msg":"x","orderId":5}' }
    for _, body in ipairs(refusals) do
      local _, err = panel_of(body):add { service = 1 }
      assert.same({ "panel", true, "table" }, { err.kind, err.uncertain, type(err.answer) }, body)
    end
    for _, body in ipairs { '{"error":"x"}', '{"error":"x","order":null}', '{"error":"x","order":0,"id":""}' } do
      assert.is_nil(select(2, panel_of(body):add { service = 1 }).uncertain, body)
    end
  end)
  it("with a text that is not a refusal keeps its code and is uncertain", function()
    for said, code in pairs { Timeout = "unknown", ["Order is being processed"] = "unknown",
      ["Duplicate order"] = "active_order", Processing = "unknown",
      ["Order was sent but could not be saved"] = "unknown", ["Internal server error"] = "unknown" } do
      local _, err = panel_of(('{"error":"%s"}'):format(said)):add { service = 1 }
      assert.same({ "panel", code, true }, { err.kind, err.code, err.uncertain })
    end
  end)
  it("with a text that is a refusal is certain, whatever else the text mentions", function()
    for _, said in ipairs { "No order was created", "Order has not been placed: balance too low",
      "Active order with this link already exists", "Failed to create order" } do
      assert.is_nil(select(2, panel_of(('{"error":"%s"}'):format(said)):add { service = 1 }).uncertain, said)
    end
  end)
  it("is limited, whatever the panel puts into its message", function()
    local _, err = panel_of(('{"error":"%s"}'):format(("é"):rep(20000))):balance()
    assert.is_true(#err.message <= 1000)
    assert.is_nil(err.message:find "\195%.")
  end)
  it("considers both a code word and a text", function()
    local _, err = panel_of('{"error":"ERR_42","message":"Yetersiz bakiye"}'):add { service = 1 }
    assert.equal("no_funds", err.code)
    assert.is_truthy(err.message:find "ERR_42" and err.message:find "Yetersiz bakiye")
    _, err = panel_of({ status = 400, body = '{"message":["quantity must be at least 10"],"error":"Bad Request",'
      .. '"statusCode":400}' }):add { service = 1 }
    assert.equal("bad_quantity", err.code)
  end)
end)

it("a document inside a JSON string is read", function()
  assert.equal(5, panel_of([["{\"order\":5}"]]):add({ service = 1 }).order)
end)

-- As a float it did not fit into an integer: the smallest one, below 0, was the pause.
it("a pause of more than a year counts as a year", function()
  for _, name in ipairs { "Retry-After", "X-RateLimit-Reset" } do
    for _, seconds in ipairs { "31536001", "9223372036854775807", "99999999999999999999", "1e300", "inf" } do
      local panel = panel_of { status = 429, body = '{"error":"Too many requests"}', headers = { [name] = seconds } }
      local said = select(2, panel:balance()).retry_after
      assert.is_true(said == nil or said == 31536000, ("%s: %s: %s"):format(name, seconds, tostring(said)))
    end
  end
end)

it("uses X-RateLimit-Reset if there is no Retry-After", function()
  local panel = panel_of { status = 429, body = '{"error":"Too many requests"}',
    headers = { ["X-RateLimit-Reset"] = "7" } }
  assert.equal(7, select(2, panel:balance()).retry_after)
  panel = panel_of { status = 429, body = '{"error":"Too many requests"}',
    headers = { ["X-RateLimit-Reset"] = tostring(os.time() + 30) } }
  local seconds = select(2, panel:balance()).retry_after
  assert.is_true(seconds > 25 and seconds <= 30)
end)
