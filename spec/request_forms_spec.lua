-- The forms in which requests reach panels, sent to the sandbox by real clients: curl, and PHP as most users of panels
-- have it. And each shape of an answer, through our own client.
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local run = require("spec.support.system").output

describe("the sandbox accepts", function()
  local sandbox
  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox.stop() end)

  local function curl(arguments) return run("curl -s " .. arguments .. " " .. quoted(sandbox.url)) end

  local BALANCE = '{"balance":"100.84292","currency":"USD"}'

  it("multipart/form-data", function()
    assert.equal(BALANCE, curl(("-F key=%s -F action=balance"):format(sandbox.key)))
    local fields = "-F key=%s -F action=add -F service=1 -F quantity=50 -F 'link=https://e.com/?a=b&c=d'"
    assert.matches('"order":%d+', curl(fields:format(sandbox.key)))
  end)
  it("a JSON object with a list of ids", function()
    local body = ('{"key":"%s","action":"status","orders":[1,2]}'):format(sandbox.key)
    local out = curl("-H 'Content-Type: application/json' -d " .. quoted(body))
    assert.matches('^{"1":{.*"2":{', out)
  end)
  it("GET, with the fields in the query", function()
    local url = ("%s?key=%s&action=status&order=1"):format(sandbox.url, sandbox.key)
    assert.matches('"status":"Partial"', run("curl -s " .. quoted(url)))
  end)
  it("empty runs and interval", function()
    local fields = "-d key=%s -d action=add -d service=1 -d quantity=50 -d link=x -d runs= -d interval="
    assert.matches('"order":%d+', curl(fields:format(sandbox.key)))
  end)
  it("a space after a comma in orders", function()
    assert.matches('^{"1":{.*"2":{', curl(("-d key=%s -d action=status -d 'orders=1, 2'"):format(sandbox.key)))
  end)
  it("cancel with order=", function()
    assert.matches('%[{"order":2,"cancel":1}%]', curl(("-d key=%s -d action=cancel -d order=2"):format(sandbox.key)))
  end)
  it("?shape= and ?language=", function()
    local function ask(query)
      return run(("curl -s -d key=%s -d action=status -d order=3 "):format(sandbox.key)
        .. quoted(sandbox.url .. "?" .. query))
    end
    assert.equal('{"success":false,"data":{"message":"Incorrect order ID"}}', ask "shape=wrapped")
    assert.equal('{"error":"Commande introuvable"}', ask "language=fr")
    assert.equal('{"Error":"Pedido no encontrado"}', ask "shape=capital-keys&language=es")
  end)

  if run "command -v php" ~= "" then
    it("PHP's cURL with an array of POSTFIELDS, which is multipart, and with a query string", function()
      local program = [[
        function ask($post) {
          $ch = curl_init($_SERVER["argv"][1]);
          curl_setopt_array($ch, [CURLOPT_RETURNTRANSFER => 1, CURLOPT_POST => 1, CURLOPT_POSTFIELDS => $post]);
          return curl_exec($ch);
        }
        $fields = ["key" => $_SERVER["argv"][2], "action" => "add", "service" => 2,
          "link" => "https://e.com/p/1?x=1&y=2", "comments" => "a\nb ü\nc\nd\ne\nf\ng\nh\ni\nj"];
        echo ask($fields), " ", ask(http_build_query($fields));
      ]]
      local out = run(("php -r %s %s %s"):format(quoted(program), quoted(sandbox.url), quoted(sandbox.key)))
      assert.matches('^{"order":%d+} {"order":%d+}$', out)
    end)
  end
end)

