-- PROTOCOL, for every action: which answers are errors, of which kind, and when a request may have been carried out.
local answers = require "smmpanel.api.answers"
local support = require "spec.support.answers"
local verdict = require "smmpanel.api.response"

local decode, read, fails = support.decode, support.read, support.fails

describe("PROTOCOL 'Errors', at the top:", function()
  local said = { "{\"error\":%s}", '{"status":"error","msg":%s}', '{"status":"fail","message":%s}',
    '{"status":"error","reason":%s}', '{"error":%s,"code":105}', '{"error":%s,"status":105}',
      '{"errors":[%s]}',
    '{"error":{"message":%s}}', '{"error":true,"message":%s}', '{"errors":{"link":[%s]}}',
    '{"success":false,"message":%s}', '{"error":[%s]}', '{"error":5,"message":%s}',
      '{"status":false,"msg":%s}' }
  for _, shape in ipairs(said) do
    it(shape:format '"text"', function()
      for _, action in ipairs { "services", "balance", "add", "mine" } do
        local _, failure = answers.read(action, nil, decode(action, shape:format '"Invalid API key"'),
          { raw = action == "mine" })
        assert.same({ "panel", "invalid_key", "Invalid API key" }, { failure.kind, failure.code,
          failure.text })
      end
      for _, action in ipairs { "status", "refill", "refill_status", "cancel" } do
        assert.equal("Invalid API key", fails("panel", "invalid_key", action, "1",
          shape:format '"Invalid API key"').text)
        fails("panel", "invalid_key", action, { "1", "2" }, shape:format '"Invalid API key"')
      end
    end)
  end
  it("several texts are joined in a stable order", function()
    assert.equal("one; two; three", fails("panel", "unknown", "balance", nil,
      '{"errors":{"b":"three","a":["one","two"]}}').text)
  end)
  it("null, false, \"\", 0 and an empty list are not errors", function()
    for _, none in ipairs { "null", "false", '""', "0" } do
      local record, failure = read("balance", nil, ('{"balance":"1","error":%s}'):format(none))
      assert.is_nil(failure)
      assert.equal(1, record.balance)
    end
    assert.equal(5, read("add", nil, '{"order":5,"errors":[],"error":null}').order)
  end)
end)

