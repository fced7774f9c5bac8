-- PROTOCOL, action by action: every documented and every seen shape becomes the documented record, or an error.
local support = require "spec.support.answers"

local read, gives, fails = support.read, support.gives, support.fails

describe("PROTOCOL 'services':", function()
  it("a list", function()
    gives({ { service = 1, name = "A", rate = 0.9, min = 50, max = 10000, refill = true, cancel = false } },
      "services", nil,
        [[[{"service":"1","name":"A","rate":"0.90","min":"50","max":"10000","refill":true,"cancel":"0"}]
    ]])
  end)
  it("a list wrapped in an object, a list with holes, a filtered list", function()
    local expected = { { service = 1 }, { service = 2 } }
    gives(expected, "services", nil, '{"services":[{"service":1},{"service":"2"}]}')
    gives(expected, "services", nil, '[null,{"service":1},null,{"service":2}]')
    gives(expected, "services", nil, '{"10":{"service":2},"9":{"service":1}}')
  end)
  it("an empty catalogue", function()
    for _, json in ipairs { "[]", "{}", '{"status":"success","data":"Empty Data"}', '{"services":[]}',
      '{"status":"success","data":[]}' } do
      gives({}, "services", nil, json)
    end
  end)
  it("nulls are absent, category too", function()
    gives({ { service = 3, name = "x" } }, "services", nil,
      '[{"service":"3","name":"x","category":null,"rate":null,"min":null,"max":""}]')
  end)
  it("under other names, wrapped, by category, with the name in `service`", function()
    gives({ { service = 1, sid = 1, name = "n", layanan = "n", rate = 1.5, price = 1.5, min = 5, max = 10 } },
      "services", nil, '{"status":true,"data":[{"sid":"1","layanan":"n","price":"1.5","min":5,"max":10}]}')
    gives({ { service = 12, id = 12, name = "Followers S1" } }, "services", nil,
      '[{"id":"12","service":"Followers S1"}]')
    gives({ { service = 1, name = "a", category = "IG" }, { service = 2, name = "b", category = "TT" } }, "services",
      nil, '{"TT":[{"service":2,"name":"b"}],"IG":[{"service":1,"name":"a"}]}')
  end)
  it("an answer that is not a catalogue is an error", function()
    for _, json in ipairs { '{"status":"success"}', '{"balance":"1"}', "[1,2]", '["a"]', '[{"name":"x"}]',
      '"text"',
      "5", "true", '{"services":{"a":1}}', '{"status":"success","data":"Full"}' } do
      fails("response", "shape", "services", nil, json)
    end
    fails("panel", "invalid_key", "services", nil, '[{"error":"Invalid API key"}]')
  end)
end)

