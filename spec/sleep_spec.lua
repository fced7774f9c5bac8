local core = require "smmpanel.core"
local smmpanel = require "smmpanel"

describe("smmpanel.sleep", function()
  it("waits", function()
    local begun = core.now()
    smmpanel.sleep(0.05)
    assert.is_true(core.now() - begun >= 0.05)
  end)

  it("lets other coroutines continue", function()
    local order = {}
    smmpanel.all {
      function()
        smmpanel.sleep(0.2)
        order[#order + 1] = "long"
      end,
      function()
        smmpanel.sleep(0.01)
        order[#order + 1] = "short"
      end,
    }
    assert.same({ "short", "long" }, order)
  end)

  it("throws if the argument is not a number of seconds", function()
    local ok, message = pcall(smmpanel.sleep, "soon")
    assert.is_false(ok)
    assert.is_truthy(message:find("smmpanel.sleep: needs a number of seconds above 0, got 'soon'", 1, true), message)
  end)
end)