describe("PROTOCOL 'Transport', first the body, then the status:", function()
  local function of(call, outcome)
    local all = { code = "", http_status = 200, json = "whole", sent = true }
    for name, value in pairs(outcome) do all[name] = value end
    return verdict.of(call, all, function(s) return (s:gsub("K3Y", "***")) end)
  end
  local BALANCE = { action = "balance", write = false }
  local ADD = { action = "add", write = true }

  local function err_of(call, outcome)
    local record, err = of(call, outcome)
    assert.is_nil(record)
    return err
  end

  it("a record or a refusal counts with any status", function()
    for _, status in ipairs { 200, 201, 400, 500 } do
      assert.same({ order = 5 }, of(ADD, { http_status = status, value = { order = 5 } }))
      local err = err_of(BALANCE, { http_status = status, value = { error = "Invalid API key" } })
      assert.same({ "panel", "invalid_key", status }, { err.kind, err.code, err.http_status })
    end
  end)
  it("a text under an HTTP error is the panel's refusal", function()
    local err = err_of(BALANCE, { http_status = 429, value = { message = "Too Many Attempts." },
      retry_after = 7 })
    assert.same({ "panel", "rate_limited", "Too Many Attempts.", 7 },
      { err.kind, err.code, err.message, err.retry_after })
    assert.equal("rate_limited", err_of(BALANCE, { http_status = 429, value = { error = "Yavaş" } }).code)
    assert.equal("panel", err_of(BALANCE, { value = { message = "Too Many Attempts." } }).kind)
    assert.equal("response", err_of(BALANCE, { value = { message = "Welcome" } }).kind)
  end)
  it("an HTTP error without a usable body has the kind http", function()
    for status, code in pairs { [500] = "server_error", [404] = "not_found", [429] = "rate_limited" } do
      for _, body in ipairs { { json = "broken", excerpt = "<html>" }, { json = "empty" }, { json = "null" },
        { value = {} }, { value = { x = 1 } }, { value = "x" } } do
        body.http_status = status
        local err = err_of(BALANCE, body)
        assert.same({ "http", code, status }, { err.kind, err.code, err.http_status })
      end
    end
    assert.equal("http", err_of({ action = "services", write = false }, { http_status = 404,
      value = {} }).kind)
    assert.equal("http", err_of({ action = "mine", raw = true }, { http_status = 404,
      value = { x = 1 } }).kind)
  end)
  it("the error for a missing address asks whether the url is complete", function()
    local err = err_of(BALANCE, { http_status = 404, json = "broken", excerpt = "<html>" })
    assert.is_truthy(err.message:find("HTTP 404 (is the url complete?)", 1, true))
  end)
  it("the error for a redirect says that it is not followed", function()
    local err = err_of(BALANCE, { http_status = 303, json = "empty" })
    assert.same({ "http", "redirect" }, { err.kind, err.code })
    assert.is_truthy(err.message:find("not followed", 1, true))
  end)
  it("with status 200, a body that is not a document has the kind response", function()
    assert.equal("empty", err_of(BALANCE, { json = "empty" }).code)
    assert.equal("null", err_of(BALANCE, { json = "null" }).code)
    local err = err_of(BALANCE, { json = "broken", json_error = "no JSON in it",
      excerpt = "SQLSTATE[HY000] K3Y" })
    assert.same({ "response", "not_json" }, { err.kind, err.code })
    assert.equal("the answer is not JSON (no JSON in it): SQLSTATE[HY000] ***", err.message)
  end)
  it("hides the key in entries too", function()
    local many = of({ action = "status", asked = { "1", "2" }, write = false },
      { value = { ["1"] = "bad key K3Y", ["2"] = { status = "Pending" } } })
    assert.same({ "bad key ***", "Pending" }, { many["1"].error, many["2"].status })
  end)

  describe("a write is uncertain", function()
    local function uncertain(outcome) return err_of(ADD, outcome).uncertain end

    it("when its answer is late, cut, lost, empty, null, HTML, of an unknown shape, or a 5xx", function()
      for _, word in ipairs { "timeout", "cut", "reset", "too_large", "encoding", "protocol", "cancelled" } do
        assert.is_true(uncertain { code = word, sent = true, http_status = 0 })
      end
      assert.is_true(uncertain { json = "empty" })
      assert.is_true(uncertain { json = "null" })
      assert.is_true(uncertain { json = "broken" })
      assert.is_true(uncertain { value = { x = 1 } })
      assert.is_true(uncertain { http_status = 500, json = "broken" })
      assert.is_true(uncertain { http_status = 500, value = { error = "Server Error" } })
      assert.is_true(uncertain { http_status = 303, json = "empty" })
      assert.is_true(uncertain { value = { error = "x", order = 5 } })
    end)
    it("not when it was not sent, was refused in words, or for its rate", function()
      for _, word in ipairs { "resolve", "connect", "tls", "timeout", "cancelled", "busy" } do
        assert.is_nil(uncertain { code = word, sent = false, http_status = 0 })
      end
      assert.is_nil(uncertain { value = { error = "Not enough funds" } })
      for _, status in ipairs { 401, 403, 404, 405, 413, 414, 415, 429, 431, 501 } do
        assert.is_nil(uncertain { http_status = status, json = "broken", excerpt = "<html>" })
      end
      assert.is_nil(uncertain { http_status = 422, value = { error = "Not enough funds" } })
      assert.is_nil(uncertain { http_status = 429, json = "broken" })
      assert.is_nil(uncertain { http_status = 429, value = { message = "Too Many Attempts." } })
    end)
    it("a read never is", function()
      assert.is_nil(err_of(BALANCE, { code = "timeout", sent = true, http_status = 0 }).uncertain)
      assert.is_nil(err_of(BALANCE, { http_status = 500, json = "empty" }).uncertain)
    end)
  end)
end)
