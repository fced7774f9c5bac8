-- A suspended machine, as its programs see it: the wall clock and the clock since boot have advanced, the other clocks
-- have not.
local process = require "spec.support.process"
local shifted_clock = require "spec.support.shifted_clock"
local socket = require "socket"

local run = require("spec.support.system").output

local SUSPENDED = 3600

describe("a suspended machine", function()
  local directory, clock, server
  before_each(function()
    directory = run("mktemp -d"):match "%S+"
    clock = shifted_clock.new(directory)
  end)
  after_each(function()
    server.stop()
    os.execute("rm -rf " .. directory)
  end)

  -- Starts a program that has the moved clocks, with a panel at the server. Its first line says that it is ready.
  local function start(chunk)
    local file = assert(io.open(directory .. "/run.lua", "w"))
    file:write(([[
      local smmpanel = require "smmpanel"
      local clock = require("spec.support.shifted_clock").own()
      local order = { service = 1, link = "https://x.example", quantity = 1 }
      local function say(...) print(...) io.flush() end
      local options = { url = "http://127.0.0.1:%s/", key = "key", ledger = smmpanel.ledger.sqlite("%s/orders.db") }
      say "ready"
    ]]):format(server.line, directory), chunk)
    file:close()
    return process.start(("%s %s %s/run.lua"):format(clock.environment, process.lua(), directory))
  end

  it("sent an order on a connection from before the suspend, which the panel had closed", function()
    server = process.start(process.lua() .. " spec/support/count_server.lua")
    local program = start(([[
      function options.on_event(event) if event.type == "attempt" then say(event.reused, event.err) end end
      local panel = smmpanel.new(options)
      assert(panel:add(order))
      assert(panel:add(order))
      clock:suspend(%d)
      assert(panel:add(order))
      assert(panel:add(order))
    ]]):format(SUSPENDED))
    for _, reused in ipairs { "false", "true", "false", "true" } do
      assert.equal(reused .. "\tnil", program.read())
    end
    program.stop()
  end)

  it("let a ref be resolved at once, while the system could still deliver its order", function()
    server = process.start(process.lua() .. " spec/support/raw_server.lua")
    local program = start(([[
      options.url = options.url .. "-w"
      local panel = smmpanel.new(options)
      say(select(2, panel:add(order, { ref = "a", timeout = 0.5 })).uncertain)
      clock:suspend(%d)
      local done, err = panel:resolve("a", false)
      say(done, err and err.code, err and err.seconds > 25)
    ]]):format(SUSPENDED))
    assert.equal("true", program.read())
    assert.equal("nil\ttoo_early\ttrue", program.read())
    program.stop()
  end)

  it("ends an order whose deadline has passed as soon as it continues", function()
    local panel = assert(socket.bind("127.0.0.1", 0))
    server = { line = select(2, panel:getsockname()), stop = function() panel:close() end }
    local program = start [[
      local made, err = smmpanel.new(options):add(order, { ref = "a", timeout = 50 })
      say(made, err.code, err.uncertain)
    ]]
    local peer = assert(panel:accept())
    assert(peer:receive "*l") -- it was sent
    local before = os.time()
    clock:suspend(SUSPENDED)
    assert.equal("nil\ttimeout\ttrue", program.read())
    assert.is_true(os.time() - before < 40)
    peer:close()
    program.stop()
  end)
end)