describe("PROTOCOL 'add', the answer:", function()
  it("an order id in every seen form", function()
    gives({ order = 23501 }, "add", nil, '{"order": 23501}')
    gives({ order = 23501 }, "add", nil, '{"order": "23501"}')
    gives({ order = "ord_01HG" }, "add", nil, '{"order":"ord_01HG"}')
    gives({ status = 100, order = 5 }, "add", nil, '{"status":100,"order":5}')
    gives({ order = 5, order_id = 5 }, "add", nil, '{"order_id":"5"}')
    gives({ order = 5, id = 5, status = "success" }, "add", nil, '{"status":"success","id":5}')
    gives({ order = 5 }, "add", nil, '[{"order":5}]')
    gives({ order = 5, status = "success", charge = 0.9, start_count = 10, currency = "USD",
      message = "made" }, "add",
      nil, '{"status":"success","order":5,"charge":"0.9","start_count":"10",'
        .. '"currency":"USD","message":"made"}')
    gives({ order = 5, status = "Pending" }, "add", nil, '{"order":5,"status":"Pending","error":null}')
  end)
  it("success without an id: a scheduled order", function()
    gives({ status = "success", message = "scheduled" }, "add", nil,
      '{"status":"success","message":"scheduled"}')
    gives({ success = true, msg = "Đơn hàng đã được lên lịch" }, "add", nil,
      '{"success":true,"msg":"Đơn hàng đã được lên lịch"}')
    fails("response", "shape", "add", nil, '{"status":"success","order":null}')
    fails("response", "shape", "add", nil, '{"success":true,"message":"Order created"}')
  end)
  it("several orders of one request", function()
    gives({ order = 501, orders = { 501, 502 } }, "add", nil, '{"orders":[501,502]}')
    gives({ order = 501, orders = { 501, 502 } }, "add", nil, '{"order":"501,502"}')
    gives({ order = 5, orders = { 5, 6 } }, "add", nil, '[{"order":5},{"order":6}]')
    gives({ order = 5 }, "add", nil, '{"order":[5]}')
  end)
  it("an id in wrappers, under other names, or a sentence in its place", function()
    gives({ order = 5, id = 5 }, "add", nil, '{"status":true,"data":{"id":"5"}}')
    gives({ order = 5, orderId = 5 }, "add", nil, '{"response":[{"orderId":5}]}')
    gives({ order = 5, Order = 5 }, "add", nil, '{"Order":"5"}')
    gives({ order = 5 }, "add", nil, '{"order":{"id":5}}')
    fails("panel", "no_funds", "add", nil, '{"order":"Insufficient balance"}')
    fails("panel", "no_funds", "add", nil, '{"error":{"code":"insufficient_funds","message":"Top up"}}')
    fails("panel", "no_funds", "add", nil, '"Insufficient balance"')
  end)
  it("a value that is neither an id nor a refusal is an error", function()
    for _, json in ipairs { "{}", "[]", '{"status":100}', '{"status":"pending"}', '{"order":0}',
      '{"order":-1}',
      '{"order":true}', '{"order":1.5}', '{"order":"not now"}', '{"order":""}', '{"order":{"x":1}}',
      '[{"order":5},{"order":0}]', '"5"', "5", '{"message":"made?"}' } do
      fails("response", "shape", "add", nil, json)
    end
  end)
  it("a refusal that also names an order id is uncertain", function()
    assert.is_true(fails("panel", "no_funds", "add", nil, '{"order":5,"error":"Not enough funds"}').uncertain)
    assert.is_nil(fails("panel", "no_funds", "add", nil, '{"error":"Not enough funds"}').uncertain)
    fails("panel", "no_funds", "add", nil, '{"order":{"error":"Not enough funds"}}')
  end)
end)

