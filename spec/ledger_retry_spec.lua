-- What happens to a ref when the attempt ends before the request was sent, in the middle of it, or with an exception;
-- and which panel a ref belongs to.
local memory_store = require "spec.support.memory_store"
local smmpanel = require "smmpanel"

local URL = "https://panel.example/api/v2"
local ORDER = { service = 1, link = "https://example.com/", quantity = 100 }

local function panel_with(ledger, transport, more)
  local options = { url = URL, key = "k", ledger = ledger, transport = transport, timeout = 5, retries = 3 }
  for name, value in pairs(more or {}) do options[name] = value end
  return smmpanel.new(options)
end

local function answering(body)
  return function() return { status = 200, body = body } end
end

describe("a ref whose request could not be sent", function()
  -- What the ledger says of the ref during each pause, and at each request.
  local function watched_run(ledger, transport)
    local during = { pauses = {}, requests = {} }
    local panel
    local function state() return panel:lookup("a").state end
    local blocking = require "smmpanel.loop.blocking"
    local loop = setmetatable({
      sleep = function(seconds)
        during.pauses[#during.pauses + 1] = state()
        blocking.sleep(math.min(seconds, 0.01))
      end,
    }, { __index = blocking })
    panel = panel_with(ledger, function(request)
      during.requests[#during.requests + 1] = state()
      return transport(request, #during.requests)
    end, { loop = loop })
    return during, panel
  end

  local NOT_SENT = { code = "connect", message = "no connection", sent = false }

  it("is free during the pause, and taken again for the next attempt", function()
    local during, panel = watched_run(memory_store.new(), function(_, n)
      if n < 3 then return nil, NOT_SENT end
      return { status = 200, body = '{"order":7}' }
    end)
    assert.same({ order = 7 }, panel:add(ORDER, { ref = "a" }))
    assert.same({ "sending", "sending", "sending" }, during.requests)
    assert.is_true(#during.pauses >= 2)
    for _, state in ipairs(during.pauses) do assert.equal("new", state) end
    assert.equal("made", panel:lookup("a").state)
  end)

  it("is answered with another process's order that was placed during the pause", function()
    local ledger = memory_store.new()
    local other = panel_with(ledger, answering '{"order":8}')
    local sent = 0
    local panel = panel_with(ledger, function()
      sent = sent + 1
      return nil, NOT_SENT
    end, { loop = setmetatable({ sleep = function() assert(other:add(ORDER, { ref = "a" })) end },
      { __index = require "smmpanel.loop.blocking" }) })
    assert.same({ order = 8 }, panel:add(ORDER, { ref = "a" }))
    assert.equal(1, sent)
  end)

  it("is free at the end of the retries", function()
    local _, panel = watched_run(memory_store.new(), function() return nil, NOT_SENT end)
    local _, err = panel:add(ORDER, { ref = "a" })
    assert.same({ "connect", "a", 4 }, { err.code, err.ref, err.attempts })
    assert.is_nil(err.uncertain)
    assert.equal("new", panel:lookup("a").state)
    assert.same({}, panel:pending())
  end)

  it("stays taken where an earlier attempt may have arrived", function()
    local states = {}
    local ledger = memory_store.new()
    local blocking = require "smmpanel.loop.blocking"
    local mine
    mine = panel_with(ledger, function()
      if #states == 0 then return nil, { code = "reset", message = "reset" } end
      return nil, NOT_SENT
    end, { idempotency_field = "request_id", loop = setmetatable({ sleep = function()
      states[#states + 1] = mine:lookup("a").state
    end }, { __index = blocking }) })
    local _, err = mine:add(ORDER, { ref = "a" })
    assert.is_true(err.uncertain)
    for _, state in ipairs(states) do assert.equal("sending", state) end
    assert.equal("uncertain", mine:lookup("a").state)
  end)
end)

describe("a transport that throws", function()
  for what, transport in pairs {
    ["at once"] = function() error "a fault in the transport" end,
    ["in the body"] = function() return { status = 200, body = function() error "a fault in the transport" end } end,
    ["nothing, and returns nothing"] = function() end,
    ["nothing, and returns a wrong delay"] = function() return { status = 200, body = "{}", delay = "soon" } end,
  } do
    it(what .. " leaves the order uncertain, and nobody is placing it", function()
      local panel = panel_with(memory_store.new(), transport)
      local made, err = panel:add(ORDER, { ref = "a" })
      assert.is_nil(made)
      assert.same({ "network", "transport", true, 1 }, { err.kind, err.code, err.uncertain, err.attempts })
      assert.truthy(err.message:find("transport", 1, true), err.message)
      assert.equal("uncertain", panel:lookup("a").state)
      assert.equal("uncertain", select(2, panel:add(ORDER, { ref = "a" })).code)
    end)
  end
end)

describe("an answer that was cut after the order's id", function()
  it("is evidence in the ledger", function()
    local panel = panel_with(memory_store.new(), function()
      return nil, { code = "cut", message = "cut", status = 200, body = '{"order":23501}' }
    end)
    local _, err = panel:add(ORDER, { ref = "a" })
    assert.same({ true, 23501 }, { err.uncertain, err.answer.order })
    local open = assert(panel:pending())[1]
    assert.same({ 23501, "cut" }, { open.evidence.order, open.evidence.reason })
  end)
end)

describe("a panel with its usual port and without it", function()
  local once = require "smmpanel.ledger.place_once"

  it("is one panel: a ref is answered under both", function()
    for scheme, port in pairs { https = ":443", http = ":80" } do
      local ledger = memory_store.new()
      local function at(authority) return panel_with(ledger, answering '{"order":7}',
        { url = scheme .. "://" .. authority .. "/api/v2" }) end
      assert(at("panel.example" .. port):add(ORDER, { ref = "a" }))
      assert.same({ order = 7 }, at("panel.example"):add(ORDER, { ref = "a" }))
      assert(at("Panel.example"):add(ORDER, { ref = "b" }))
      assert.same({ order = 7 }, at("panel.example" .. port):add(ORDER, { ref = "b" }))
      assert.equal("mismatch", select(2, at("panel.example"):add({ service = 2, link = ORDER.link, quantity = 100 },
        { ref = "a" })).code)
    end
  end)

  it("finds what a ledger stored when the port was part of it", function()
    for scheme, port in pairs { https = ":443", http = ":80" } do
      local ledger = memory_store.new()
      local url = scheme .. "://panel.example" .. port .. "/api/v2"
      local panel = panel_with(ledger, answering '{"order":7}', { url = url })
      assert(panel:add(ORDER, { ref = "a" }))
      ledger.rows[1].fingerprint = once.fingerprint("panel.example" .. port,
        { "service", "1", "link", ORDER.link, "quantity", "100" })
      assert.same({ order = 7 }, panel:add(ORDER, { ref = "a" }))
    end
  end)
end)
