-- Hostile sizes end in a clear error, within the limits and the deadline, with flat memory.
local sandboxes = require "spec.support.sandbox"
local core = require "smmpanel.core"

-- Returns the most kilobytes that the process has ever used.
local function peak_memory()
  local status = io.open "/proc/self/status"
  if not status then return 0 end
  local text = status:read "*a"
  status:close()
  return tonumber(text:match "VmHWM:%s*(%d+)") or 0
end

describe("limits: a server that", function()
  local sandbox
  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox.stop() end)

  local cases = {
    { "sends 1 GB", "huge", "response", "too_large" },
    { "sends 1 kB that inflates to 1 GB", "bomb", "response", nil },
    { "nests 100,000 deep", "deep", "response", "too_large" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local before = peak_memory()
      local value, err = sandbox.panel(case[2], { retries = 0, max_body = 8 * 1024 * 1024 }):services()
      assert.is_nil(value)
      assert.equal(case[3], err.kind)
      if case[4] then assert.equal(case[4], err.code) end
      assert.is_true(peak_memory() - before < 64 * 1024, "memory grew")
    end)
  end

  it("sends slowly without an end is given up at the deadline", function()
    local started = core.now()
    local value, err = sandbox.panel("trickle:10", { retries = 3, timeout = 1 }):services()
    assert.is_nil(value)
    assert.equal("timeout", err.kind)
    assert.is_true(core.now() - started >= 0.9)
  end)
end)