describe("PROTOCOL 'status', one:", function()
  local one = { charge = 0.27819, start_count = 3572, status = "Partial", remains = 157, currency = "USD" }
  local json = '"charge":"0.27819","start_count":"3572","status":"Partial","remains":"157","currency":"USD"'
  it("the documented record", function()
    gives(one, "status", "1", "{" .. json .. "}")
    gives(one, "status", "1", '{"1":{' .. json .. "}}")
    gives(one, "status", "1", "[{" .. json .. "}]")
  end)
  it("with order, without currency, with nulls", function()
    gives({ order = 7, status = "Pending" }, "status", "7",
      '{"order":"7","status":"Pending","start_count":null}')
    gives({ charge = 0.9, remains = 0 }, "status", "7", '{"charge":0.9,"remains":0,"status":null}')
  end)
  it("a record that names another order keeps that id", function()
    gives({ order = 8, status = "Pending" }, "status", "7", '{"order":"8","status":"Pending"}')
    gives({ order = 8, status = "Pending" }, "status", "7", '{"7":{"order":"8","status":"Pending"}}')
  end)
  it("a subscription, a drip-feed", function()
    gives({ status = "Active", expiry = true, posts = 10, orders = { 1101, 1102 } }, "status", "7",
      '{"status":"Active","expiry":true,"posts":"10","orders":["1101","1102"]}')
    gives({ status = "In progress", runs = 5, orders = { 1103 } }, "status", "7",
      '{"status":"In progress","runs":"5","orders":["1103"]}')
  end)
  it("a state that is a number", function()
    gives({ status = 2 }, "status", "7", '{"status":2}')
    gives({ status = "2" }, "status", "7", '{"status":"2"}')
  end)
  it("status Error together with charge or remains is a record", function()
    gives({ status = "Error", charge = 0 }, "status", "7", '{"status":"Error","charge":"0"}')
    gives({ status = "Fail", remains = 5, message = "x" }, "status", "7",
      '{"status":"Fail","remains":5,"message":"x"}')
  end)
  it("status error alone is neither a record nor a refusal", function()
    fails("response", "shape", "status", "7", '{"status":"Error"}')
    fails("panel", "bad_order", "status", "7", '{"status":"error","msg":"Order not found"}')
  end)
  it("an unknown id, as an object, in a list of one, or as a text", function()
    for _, json_error in ipairs { '{"error":"Incorrect order ID"}', '[{"error":"Incorrect order ID"}]',
      '["Incorrect order ID"]', '{"7":"Incorrect order ID"}', '{"7":{"error":"Incorrect order ID"}}',
      '[{"order":7,"error":"Incorrect order ID"}]', '{"status":{"error":"Incorrect order ID"}}' } do
      assert.equal("Incorrect order ID", fails("panel", "bad_order", "status", "7", json_error).text)
    end
  end)
  it("an answer that is not a status is an error", function()
    for _, json_odd in ipairs { '{"balance":"1"}', '{"order":7}', '{"status":true}', '{"status":{"x":1}}',
      '"Pending"',
      '["Pending"]', "5", '[{"order":8,"status":"Pending"}]', '[{"status":"a"},{"status":"b"}]', "[[1]]",
      '[{"order":7,"status":"a"},{"order":7,"status":"b"}]' } do
      fails("response", "shape", "status", "7", json_odd)
    end
    fails("response", "missing", "status", "7", "[]")
    fails("response", "missing", "status", "7", '{}')
  end)
end)

