-- 3,000 orders watched by three processes while clocks are set, processes are stopped and Redis is restarted.
local redis_server = require "spec.support.redis"
local shifted_clock = require "spec.support.shifted_clock"
local socket = require "socket"
local system = require "spec.support.system"
local watching = require "spec.support.watching"

local ORDERS = 3000
local STEPS = { 60, 0, -60, 0, 86400, -86400, 31536000, -31536000, 0 }

for _, kind in ipairs { "SQLite", "Redis" } do
  describe("3,000 orders watched by three processes, in " .. kind, function()
    local directory, clock, server
    before_each(function()
      directory = system.directory()
      clock = shifted_clock.new(directory)
      server = kind == "Redis" and redis_server.start(nil, clock.environment) or nil
    end)
    after_each(function()
      if server then server:stop() end
      os.execute("rm -rf " .. directory)
    end)

    -- `twice` changes may be reported again: those that a process was reporting when it lost its claim.
    -- An order that is not polled for longer than a phase has one change less: a lost claim lasts 20 s.
    local function run(twice, phase, meanwhile)
      local began = os.time()
      local report = watching.shared { orders = ORDERS, phase = phase, last = 3, interval = 2, rate = 60, workers = 3,
        directory = directory, ledger = server and server.port or directory .. "/l.db",
        environment = clock.environment, meanwhile = meanwhile }
      print(("\n%s: %d changes reported, %d not, %d twice, %d strange; %d requests; %d s"):format(kind, report.told,
        report.untold, report.twice, report.strange, report.requests, os.time() - began))
      assert.same({ 0, 0 }, { report.untold, report.strange })
      assert.is_true(report.twice <= twice)
    end

    it("are reported while clocks are set by a minute, a day and a year, and back", function()
      -- Setting Redis' clock forward ends claims; SQLite's follow a clock that nobody can set.
      run(kind == "Redis" and 8 or 0, 10, function()
        for _, shift in ipairs(STEPS) do
          socket.sleep(2)
          clock:set(shift)
        end
      end)
    end)

    it("are reported while processes are stopped, even for longer than their claims last", function()
      run(8 * 3, 30, function(pids)
        for i, seconds in ipairs { 2, 3, 24 } do
          os.execute("kill -STOP " .. pids[i])
          socket.sleep(seconds)
          os.execute("kill -CONT " .. pids[i])
        end
      end)
    end)

    if kind == "Redis" then
      it("are reported while Redis is restarted, and hangs", function()
        run(8 * 3, 30, function()
          for _ = 1, 3 do
            socket.sleep(3)
            server:kill "TERM"
            socket.sleep(0.5)
            server:start()
            socket.sleep(2)
            server:signal "STOP"
            socket.sleep(2)
            server:signal "CONT"
          end
        end)
      end)
    end
  end)
end
