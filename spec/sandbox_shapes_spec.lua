-- Every unusual shape of an answer that the sandbox panel can give, and how a list of faults is read.
local faults = require "smmpanel.sandbox.faults"
local new_panel = require "spec.support.sandbox_panel"
local shapes = require "smmpanel.sandbox.shapes"
local system = require "spec.support.system"

describe("a shape", function()
  local ONE = '"charge":"0.27819","start_count":"3572","status":"Partial","remains":"157","currency":"USD"'
  local UNKNOWN = '{"error":"Incorrect order ID"}'
  local SERVICE = '{"service":1,"name":"Followers","type":"Default","category":"First Category",' ..
    '"rate":"0.90","min":"50","max":"10000","refill":true,"cancel":true'
  local MANY = "status&orders=1,3"
  local function flag(yes) return SERVICE:gsub('"refill":.*', '"refill":' .. yes .. ',"cancel":' .. yes) end

  -- The shape as requested, the action, and the beginning of the answer.
  local cases = {
    { "set:status=5", "status&order=1", '{' .. ONE:gsub('"Partial"', "5") .. '}' },
    { "drop:charge", "status&order=1", '{"start_count"' },
    { "rename:charge=cost", "status&order=1", '{"cost":"0.27819","start_count"' },
    { "numbers", "status&order=1",
      '{"charge":0.27819,"start_count":3572,"status":"Partial","remains":157,"currency":"USD"}' },
    { "numbers", "balance", '{"balance":100.84292,"currency":"USD"}' },
    { "numbers", "services", '[' .. SERVICE:gsub('"0.90"', "0.9"):gsub('"(%d+)"', "%1") },
    { "nulls", "status&order=1",
      '{"charge":null,"start_count":null,"status":"Partial","remains":null,"currency":null}' },
    { "counts:+12", "status&order=1", '{' .. ONE:gsub('"3572"', '"+12"'):gsub('"157"', '"+12"') .. '}' },
    { "counts", "status&order=1", '{' .. ONE:gsub('"3572"', '""'):gsub('"157"', '""') .. '}' },
    { "no-currency", "status&order=1", '{' .. ONE:gsub(',"currency":"USD"', "") .. '}' },
    { "success", "balance", '{"balance":"100.84292","currency":"USD","status":"success"}' },
    { "success", "status&order=3", UNKNOWN },
    { "error-null", "balance", '{"balance":"100.84292","currency":"USD","error":null}' },
    { "pretty", "balance", '\n{\n    "balance": "100.84292",\n    "currency": "USD"\n}' },
    { "utf8", "services", '[' .. SERVICE },
    { "services-wrapped", "services", '{"services":[' .. SERVICE },
    { "services-empty-data", "services", '{"status":"success","data":"Empty Data"}' },
    { "services-empty-list", "services", '[]' },
    { "services-empty-object", "services", '{}' },
    { "services-extra", "services", '[' .. SERVICE .. ',"dripfeed":false,"desc":' },
    { "services-other", "services", '[' .. SERVICE .. ',"drip_feed":"1","description":null,' },
    { "services-no-type", "services", '[' .. SERVICE:gsub('"type":"Default",', "") },
    { "services-no-category", "services", '[' .. SERVICE:gsub('"First Category"', "null") },
    { "services-snake", "services", '[' .. SERVICE:gsub("Default", "default") },
    { "services-lower", "services", '[' .. SERVICE:gsub("Default", "default") },
    { "services-text-ids", "services", '[' .. SERVICE:gsub('"service":1', '"service":"1"') },
    { "flags-numbers", "services", '[' .. flag "1" },
    { "flags-digits", "services", '[' .. flag '"1"' },
    { "flags-words", "services", '[' .. flag '"true"' },
    { "flags-three", "services", '[' .. flag "3" },
    { "flags-text", "services", '[' .. flag '"30 days"' },
    { "id:92233720368547758079", "add", '{"order":92233720368547758079}' },
    { "id:opaque", "add", '{"order":"ord_01HG00005BCD"}' },
    { "add-text", "add", '{"order":"23501"}' },
    { "add-extra", "add", '{"status":"success","message":"Order placed","order":23501,"charge":"0.045",' ..
      '"start_count":"0","remaining_balance":"100.79792","currency":"USD"}' },
    { "add-100", "add", '{"status":100,"order":23501}' },
    { "add-no-id", "add", '{"status":"success","message":"Order scheduled"}' },
    { "add-order_id", "add", '{"order_id":23501}' },
    { "add-id", "add", '{"id":23501}' },
    { "order-echoed", "status&order=1", '{' .. ONE .. ',"order":1}' },
    { "order-differs", MANY, '{"1":{' .. ONE .. ',"order":777},"3":' .. UNKNOWN .. '}' },
    { "start-null", "status&order=1", '{' .. ONE:gsub('"3572"', "null") .. '}' },
    { "state:Inprogress", "status&order=1", '{' .. ONE:gsub("Partial", "Inprogress") .. '}' },
    { "states-numbers", "status&order=1", '{' .. ONE:gsub('"Partial"', "3") .. '}' },
    { "states-snake", "status&order=100", '{"charge":"1.44219","start_count":"234","status":"in_progress",' },
    { "status-bare", MANY, '{"1":{' .. ONE .. '},"3":"Incorrect order ID"}' },
    { "status-bare", "status&orders=0,1", '["Incorrect order ID",{' .. ONE .. '}]' },
    { "status-list", MANY, '[{"error":"Incorrect order ID","order":3},{' .. ONE .. ',"order":1}]' },
    { "status-list-no-ids", MANY, '[{' .. ONE .. '},' .. UNKNOWN .. ']' },
    { "status-none", MANY, '[]' },
    { "status-none", "status&order=1", '{' .. ONE .. '}' },
    { "status-php", "status&orders=0,1", '[' .. UNKNOWN .. ',{' .. ONE .. '}]' },
    { "ids-left-out", MANY, '{"1":{' .. ONE .. '}}' },
    { "ids-left-out", "status&orders=3,4", '[]' },
    { "ids-left-out", "cancel&orders=2,3", '[{"order":2,"cancel":1}]' },
    { "ids-cut:1", MANY, '{"1":{' .. ONE .. '}}' },
    { "ids-max:1", MANY, '{"error":"Maximum 1 order IDs in one request"}' },
    { "refill-number", "refill&order=1", '{"refill":1}' },
    { "refill-nested-error", "refill&order=3", '{"refill":' .. UNKNOWN .. '}' },
    { "refill_status-nested-error", "refill_status&refill=7", '{"status":{"error":"Refill not found"}}' },
    { "refill_status-list", "refill_status&refill=1", '[{"refill":1,"status":"Completed"}]',
      "refill&order=1" },
    { "refill_status-keyed", "refill_status&refills=1,7",
      '{"1":{"status":"Completed"},"7":{"error":"Refill not found"}}', "refill&order=1" },
    { "refill_status-prefix", "refill_status&refill=1", '{"status":"tasks.status.completed"}',
      "refill&order=1" },
    { "cancel-keyed", "cancel&orders=2,9", '{"2":{"cancel":"requested"},"9":' .. UNKNOWN .. '}' },
    { "cancel-rows", "cancel&orders=2,9",
      '[{"order":2,"cancel":1},{"order":9,"error":"Incorrect order ID"}]' },
    { "cancel-zero", "cancel&orders=2,9", '[{"order":2,"cancel":1},{"order":9,"cancel":0}]' },
    { "error-msg", "status&order=3", '{"status":"error","msg":"Incorrect order ID"}' },
    { "error-message", "status&order=3", '{"status":"error","message":"Incorrect order ID"}' },
    { "error-reason", "status&order=3", '{"status":"error","reason":"Incorrect order ID"}' },
    { "error-code", "status&order=3", '{"error":"Incorrect order ID","code":"E104"}' },
    { "error-status", "status&order=3", '{"error":"Incorrect order ID","status":"104"}' },
    { "error-errors", "status&order=3", '{"errors":["Incorrect order ID"]}' },
    { "error-in-list", "status&order=3", '[' .. UNKNOWN .. ']' },
    { "error-msg", "balance", '{"balance":"100.84292","currency":"USD"}' },
    { "wrapped", "balance", '{"success":true,"data":{"balance":"100.84292","currency":"USD"}}' },
    { "wrapped", "status&order=3", '{"success":false,"data":{"message":"Incorrect order ID"}}' },
    { "wrapped-status", MANY, '{"status":"success","result":{"1":{' .. ONE .. '},"3":' .. UNKNOWN .. '}}' },
    { "list-of-one", "balance", '[{"balance":"100.84292","currency":"USD"}]' },
    { "list-of-one", "cancel&orders=2,9", '[[{"order":2,"cancel":1},{"order":9,"cancel":' .. UNKNOWN .. '}]]' },
    { "single-keys", MANY, '[{"1":{' .. ONE .. '}},{"3":' .. UNKNOWN .. '}]' },
    { "json-string", "balance", [["{\"balance\":\"100.84292\",\"currency\":\"USD\"}"]] },
    { "capital-keys", "balance", '{"Balance":"100.84292","Currency":"USD"}' },
    { "start-counter", "status&order=1", '{' .. ONE:gsub("start_count", "start_counter") .. '}' },
    { "php-money", "balance", '{"balance":"100.84292","currency":"USD"}' },
    { "add-data-id", "add", '{"status":true,"data":{"id":23501}}' },
    { "add-orders", "add", '{"orders":[23501]}' },
    { "add-bare-success", "add", '{"success":true,"message":"Thank you"}' },
    { "cancel-echo", "cancel&orders=2,9", '[{"order":2,"cancel":2},{"order":9,"cancel":' .. UNKNOWN .. '}]' },
    { "error-detail", "status&order=3", '{"detail":"Incorrect order ID"}' },
    { "error-pair", "status&order=3", '{"error":"E104","message":"Incorrect order ID"}' },
    { "error-string", "status&order=3", '"Incorrect order ID"' },
    { "error-with-order", "add", '{"error":"Could not be saved","order":23501}' },
    { "language:fr", "status&order=3", '{"error":"Commande introuvable"}' },
    { "language:de", "status&order=2",
      '{"charge":"0.9","start_count":"500","status":"In Arbeit","remains":"400","currency":"USD"}' },
    { "localised", MANY, '{"1":{' .. ONE .. '},"3":{"error":"Hatal\\u0131 sipari\\u015f numaras\\u0131"}}' },
  }

  local covered = {}
  for _, case in ipairs(cases) do
    local shape, action, expected, before = case[1], case[2], case[3], case[4]
    covered[shape:match "^[^:]+"] = true
    it(shape .. " for " .. action, function()
      local at = new_panel()
      if before then at.ask("action=" .. before) end
      local fields = action == "add" and "add&service=1&quantity=50&link=x" or action
      local body = at.ask("action=" .. fields, shape)
      local whole = expected:find "[%]}]$"
      assert.equal(expected, whole and body or body:sub(1, #expected))
    end)
  end

  it("each is covered here, and in the README", function()
    local readme = system.read "lua/smmpanel/sandbox/README.md"
    for _, list in ipairs { shapes.list, faults.list } do
      for _, entry in ipairs(list) do
        local row = ("| `%s` | %s |"):format(entry.name, entry.what)
        assert.truthy(readme:find(row, 1, true), "not in the README: " .. row)
      end
    end
    for _, entry in ipairs(shapes.list) do
      assert.is_true(covered[entry.name:match "^[^:]+"], entry.name .. " has no case")
    end
  end)

  it("leaves the documented catalogue unchanged, and combines with others", function()
    local at = new_panel()
    local before = at.ask "action=services"
    at.ask("action=services", "services-wrapped", "numbers", "nulls")
    local expected = '{"services":[{"service":"1","name":"Followers","type":"Default",' ..
      '"category":"First Category","rate":0.9,'
    assert.equal(expected, at.ask("action=services", "services-wrapped", "numbers",
      "services-text-ids"):sub(1, #expected))
    assert.equal(before, at.ask "action=services")
  end)

  it("gives an order the requested id, and finds it by this id", function()
    local at = new_panel()
    assert.equal('{"order":9007199254740993}', at.ask("action=add&service=1&quantity=50&link=x",
      "id:9007199254740993"))
    assert.truthy(at.status "9007199254740993":find "Pending")
  end)
end)

describe("a list of faults", function()
  local function plan(text, counts)
    local specs, problem = faults.parse(text)
    assert.is_nil(problem)
    return assert(faults.plan(faults.due(specs, counts or {})))
  end

  it("is read with arguments and counts", function()
    local made = plan "latency:0.3,cut:10,bom,numbers,set:remains=%221%2C5%22"
    assert.equal(0.3, made.latency)
    assert.same({ "cut", 10 }, { made.way, made.pace })
    assert.same({ "\239\187\191" }, made.before)
    assert.same({ { name = "numbers" }, { name = "set", arg = 'remains="1,5"' } }, made.shapes)
    assert.same({}, plan(nil).shapes)
    assert.equal("a,b", plan("error:a%2Cb").answer.body:match '"error":"(.*)"')
    assert.equal(503, plan("503-html").answer.status)
    assert.equal("text/html; charset=UTF-8", plan("503-html").answer.type)
    assert.equal("", plan("500-empty").answer.body)
  end)

  it("applies by its own count", function()
    local counts, seen = {}, {}
    for i = 1, 6 do
      local made = plan("500@2,html@4-5,bom@6-", counts)
      seen[i] = made.answer and made.answer.status or #made.before
    end
    assert.same({ 500, 500, 0, 200, 200, 1 }, seen)
  end)

  it("is refused if it names an unknown fault", function()
    for _, text in ipairs { "nosuch", "500-jpeg", "600", "CODE", "lost@x", "lost@" } do
      local specs, problem = faults.parse(text)
      assert.same({}, specs)
      assert.truthy(problem:find "unknown fault", text)
    end
    local _, problem = faults.parse "lost@1-2-3"
    assert.equal("@1-2-3 is not a range of requests: write @2, @3-5 or @3-", problem)
    local made
    made, problem = faults.plan((faults.parse "latency:soon"))
    assert.is_nil(made)
    assert.equal("latency:soon: soon is not a number", problem)
    _, problem = faults.plan((faults.parse "status"))
    assert.equal("status: a number is needed", problem)
  end)

  it("has a rate limit by the clock", function()
    local windows, limit = {}, { count = 2, seconds = 10 }
    local headers, refused = faults.limited(windows, "a", limit, 100)
    assert.is_false(refused)
    assert.same({ ["X-RateLimit-Limit"] = "2", ["X-RateLimit-Remaining"] = "1",
                  ["X-RateLimit-Reset"] = "110" }, headers)
    assert.is_false(select(2, faults.limited(windows, "a", limit, 101)))
    headers, refused = faults.limited(windows, "a", limit, 103.5)
    assert.is_true(refused)
    assert.equal("7", headers["Retry-After"])
    assert.is_false(select(2, faults.limited(windows, "b", limit, 103.5)))
    assert.is_false(select(2, faults.limited(windows, "a", limit, 110)))
  end)
end)