describe("PROTOCOL 'status', many:", function()
  local bad = { error = "Incorrect order ID", code = "bad_order" }
  local missing = { error = "the panel left this id out of its answer", code = "missing" }
  local pending = { status = "Pending" }

  it("an object keyed by id", function()
    gives({ ["1"] = pending, ["10"] = bad, ["100"] = bad }, "status", { "1", "10", "100" },
      '{"1":{"status":"Pending"},"10":{"error":"Incorrect order ID"},"100":"Incorrect order ID",'
        .. '"7":{"status":"x"}}')
  end)
  it("unknown ids left out, no known id", function()
    gives({ ["1"] = pending, ["10"] = missing }, "status", { "1", "10" }, '{"1":{"status":"Pending"}}')
    gives({ ["1"] = missing, ["10"] = missing }, "status", { "1", "10" }, "[]")
    gives({ ["1"] = pending, ["10"] = missing }, "status", { "1", "10" },
      '{"1":{"status":"Pending"},"10":null}')
  end)
  it("a list whose rows have the ids, in any order", function()
    gives({ ["1"] = { order = 1, status = "a" }, ["10"] = { error = "Incorrect order ID",
      code = "bad_order" },
      ["x"] = { order = "x", status = "b" } }, "status", { "1", "10", "x" },
      '[{"order":"x","status":"b"},{"order":10,"error":"Incorrect order ID"},'
        .. 'null,{"order":"1","status":"a"}]')
  end)
  it("a list of texts or of records, if the ids count from 0", function()
    gives({ ["0"] = bad, ["1"] = bad, ["2"] = bad }, "status", { "0", "1", "2" },
      '["Incorrect order ID","Incorrect order ID","Incorrect order ID"]')
    gives({ ["1"] = { status = "b" }, ["0"] = { status = "a" } }, "status", { "1", "0" },
      '[{"status":"a"},{"status":"b"}]')
  end)
  it("a list without ids is an error, not a guess", function()
    fails("response", "shape", "status", { "1", "2" }, '[{"status":"a"},{"status":"b"}]')
    fails("response", "shape", "status", { "1", "2" }, '["Incorrect order ID","Incorrect order ID"]')
    fails("response", "shape", "status", { "0", "1", "2" }, '["Incorrect order ID","Incorrect order ID"]')
    fails("response", "shape", "status", { "0", "2" }, '[{"status":"a"},{"status":"b"}]')
  end)
  it("an answer about other ids is an error", function()
    fails("response", "shape", "status", { "1", "2" }, '[{"order":3,"status":"a"}]')
    fails("response", "shape", "status", { "1", "2" }, '{"3":{"status":"a"}}')
    fails("response", "shape", "status", { "1", "2" }, '{"status":"Pending","charge":"1"}')
  end)
  it("two records for one id are an error for it, and one record is enough for the others", function()
    local entries = read("status", { "1", "2" },
      '[{"order":1,"status":"a"},{"order":1,"status":"b"},{"order":2,"status":"c"}]')
    assert.equal("shape", entries["1"].code)
    assert.equal("c", entries["2"].status)
  end)
  it("an error at the top applies to the whole request", function()
    fails("panel", "bad_order", "status", { "1", "2" }, '{"error":"Order not found.","status":"104"}')
    fails("panel", "rate_limited", "status", { "1", "2" }, '{"status":"error","message":"Too many requests"}')
  end)
  it("one id requested as a list is answered as one", function()
    gives({ ["1"] = { status = "Pending", charge = 1 } }, "status", { "1" },
      '{"status":"Pending","charge":"1"}')
  end)
end)

describe("PROTOCOL 'refill':", function()
  it("one", function()
    gives({ order = 1, refill = 1 }, "refill", "1", '{"refill":"1"}')
    gives({ order = 1, refill = 7 }, "refill", "1", '{"refill":7}')
    gives({ order = "ord_1", refill = "ref_7" }, "refill", "ord_1", '{"refill":"ref_7"}')
    gives({ order = 1, refill = 7 }, "refill", "1", '[{"order":1,"refill":7}]')
    fails("panel", "not_refillable", "refill", "1", '{"refill":{"error":"Refill is disabled"}}')
    fails("panel", "bad_request", "refill", "1", '{"error":"This action is Invalid"}')
  end)
  it("many", function()
    gives({ ["1"] = { order = 1, refill = 1 }, ["2"] = { order = 2, refill = 2 },
      ["3"] = { order = 3, error = "Incorrect order ID", code = "bad_order" } }, "refill", { "1", "2", "3" },
      '[{"order":1,"refill":1},{"order":2,"refill":"2"},{"order":3,"refill":{"error":"Incorrect order ID"}}]')
    gives({ ["1"] = { order = 1, refill = 5 } }, "refill", { "1" }, '{"1":{"refill":5}}')
  end)
  it("a missing id, and a value that is not a refill, may have been carried out", function()
    gives({ ["1"] = { order = 1, refill = 1 }, ["2"] = { order = 2, code = "missing", uncertain = true,
      error = "the panel left this id out of its answer" } }, "refill", { "1", "2" },
        '[{"order":1,"refill":1}]')
    for _, json in ipairs { '{"refill":true}', '{"refill":1.5}', '{"refill":"it was asked"}',
      '{"status":"success"}',
      '{"refill":[1]}', '{"refill":-1}' } do
      fails("response", "shape", "refill", "1", json)
    end
  end)
  it("0 or false is a refusal", function()
    fails("panel", "unknown", "refill", "1", '{"refill":0}')
    fails("panel", "not_refillable", "refill", "1", '{"refill":false,"message":"Refill is disabled"}')
  end)
end)

