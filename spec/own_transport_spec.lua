-- The option `transport`: answers in pieces, and decoders that are used again for later answers.
local core = require "smmpanel.core"
local schemas = require "smmpanel.api.schemas"
local smmpanel = require "smmpanel"

local unpack = table.unpack or unpack

-- Returns a panel whose answers have these pieces as their body, and end with the failure, if one is given.
local function panel_of(pieces, failure, more)
  local given = { url = "http://127.0.0.1:1/", key = "K", retries = 0, transport = function()
    local at = 0
    return { status = 200, body = function()
      at = at + 1
      if pieces[at] then return pieces[at] end
      return nil, failure
    end }
  end }
  for name, value in pairs(more or {}) do given[name] = value end
  return smmpanel.new(given)
end

describe("a transport whose answer arrives in pieces", function()
  local CUT = { code = "cut", message = "the line broke" }

  it("is read as one answer", function()
    assert.equal(1.5, panel_of({ '{"bal', 'ance":"1', '.5"}' }):balance().balance)
    assert.equal("empty", select(2, panel_of({}):balance()).code)
  end)

  it("is not read as an answer if it ends with a failure, and a write is then uncertain", function()
    local value, err = panel_of({ '{"balance":"1.5"}' }, CUT):balance()
    assert.is_nil(value)
    assert.same({ "network", "cut", "the line broke" }, { err.kind, err.code, (err.message:gsub("^.-: ", "")) })
    value, err = panel_of({ '{"order":23501}' }, CUT):add { service = 1, link = "x", quantity = 1 }
    assert.is_nil(value)
    assert.is_true(err.uncertain)
    assert.equal("23501", tostring(err.answer.order))
  end)

  it("is read up to max_body, which the transport knows", function()
    local asked
    local value, err = panel_of({ ("x"):rep(1000), ("x"):rep(1000) }, nil, { max_body = 1500 }):balance()
    assert.is_nil(value)
    assert.equal("too_large", err.code)
    smmpanel.new { url = "http://127.0.0.1:1/", key = "K", max_body = 1500, transport = function(request)
      asked = request.max_body
      return { status = 200, body = "{}" }
    end }:balance()
    assert.equal(1500, asked)
  end)
end)

-- The order may have been made by then: after a throw, the caller would not learn that.
describe("a transport that returns what it should not", function()
  local order = { service = 1, link = "x", quantity = 1 }
  local calls

  local function add(...)
    local given, count = { ... }, select("#", ...)
    calls = 0
    return smmpanel.new { url = "http://127.0.0.1:1/", key = "K", retries = 2, timeout = 1, transport = function()
      calls = calls + 1
      return unpack(given, 1, count)
    end }:add(order)
  end

  it("threw for a status that is not a number", function()
    assert.equal(7, (assert(add { status = "200", body = '{"order":7}' }).order))
    local _, err = add { status = "502", body = "oops" }
    assert.same({ "server_error", true, 502 }, { err.code, err.uncertain, err.http_status })
    for _, status in ipairs { "OK", {}, true } do
      assert.equal(7, (assert(add { status = status, body = '{"order":7}' }).order))
    end
  end)

  it("threw for a failure whose code or message is not a string, or took it as an answer", function()
    for _, failure in ipairs { { code = 42 }, { code = false }, { code = "" }, {}, { code = "reset", message = 12 },
      { code = "reset", message = {} } } do
      local value, err = add(nil, failure)
      assert.is_nil(value)
      assert.same({ "network", failure.code == "reset" and "reset" or "transport", true, 1 },
        { err.kind, err.code, err.uncertain, calls })
    end
  end)

  it("took an answer as complete that had ended with a failure without a code", function()
    for _, failure in ipairs { "timeout", {}, { code = 42 }, { code = "" }, { code = "reset", sent = false } } do
      local value, err = panel_of({ '{"order":7}' }, failure):add(order)
      assert.is_nil(value)
      assert.same({ "network", true }, { err.kind, err.uncertain })
    end
  end)

  it("waited forever for a delay that is not a time", function()
    local value, err = add { status = 200, body = '{"order":7}', delay = 0 / 0 }
    assert.is_nil(value)
    assert.same({ "transport", true }, { err.code, err.uncertain })
  end)
end)

describe("a decoder that is used again", function()
  it("has nothing of its last answer, and the new options", function()
    local decoder = core.decoder(schemas.balance, "string")
    assert(decoder:feed '{"balance":"1.5"}')
    assert.same({ true, { balance = "1.5" } }, { decoder:finish() })
    assert.equal(decoder, core.decoder(schemas.balance, "number", nil, decoder))
    assert(decoder:feed '{"balance":"2.5"}')
    assert.same({ true, { balance = 2.5 } }, { decoder:finish() })
    core.decoder(nil, nil, nil, decoder)
    assert.is_nil((decoder:feed "[1,"  and decoder:finish()))
    core.decoder(nil, nil, nil, decoder)
    assert(decoder:feed "[7]")
    assert.same({ true, { 7 } }, { decoder:finish() })
  end)

  it("is refused if it is not a decoder", function()
    assert.has_error(function() core.decoder(nil, nil, nil, io.stdout) end)
    assert.has_error(function() core.decoder(nil, nil, nil, {}) end)
  end)

  it("took 15 kB for each answer of a transport", function()
    local panel = panel_of { '{"balance":"1.5"}' }
    for _ = 1, 100 do panel:balance() end
    collectgarbage()
    collectgarbage()
    collectgarbage "stop"
    local before = collectgarbage "count"
    for _ = 1, 100 do panel:balance() end
    local used = (collectgarbage "count" - before) / 100
    collectgarbage "restart"
    assert.is_true(used < 10, used .. " kB")
  end)
end)
