-- PROTOCOL "Order states".
local states = require "smmpanel.api.states"

describe("PROTOCOL 'Order states':", function()
  local classes = {
    open = { "Pending", "Processing", "In progress", "Inprogress", "Active", "Awaiting", "Queued", "In queue",
      "Paused", "Refill", "Holding" },
    completed = { "Completed", "Complete" },
    partial = { "Partial" },
    canceled = { "Canceled", "Cancelled", "Cancel", "Refunded", "Refunds" },
    failed = { "Fail", "Failed", "Error", "Expired", "Limit" },
  }
  local spellings = {
    function(s) return s end, string.lower, string.upper,
    function(s) return " " .. s:gsub(" ", "_") .. "\t" end,
    function(s) return (s:gsub(" ", "-")) end,
  }
  for class, texts in pairs(classes) do
    it(class, function()
      for _, word in ipairs(texts) do
        for _, spell in ipairs(spellings) do
          assert.equal(class, states.state(spell(word)))
          assert.equal(class ~= "open", states.is_final(spell(word)))
        end
      end
    end)
  end

  it("numbers, as numbers and as text", function()
    local expected = { [0] = "open", "open", "completed", "partial", "canceled", "canceled", "unknown" }
    for n = 0, 6 do
      assert.equal(expected[n], states.state(n))
      assert.equal(expected[n], states.state(n + 0.0))
      assert.equal(expected[n], states.state(tostring(n)))
    end
    assert.equal("unknown", states.state(1.5))
    assert.equal("unknown", states.state(-1))
  end)

  it("of refills, with and without their prefix", function()
    for word, class in pairs { Pending = "open", Awaiting = "open", ["In progress"] = "open",
      Completed = "completed", Success = "completed", Rejected = "failed", Cancelled = "canceled",
      Refunded = "canceled", Error = "failed" } do
      assert.equal(class, states.state(word))
      assert.equal(class, states.state("tasks.status." .. word:lower():gsub(" ", "_")))
    end
  end)

  it("a state that is not in the table is unknown, and not final", function()
    for _, odd in ipairs { "", "not done", "it will be completed", "tasks.status.", "draft", true, {}, 0 / 0,
      1 / 0 } do
      assert.equal("unknown", states.state(odd))
      assert.is_false(states.is_final(odd))
    end
    assert.equal("unknown", states.state(nil))
    assert.is_false(states.is_final(nil))
  end)

  it("do not depend on the locale", function()
    local before = os.setlocale(nil)
    os.setlocale "tr_TR.ISO-8859-9"
    assert.equal("partial", states.state "PARTIAL")
    assert.equal("completed", states.state "tasks.status.COMPLETED")
    os.setlocale(before)
  end)
end)