describe("PROTOCOL 'refill_status':", function()
  it("one", function()
    gives({ refill = 1, status = "Completed" }, "refill_status", "1", '{"status":"Completed"}')
    gives({ refill = 1, status = "Completed" }, "refill_status", "1", '[{"status":"Completed"}]')
    gives({ refill = 1, status = "Error" }, "refill_status", "1", '{"status":"Error"}')
    fails("panel", "bad_refill", "refill_status", "1", '{"status":{"error":"Refill not found"}}')
    for _, name in ipairs { "status", "refill_status", "Status" } do
      fails("panel", "bad_refill", "refill_status", "1", ('{"%s":"error","message":"Refill not found"}'):format(name))
    end
    fails("response", "shape", "refill_status", "1", '{"refill":1}')
    fails("response", "shape", "refill_status", "1", '{"1":"Completed"}')
  end)
  it("many", function()
    local expected = { ["1"] = { refill = 1, status = "Completed" },
      ["3"] = { refill = 3, error = "Refill not found", code = "bad_refill" } }
    gives(expected, "refill_status", { "1", "3" },
      '[{"refill":1,"status":"Completed"},{"refill":3,"status":{"error":"Refill not found"}}]')
    gives(expected, "refill_status", { "1", "3" },
      '{"3":{"status":{"error":"Refill not found"}},"1":{"status":"Completed"}}')
  end)
end)

describe("PROTOCOL 'cancel':", function()
  it("documented", function()
    gives({ ["9"] = { order = 9, error = "Incorrect order ID", code = "bad_order" },
      ["2"] = { order = 2, cancel = 1 } }, "cancel", { "9", "2" },
      '[{"order":9,"cancel":{"error":"Incorrect order ID"}},{"order":2,"cancel":1}]')
    gives({ order = 2, cancel = 1 }, "cancel", "2", '[{"order":2,"cancel":1}]')
  end)
  it("an object keyed by id", function()
    gives({ ["4218"] = { order = 4218, cancel = "requested" }, ["4219"] = { order = 4219, error = "no",
      code = "unknown" } },
      "cancel", { "4218", "4219" }, '{"4218":{"cancel":"requested"},"4219":{"error":"no"}}')
  end)
  it("rows with an error", function()
    gives({ ["1"] = { order = 1, error = "Cannot cancel", code = "not_cancellable" } }, "cancel", { "1" },
      '[{"order":1,"error":"Cannot cancel"}]')
  end)
  it("0 is a failure", function()
    for _, no in ipairs { "0", '"0"', "false" } do
      fails("panel", "unknown", "cancel", "1", '[{"order":1,"cancel":' .. no .. "}]")
    end
  end)
  it("a value that is neither yes nor no is an error", function()
    for _, odd in ipairs { '"maybe"', "-1", "[1]", '"-1"' } do
      fails("response", "shape", "cancel", "1", '[{"order":1,"cancel":' .. odd .. "}]")
    end
    fails("response", "shape", "cancel", "1", '[{"order":1,"status":"success"}]')
  end)
end)

describe("PROTOCOL 'balance':", function()
  it("in every seen form", function()
    gives({ balance = 100.84292, currency = "USD" }, "balance", nil,
      '{"balance":"100.84292","currency":"USD"}')
    gives({ balance = 100.84292 }, "balance", nil, '{"balance":100.84292}')
    gives({ balance = 0, status = "success" }, "balance", nil, '{"status":"success","balance":0}')
    gives({ currency = "USD", status = "success" }, "balance", nil,
      '{"status":"success","balance":null,"currency":"USD"}')
  end)
  it("all else is an error", function()
    for _, json in ipairs { "{}", "[]", "5", '"5"', '{"status":"success"}', '{"balance":{"USD":1}}',
      '[{"balance":1},{"balance":2}]' } do
      fails("response", "shape", "balance", nil, json)
    end
  end)
end)
