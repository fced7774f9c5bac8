-- A user's own test suite should not wait for this module: what ten calls on the sandbox in the process cost, start-up
-- included.
local process = require "spec.support.process"

-- In units of a piece of work that is the same everywhere, so that a slow machine counts as little as a busy one. On a
-- machine where a unit takes 4 ms, ten calls took 9 to 11 units before their parts were loaded when needed.
local UNITS = 6
local RUNS = 5

local function run()
  local pipe = assert(io.popen(process.lua() .. " spec/support/ten_calls.lua 2>&1"))
  local first = pipe:read "*l" or ""
  local used, unit = first:match "^([%d.]+)%s+([%d.]+)$"
  assert.truthy(used, first)
  local modules = {}
  for name in pipe:lines() do modules[name] = true end
  pipe:close()
  return used / unit, modules
end

describe("a user's test of ten calls with faults", function()
  it("takes little processor time", function()
    local best = math.huge
    for _ = 1, RUNS do best = math.min(best, (run())) end
    assert.is_true(best < UNITS, ("%.1f units"):format(best))
  end)

  it("loads no shape of an answer", function()
    local _, modules = run()
    assert.is_true(modules["smmpanel.sandbox.panel"])
    for name in pairs(modules) do assert.is_nil(name:match "^smmpanel%.sandbox%.shapes%.", name) end
  end)
end)
