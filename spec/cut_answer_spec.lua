-- An answer that ends badly after a complete document: the write stays uncertain, and the panel's data is not lost.
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"

local LENGTH_TOO_LARGE = "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"
local ENDS = { cut = {}, reset = { 0.2, raw.RESET }, timeout = { raw.WAIT } }

describe("an answer that is lost after a complete document", function()
  local server
  setup(function() server = raw.start() end)
  teardown(function() server.stop() end)

  -- Makes a panel that answers `body` and then ends as `code` says.
  local function panel(body, code)
    local steps = { LENGTH_TOO_LARGE .. body }
    for _, step in ipairs(ENDS[code]) do steps[#steps + 1] = step end
    return smmpanel.new { url = server.url(steps), key = "a-secret-key", timeout = code == "timeout" and 0.6 or 20 }
  end

  local order = { service = 1, link = "https://x.example", quantity = 1 }

  for code in pairs(ENDS) do
    it("lost the order's id: " .. code, function()
      local made, err = panel('{"order":"23501","charge":"0.27"}', code):add(order)
      assert.is_nil(made)
      assert.equal(code, err.code, tostring(err))
      assert.is_true(err.uncertain)
      assert.same({ order = 23501, charge = 0.27 }, err.answer)
    end)
  end

  it("keeps the ids of refills and cancels, one and several", function()
    local _, err = panel('{"refill":"7"}', "cut"):refill(5)
    assert.same({ true, { order = 5, refill = 7 } }, { err.uncertain, err.answer })
    _, err = panel('{"cancel":1}', "cut"):cancel(5)
    assert.same({ true, { order = 5, cancel = 1 } }, { err.uncertain, err.answer })
    local entries
    entries, err = panel('[{"order":5,"refill":7},{"order":6,"refill":{"error":"Refill is disabled a-secret-key"}}]',
      "cut"):refill { 5, 6 }
    assert.equal("cut", err.code)
    assert.is_true(entries[5].uncertain)
    assert.same({ order = 5, refill = 7 }, entries[5].answer)
    assert.is_nil(entries[6].answer.error:find("a-secret", 1, true))
  end)

  it("has no answer if the document is incomplete, missing, or has no record", function()
    local bodies = { "", "{", '{"order":23501', "23501", '"23501"', "[]", '{"error":"Not enough funds"}', "x" }
    for _, body in ipairs(bodies) do
      local made, err = panel(body, "cut"):add(order)
      assert.is_nil(made)
      assert.same({ "cut", true }, { err.code, err.uncertain }, body)
      assert.is_nil(err.answer, body)
    end
  end)

  it("is not an answer to a read", function()
    local value, err = panel('{"balance":"1.5"}', "timeout"):balance()
    assert.is_nil(value)
    assert.equal("timeout", err.code)
    assert.is_nil(err.answer)
  end)
end)

-- With the option `transport`, answers are interpreted as over the network.
describe("an answer in the process", function()
  local function panel(answer, failure)
    return smmpanel.new { url = "https://panel.example/api", key = "a-secret-key", transport = function()
      return answer, failure
    end }
  end

  it("that fails after a complete document keeps the record", function()
    local made, err = panel(nil, { code = "cut", message = "cut", status = 200, body = '{"order":23501}' }):add {
      service = 1, link = "https://x.example", quantity = 1 }
    assert.is_nil(made)
    assert.same({ "cut", true, { order = 23501 } }, { err.code, err.uncertain, err.answer })
  end)

  it("beyond a limit is too_large", function()
    local value, err = panel({ status = 200, body = "[" .. ("1"):rep(2000) .. "]" }):balance()
    assert.is_nil(value)
    assert.same({ "response", "too_large" }, { err.kind, err.code })
    assert.truthy(err.message:find("a number of more than", 1, true), err.message)
  end)
end)
