-- HAProxy suspends a task in the middle of its code, after each 10,000 instructions, and runs another; here after 50.
-- HAProxy has one Lua of its own: these specs run once.
if _VERSION ~= "Lua 5.4" then return end

local programs = require "spec.loops.support.programs"
local sandbox_support = require "spec.support.sandbox"
local system = require "spec.support.system"

describe("tasks of HAProxy that are suspended anywhere", function()
  local sandbox, said, ledger

  lazy_setup(function()
    sandbox, ledger = sandbox_support.start { tls = false }, os.tmpname()
    local command = programs.haproxy(system.free_port(), "interrupted")
    if not command then return end
    said = system.output(("SPEC_URL='%s' SPEC_KEY=%s SPEC_LEDGER=%s timeout 30 env %s 2>&1"):format(sandbox.url,
      sandbox.key, ledger, command))
  end)
  lazy_teardown(function()
    if sandbox then sandbox.stop() end
    os.remove(ledger)
  end)

  local function says(line)
    if not said then return pending "HAProxy with Lua is not installed" end
    assert.is_truthy(said:find(line, 1, true), said)
  end

  it("all runs each function once", function() says("all\ttrue\t" .. ("1"):rep(100)) end)

  it("a list of ids gets each of its answers", function() says "status\ttrue\t100" end)

  it("add_all places each order once", function()
    says "add_all\ttrue\t100"
    if said then assert.equal(150, sandbox.counts("interrupted").requests) end -- 50 for the ids
  end)
end)
