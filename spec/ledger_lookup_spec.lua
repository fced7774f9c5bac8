-- panel:lookup: the ledger's entry of a ref.
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"

describe("panel:lookup", function()
  local sandbox, path
  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox.stop() end)
  before_each(function() path = os.tmpname() end)
  after_each(function()
    for _, suffix in ipairs { "", "-wal", "-shm" } do os.remove(path .. suffix) end
  end)

  it("reports refs that are new, made, uncertain and freed", function()
    local order = { service = 1, link = "https://example.com/l", quantity = 100 }
    local ledger = smmpanel.ledger.sqlite(path)
    local panel = sandbox.panel("", { ledger = ledger })
    assert.same({ ref = "a", state = "new" }, panel:lookup "a")
    local made = assert(panel:add(order, { ref = "a" }))
    local known = panel:lookup "a"
    assert.equal("made", known.state)
    assert.equal(made.order, known.made.order)
    sandbox.panel("lost", { ledger = ledger }):add(order, { ref = 7 })
    assert.equal("uncertain", panel:lookup(7).state)
    assert(panel:resolve(7, false, { force = true }))
    assert.equal("new", panel:lookup("7").state)
    assert.error_matches(function() panel:lookup " b" end, "panel:lookup: the ref must be")
  end)
end)