describe("our client reads", function()
  local sandbox = smmpanel.sandbox {}
  local function panel_with(query)
    return smmpanel.new { url = sandbox.url .. "?" .. query, key = "k", transport = sandbox, retries = 0 }
  end

  local ALL = { "wrapped", "wrapped-status", "list-of-one", "json-string", "capital-keys", "php-money" }
  for _, shape in ipairs(ALL) do
    it(shape, function()
      local panel = panel_with("shape=" .. shape)
      assert.equal("USD", assert(panel:balance()).currency)
      assert.equal(1, assert(panel:services())[1].service)
      assert.equal(0.9, assert(panel:services())[1].rate)
      local made = assert(panel:add { service = 1, link = "https://e.com/" .. shape, quantity = 100 })
      assert.equal("number", type(made.order))
      assert.equal("Partial", assert(panel:status(1)).status)
      assert.equal(0.27819, assert(panel:status(1)).charge)
      assert.equal(3572, assert(panel:status(1)).start_count)
      assert.equal("bad_order", select(2, panel:status(999999)).code)
      local many = panel:status { 1, 2, 999999 }
      assert.same({ "Partial", "In progress", "bad_order" }, { many[1].status, many[2].status, many[999999].code })
      assert.equal("bad_service", select(2, panel:add { service = 99999, link = "x", quantity = 1 }).code)
      assert.is_nil(panel:cancel({ made.order })[made.order].error)
    end)
  end

  it("start_counter, single keys, ids echoed by cancel, and errors in other fields", function()
    assert.equal(3572, assert(panel_with("shape=start-counter"):status(1)).start_count)
    assert.equal("Partial", panel_with("shape=single-keys"):status({ 1, 2 })[1].status)
    local made = assert(panel_with(""):add { service = 1, link = "https://e.com/echo", quantity = 100 })
    assert.is_nil(panel_with("shape=cancel-echo"):cancel({ made.order, 999999 })[made.order].error)
    for _, shape in ipairs { "error-detail", "error-pair", "error-string" } do
      assert.equal("bad_order", select(2, panel_with("shape=" .. shape):status(999999)).code)
    end
  end)

  it("the id of an order that is wrapped, in a list, or next to an error", function()
    local order = { service = 1, link = "https://e.com/id", quantity = 100 }
    assert.equal("number", type(assert(panel_with("shape=add-data-id"):add(order)).order))
    assert.equal("number", type(assert(panel_with("shape=add-orders"):add(order)).order))
    local _, err = panel_with("shape=add-bare-success"):add(order)
    assert.same({ "response", "shape", true }, { err.kind, err.code, err.uncertain })
    _, err = panel_with("shape=error-with-order"):add(order)
    assert.same({ "panel", true, "number" }, { err.kind, err.uncertain, type(err.answer.order) })
  end)

  for _, language in ipairs { "tr", "es", "pt", "ru", "vi", "id", "ar", "fr", "de", "zh", "hi" } do
    it("errors and states in " .. language, function()
      local panel = panel_with("language=" .. language)
      local order = { service = 1, link = "https://e.com/" .. language, quantity = 100 }
      local made = assert(panel:add(order))
      assert.equal("bad_order", select(2, panel:status(999999)).code)
      assert.equal("bad_service", select(2, panel:add { service = 99999, link = "x", quantity = 1 }).code)
      assert.equal("bad_quantity", select(2, panel:add { service = 1, link = "x", quantity = 1 }).code)
      assert.equal("bad_refill", select(2, panel:refill_status(999999)).code)
      assert.equal("not_cancellable", panel:cancel({ 1 })[1].code)
      assert.equal("partial", panel:state(assert(panel:status(1)).status))
      assert.equal("open", panel:state(assert(panel:status(made.order)).status))
      sandbox:advance(60)
      assert.equal("completed", panel:state(assert(panel:status(made.order)).status))
      sandbox:set_balance "0"
      assert.equal("no_funds", select(2, panel:add(order)).code)
      sandbox:set_balance "1000"
    end)
  end

  it("a refill of a canceled order is refused", function()
    local panel = panel_with ""
    local made = assert(panel:add { service = 1, link = "https://e.com/refill", quantity = 100 })
    sandbox:advance(10)
    assert.is_nil(panel:cancel({ made.order })[made.order].error)
    sandbox:advance(60)
    assert.equal("not_refillable", select(2, panel:refill(made.order)).code)
  end)
end)
