-- A request that leaves after its deadline orders twice: another process has already recorded that no order was placed,
-- and has placed it again. Here the engine's thread is delayed at each point where it waits.
local process = require "spec.support.process"
local redis = require "spec.support.redis"
local socket = require "socket"
local system = require "spec.support.system"

local TIMEOUT, HELD = 0.25, 1
local MARGIN = (HELD - TIMEOUT) / 2 -- a busy server may note an arrival late
local WAITS = 4 -- of the thread, from taking the request up to the end of the answer

local run = system.output

describe("a delayed thread", function()
  local directory, server
  setup(function()
    directory = system.directory()
    assert(run(("cc -shared -fPIC -o %s/preload.so spec/support/preload.c -ldl 2>&1"):format(directory)) == "")
    server = process.start(process.lua() .. " spec/support/count_server.lua")
  end)
  teardown(function()
    server.stop()
    os.execute("rm -rf " .. directory)
  end)

  local function arrivals()
    local times = {}
    local said = run(("curl -s --noproxy '*' http://127.0.0.1:%s/"):format(server.line))
    for line in said:gmatch "%S+" do times[#times + 1] = tonumber(line) end
    return times
  end

  -- Places an order in a process whose thread is delayed. Returns its deadline and its result.
  local function add(at, store)
    local name = directory .. "/run.lua"
    system.write(name, ([[
      local smmpanel, socket = require "smmpanel", require "socket"
      local panel = smmpanel.new { url = "http://127.0.0.1:%s/", key = "key", ledger = %s, retries = 3 }
      local before = socket.gettime()
      local order = { service = 1, link = "https://x.example", quantity = 1 }
      local made, err = panel:add(order, { ref = "a %d", timeout = %s })
      print(before + %s, made and "made" or err.code, err and err.uncertain)
    ]]):format(server.line, store, at, TIMEOUT, TIMEOUT))
    return run(("env LD_PRELOAD=%s/preload.so HOLD_AT=%d HOLD_SECONDS=%s %s %s 2>&1"):format(directory, at, HELD,
      process.lua(), name))
  end

  local function sends_nothing_late(store)
    local outcomes = {}
    for at = 1, WAITS do
      local before = #arrivals()
      local said = add(at, store)
      local deadline, outcome, uncertain = said:match "^([%d.]+)\t(%S+)\t(%S+)"
      assert.truthy(deadline, said)
      local times = arrivals()
      for i = before + 1, #times do
        assert.is_true(times[i] <= tonumber(deadline) + MARGIN, ("held at %d: it came %.3f s late"):format(at,
          times[i] - tonumber(deadline)))
      end
      if #times > before then
        assert.is_true(outcome == "made" or uncertain == "true", said)
      else
        assert.equal("nil", uncertain, said)
      end
      outcomes[outcome] = true
    end
    assert.is_true(outcomes.timeout, "it was never held before it sent")
  end

  it("sent an order after its deadline, which was measured from when the thread started it", function()
    sends_nothing_late(([[smmpanel.ledger.sqlite("%s/orders.db")]]):format(directory))
  end)

  it("sends nothing late with a ledger in Redis either", function()
    local store = redis.start()
    sends_nothing_late(([[smmpanel.ledger.redis(require("spec.support.redis").at(%d, 2))]]):format(store.port))
    store:stop()
  end)
end)

-- The system takes more of a request than a busy panel reads. It would deliver the rest when the panel or the network
-- is ready, even after the program has closed the connection or has ended.
describe("an order that waits in the system", function()
  local ADD = [[
    print "started"
    io.flush()
    local panel = require("smmpanel").new { url = "http://127.0.0.1:%d/", key = "key" }
    local order = { service = 1, link = "https://x.example", comments = ("a comment "):rep(50000) }
    local made, err = panel:add(order, { timeout = %s })
    print(made, err.code, err.uncertain)
  ]]
  local server, port
  before_each(function()
    server = assert(socket.bind("127.0.0.1", 0))
    server:settimeout(5)
    port = select(2, server:getsockname())
  end)
  after_each(function() server:close() end)

  local function start(timeout)
    return process.start(("%s -e '%s'"):format(process.lua(), ADD:format(port, timeout)))
  end

  -- Waits until the system has the request. Returns the connection, and the length of the request's body.
  local function accept()
    local peer, length = assert(server:accept()), nil
    peer:settimeout(5)
    repeat
      local line = assert(peer:receive "*l")
      length = line:lower():match "^content%-length: (%d+)" or length
    until line == ""
    socket.sleep(0.1)
    return peer, tonumber(length)
  end

  -- Reads from now on, as a panel that is ready. Returns whether the whole request arrived.
  local function is_delivered(peer, length)
    local all, why, part = peer:receive(length)
    peer:close()
    assert.is_true(#(all or part) > 0, why)
    return all ~= nil
  end

  it("was delivered after its deadline", function()
    local program = start(0.5)
    local peer, length = accept()
    assert.equal("nil\ttimeout\ttrue", program.read())
    assert.is_false(is_delivered(peer, length))
    program.stop()
  end)

  it("was delivered after its process was killed", function()
    local program = start(30)
    local peer, length = accept()
    os.execute("kill -KILL " .. program.pid)
    assert.is_nil(program.read())
    assert.is_false(is_delivered(peer, length))
    program.stop()
  end)
end)
