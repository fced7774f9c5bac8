-- The command line with the data of a large shop: 10,000 services, 10,000 orders.
local cjson = require "cjson"
local cli_sandbox = require "spec.support.cli_sandbox"
local csv = require "smmpanel.cli.input.csv"
local system = require "spec.support.system"

describe("10,000", function()
  local sandbox, home = cli_sandbox.one_home { services = 10000 }

  -- Returns the seconds of CPU that a line takes, the best of a few runs, because the machine may be busy.
  local function cpu_of(line)
    local least = math.huge
    for _ = 1, 5 do
      local _, err = home:run("TIMEFORMAT='%U %S'; time " .. line .. " >/dev/null")
      local own, kernel = err:match "([%d.]+) ([%d.]+)\n$"
      least = math.min(least, own + kernel)
    end
    return least
  end

  it("services are searched in the cached list immediately", function()
    assert.equal(0, (select(3, home:run "smmpanel services")))
    local found = assert(csv.records((home:run "smmpanel services --csv --search 'instagram followers'")))
    assert.is_true(#found > 50 and #found < 5000, #found)
    local seconds = cpu_of "smmpanel services --search 'instagram followers'"
    -- 0.2 s is the limit on a dedicated machine; a shared one may run at half its speed.
    assert.is_true(seconds < 0.4, seconds .. " s")
  end)

  -- The most memory that a command had, in MB.
  local function peak_of(line)
    home:write("peak.lua", [[
      local exit = os.exit
      function os.exit(...)
        for text in io.lines "/proc/self/status" do
          if text:find "VmHWM" then io.stderr:write(text, "\n") end
        end
        return exit(...)
      end]])
    local _, err = home:expect("LUA_INIT=@$HOME/peak.lua " .. line .. " >/dev/null")
    return tonumber(err:match "VmHWM:%s*(%d+) kB") / 1024
  end

  it("services take the memory of one list, in whatever form they are written", function()
    for _, form in ipairs { "--fresh", "--csv", "--json" } do
      local most = peak_of("smmpanel services " .. form)
      assert.is_true(most < 30, ("%s: %.0f MB"):format(form, most)) -- the list takes about 7, the rest of the command 6
    end
  end)

  it("orders are requested a hundred at a time, and shown as they arrive, in the given order", function()
    local ids = {}
    for i = 1, 10000 do ids[i] = tostring(700000 + i * 7) end
    home:write("ids", table.concat(ids, "\n"))
    local url = { fault = "latency:0.2", name = "stream" }
    local out = home:run(([[smmpanel status --csv --from ~/ids >~/report &
      until [ "$(wc -l <~/report)" -gt 1000 ]; do again 0.05; done
      curl -sS -X POST '%s/stats?name=stream'; wait]]):format(sandbox.control), url)
    local early = cjson.decode(out).requests
    assert.is_true(early < 100, early .. " requests were made when the first records came")
    local records = assert(csv.records(system.read(home.path .. "/report")))
    assert.equal(10000, #records)
    for i, record in ipairs(records) do assert.equal(ids[i], record.values.order) end
    assert.equal(100, sandbox.counts "stream".requests)
  end)
end)
