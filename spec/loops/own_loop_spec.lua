-- A loop of one's own, as the README shows it: the specs run its very text.
local core = require "smmpanel.core"
local process = require "spec.support.process"
local sandbox_server = require "smmpanel.sandbox.server"
local smmpanel = require "smmpanel"

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
      local panel = smmpanel.new { url = os.getenv "SPEC_URL", key = os.getenv "SPEC_KEY", loop = loop }
      go(function()
        local results = smmpanel.all({ function() return panel:balance() end,
          function() return panel:status({ 1, 2, 100 }, { batch_size = 1 }) end }, { loop = loop })
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
    local lines = {}
    for line in said:gmatch "[^\n]+" do lines[#lines + 1] = line end
    table.sort(lines) -- they run side by side: either may end first
    assert.same({ "USD", "balance 100.84292\tIn progress" }, lines)
  end)

  -- The thread may be that quick: Copas steps as soon as it is given the descriptor.
  it("may step while it begins to watch, the answer being there already", function()
    local sandbox = assert(sandbox_server.start { tls = false })
    finally(sandbox.stop)
    local panel, watched
    local loop = { sleep = function() end, spawn = function() end }
    function loop.signal()
      return { open = function(self) self.is_open = true end, wait = function(self) assert(self.is_open, "lost") end }
    end
    function loop.watch(_, step)
      watched = true
      for _ = 1, 200 do
        core.wait(0.1)
        step()
        if not watched then return end
      end
    end
    function loop.unwatch() watched = false end
    panel = smmpanel.new { url = sandbox.url, key = sandbox.key, loop = loop }
    for _ = 1, 2 do assert.equal("USD", assert(panel:balance()).currency) end
    assert.is_false(watched)
  end)
end)
