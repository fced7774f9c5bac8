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

  it("sends 1 GB to a program that does not read it is paused", function()
    local client = core.client {
      url = sandbox.url .. "?fault=huge", key = sandbox.key, max_body = 2e9, connect_timeout = 5, user_agent = "x",
    }
    local before = peak_memory()
    local transfer = assert(core.start(client, { action = "balance", deadline = core.now() + 20 }))
    core.wait(10)
    require("socket").sleep(0.3)
    assert.equal(1, core.in_flight())
    assert.is_true(peak_memory() - before < 8 * 1024, "memory grew")
    transfer:cancel()
    while core.in_flight() > 0 do
      core.wait(1)
      core.step()
    end
  end)

  it("never answers has at most 4,096 requests of a program", function()
    local server = require "spec.support.raw".start()
    local said = require "spec.support.child".run(([[
      local core = require "smmpanel.core"
      local client = core.client { url = %q, key = "k", max_body = 1e6, connect_timeout = 5, user_agent = "x" }
      local started, code = {}, nil
      repeat
        started[#started + 1], code = core.start(client, { action = "balance", deadline = core.now() + 20 })
      until code or #started > 5000
      print(#started, code, core.in_flight())
      for _, transfer in ipairs(started) do transfer:cancel() end
    ]]):format(server.url { "\0wait" }))
    server.stop()
    assert.equal("4096\tbusy\t4096\nexit 0\n", said)
  end)

  it("sends slowly without an end is given up at the deadline", function()
    local started = core.now()
    local value, err = sandbox.panel("trickle:10", { retries = 3, timeout = 1 }):services()
    assert.is_nil(value)
    assert.equal("timeout", err.kind)
    assert.is_true(core.now() - started >= 0.9)
  end)
end)
