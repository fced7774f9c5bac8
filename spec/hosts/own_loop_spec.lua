-- A loop of one's own, as the README shows it: the specs run its very text.
local process = require "spec.support.process"
local sandbox_server = require "smmpanel.sandbox.server"

local function example()
  local file = assert(io.open "README.md")
  local text = file:read "*a"
  file:close()
  return assert(text:match "```lua\n(%-%- A loop of your own.-)```", "the README shows no loop of one's own")
end

describe("a host of one's own", function()
  it("runs calls, all and batches as the README's example shows", function()
    local sandbox = assert(sandbox_server.start { tls = false })
    finally(sandbox.stop)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(example(), [[
      local panel = smmpanel.new { url = os.getenv "SPEC_URL", key = os.getenv "SPEC_KEY", host = host }
      go(function()
        local results = smmpanel.all({ function() return panel:balance() end,
          function() return panel:status({ 1, 2, 100 }, { batch_size = 1 }) end }, { host = host })
        print("balance " .. results[1].balance, results[2][100].status)
      end)
      go(function() print(assert(panel:balance()).currency) end)
      run()
    ]])
    file:close()
    local pipe = io.popen(("SPEC_URL='%s?fault=latency:0.1' SPEC_KEY=%s timeout 20 %s %s 2>&1"):format(
      sandbox.url, sandbox.key, process.lua(), path))
    local said = pipe:read "*a"
    pipe:close()
    os.remove(path)
    assert.equal("USD\nbalance 100.84292\tIn progress\n", said)
  end)
end)
