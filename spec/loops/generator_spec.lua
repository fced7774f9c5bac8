-- A call in a generator (coroutine.wrap) inside a coroutine of an event loop: the consumer of the generator would take
-- the yielded value for a row, and resume the call before its answer is there. The server proves that nothing was sent.
local process = require "spec.support.process"
local sandbox_support = require "spec.support.sandbox"
local system = require "spec.support.system"

describe("a call in a generator inside a coroutine of luv", function()
  local sandbox, said, ledger

  lazy_setup(function()
    sandbox, ledger = sandbox_support.start { tls = false }, os.tmpname()
    said = system.output(("SPEC_URL='%s' SPEC_KEY=%s SPEC_LEDGER=%s timeout 20 %s %s 2>&1"):format(sandbox.url,
      sandbox.key, ledger, process.lua(), "spec/loops/programs/luv_generators.lua"))
  end)
  lazy_teardown(function()
    if sandbox then sandbox.stop() end
    os.remove(ledger)
  end)

  for _, name in ipairs { "add", "add_with_a_ref", "add_all", "refill", "cancel", "status_in_batches", "call",
                          "watch", "all" } do
    it("throws in its consumer, and nothing is sent: " .. name, function()
      for _, how in ipairs { "skips", "uses" } do
        local line = assert(said:match("(" .. how .. "\t" .. name .. "\t[^\n]*)"), said)
        assert.matches("a generator's loop or caller resumed it", line, 1, true)
        assert.equal(0, sandbox.counts(how .. "_" .. name).requests, line)
      end
    end)
  end

  it("leaves no ref uncertain: the ref can be placed afterwards", function()
    assert.matches("pending\t0", said, 1, true)
    assert.equal(1, sandbox.counts("after").requests, said)
  end)

  it("is sent if the coroutine was only started there", function()
    assert.matches("starts\tadd\tok", said, 1, true)
    assert.equal(1, sandbox.counts("starts_add").requests, said)
  end)
end)
