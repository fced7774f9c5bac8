-- Ctrl-C: lua and luajit set a hook, which throws "interrupted!" where the next function is entered or left, or at the
-- next instruction. It must not be lost, because the caller would send its next order, and it must not lose an answer.
local cli = require "spec.support.cli"
local cli_sandbox = require "spec.support.cli_sandbox"
local core = require "smmpanel.core"
local process = require "spec.support.process"
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"
local system = require "spec.support.system"

describe("Ctrl-C", function()
  local sandbox, panel
  setup(function() sandbox = sandboxes.start { balance = "100000" } end)
  teardown(function() sandbox.stop() end)
  before_each(function() panel = sandbox.panel() end)
  after_each(function()
    debug.sethook()
    panel:close()
  end)

  -- Throws at this event of a function that core.step calls (level 3), or of core.step itself (level 2).
  local function throw_at(event, level)
    local thrown = false
    debug.sethook(function(now)
      local frame = debug.getinfo(level, "f")
      if now ~= event or not frame or frame.func ~= core.step then return end
      debug.sethook()
      thrown = true
      error("interrupted!", 0)
    end, "cr")
    return function() return thrown end
  end

  local PLACES = { ["before a response is decoded"] = { "call", 3 } }
  if not rawget(_G, "jit") then -- LuaJIT calls no hook when a C function returns
    PLACES["after a response was decoded"] = { "return", 3 }
    PLACES["when the ended requests are returned"] = { "return", 2 }
  end
  for what, place in pairs(PLACES) do
    it(what .. " loses no answer, and stops the next request", function()
      local order = { service = 1, link = "https://example.com/" .. place[1] .. place[2], quantity = 100 }
      local was_thrown = throw_at(place[1], place[2])
      local record, err = panel:add(order)
      assert.is_true(was_thrown())
      if record then assert.is_not_nil(record.order) else assert.equal("cancelled", err.code) end
      if record then
        record, err = panel:add(order)
        assert.is_nil(record)
        assert.equal("cancelled", err.code)
        assert.is_nil(err.uncertain)
      end
      assert.equal(1, #sandbox.ask("orders?link=" .. order.link))
      assert.is_not_nil(panel:balance())
    end)
  end

  it("at any instruction that handles the ended requests loses no answer, and the wait ends", function()
    local step, wait, waits = core.step, core.wait, 0
    finally(function() core.step, core.wait = step, wait end)
    function core.wait(seconds)
      waits = waits + 1
      assert(waits < 2000, "the wait does not end")
      return wait(seconds)
    end
    for instructions = 1, 60 do
      waits = 0
      function core.step()
        local ended, thrown = step()
        if ended then
          core.step = step
          debug.sethook(function()
            debug.sethook()
            error("interrupted!", 0)
          end, "", instructions)
        end
        return ended, thrown
      end
      local ok, record = pcall(panel.balance, panel)
      debug.sethook()
      assert.is_true(ok and record ~= nil or record == "interrupted!", tostring(record))
      pcall(panel.balance, panel) -- if the answer hid the interrupt, it stops this call
    end
  end)

  -- A coroutine was lost if Ctrl-C came after it was removed from the queue and before it was resumed, and an answer if
  -- it came after its request was removed from the list and before its signal opened. LuaJIT throws in coroutines too,
  -- which ends them.
  it("at any instruction of the loop loses no coroutine and no answer", function()
    local is_hit, begun, ended, odd = true, 0, 0, nil
    local function ask()
      begun = begun + 1
      local record, err = panel:balance()
      ended = ended + 1
      if not record and err.kind ~= "cancelled" then odd = err end
    end
    local function throw_at_instruction(place)
      local count = 0
      debug.sethook(function()
        local co, is_main = coroutine.running()
        if co and not is_main or not debug.getinfo(2, "S").source:find "smmpanel/loop/" then return end
        count = count + 1
        if count < place then return end
        debug.sethook()
        is_hit = true
        error("interrupted!", 0)
      end, "", 1)
    end
    local place = 0
    while is_hit do
      place, is_hit, begun, ended = place + 1, false, 0, 0
      throw_at_instruction(place)
      pcall(smmpanel.all, { ask, ask })
      debug.sethook()
      for _ = 1, 400 do
        if ended == begun then break end
        smmpanel.sleep(0.005)
      end
      assert.equal(begun, ended, "at instruction " .. place)
      assert.is_nil(odd)
    end
    assert.is_true(place > 100, "hooks were not called")
  end)

  -- Lua 5.1 and LuaJIT: the decoder took it for a lack of memory. The answer was broken, and the program went on.
  it("in the decoder is thrown, and is not a lack of memory", function()
    for place = 1, 8 do
      local decoder, events, said = core.decoder(), 0, nil
      local ok, thrown = pcall(function()
        debug.sethook(function()
          events = events + 1
          if events < place then return end
          debug.sethook()
          error("interrupted!", 0)
        end, "cr")
        said = { decoder:feed "[[1, 2" }
        debug.sethook()
      end)
      debug.sethook()
      if said then assert.same({ true }, said) end
      if not ok then assert.equal("interrupted!", thrown) end
      assert.is_true(not ok or events < place, "an interrupt was lost")
    end
  end)

  it("while a library is loaded is thrown, and does not pass for a missing library", function()
    local lost = { "smmpanel.util.json", "cjson", "luasql.sqlite3" }
    local loaded, preloaded = {}, {}
    local function interrupted() error("interrupted!", 0) end
    for _, name in ipairs(lost) do
      loaded[name], preloaded[name] = package.loaded[name], package.preload[name]
      package.loaded[name] = nil
    end
    finally(function()
      for _, name in ipairs(lost) do package.loaded[name], package.preload[name] = loaded[name], preloaded[name] end
    end)
    package.preload["cjson"], package.preload["luasql.sqlite3"] = interrupted, interrupted
    assert.has_error(function() require("smmpanel.util.json").decode "{}" end, "interrupted!")
    assert.has_error(function() smmpanel.ledger.sqlite "/tmp/x" end, "interrupted!")
  end)

  it("before an event loop watches the engine sends nothing", function()
    local descriptor, start, started = core.descriptor, core.start, 0
    local loop = setmetatable({ watch = function() end }, { __index = require "smmpanel.loop.blocking" })
    finally(function() core.descriptor, core.start = descriptor, start end)
    function core.descriptor() error("interrupted!", 0) end
    function core.start(...)
      started = started + 1
      return start(...)
    end
    local own = sandbox.panel("", { loop = loop })
    assert.has_error(function() own:balance() end, "interrupted!")
    assert.equal(0, started)
    own:close()
  end)

  -- Orders were sent after it: at once by a single worker, and with several at the program's next call.
  it("stops a run of orders or ids, a watch and several functions, even if the program goes on", function()
    local waits, late, at = 0, 0, 2 -- nine requests take three waits at least
    local function count_late()
      if waits >= at then late = late + 1 end
    end
    local run = {
      all = function(many, list)
        local function ask()
          for _, id in ipairs(list) do many:status(id) end
        end
        return smmpanel.all { ask, ask, ask }
      end,
      watch = function(many, list)
        return many:watch(list, { interval = 0.01, on_change = count_late })
      end,
    }
    local start, wait, path = core.start, core.wait, os.tmpname()
    finally(function()
      core.start, core.wait = start, wait
      os.remove(path)
    end)
    for _, action in ipairs { "add_all", "cancel", "watch", "all" } do
      for concurrency = 1, 3, 2 do
        local name, list = action .. concurrency, {}
        waits, late = 0, 0
        for i = 1, 9 do
          local order = { service = 1, link = ("https://example.com/%s/%d"):format(name, i), quantity = 100 }
          list[i] = action == "add_all" and { ref = name .. i, order = order } or i
        end
        function core.wait(seconds)
          waits = waits + 1
          if waits == at then error("interrupted!", 0) end
          return wait(seconds)
        end
        function core.start(...)
          count_late()
          return start(...)
        end
        local many = sandbox.panel("latency:0.05", { name = name, concurrency = concurrency, batch_size = 1,
          ledger = smmpanel.ledger.sqlite(path) })
        pcall(run[action] or many[action], many, list)
        smmpanel.sleep(0.15)
        assert.is_true(waits >= at)
        assert.equal(0, late, name)
        many:close()
      end
    end
  end)

  it("takes no slot of a rate limit for calls that will not be sent", function()
    local wait, free_at, taken = core.wait, 0, 0
    local limiter = { hold = function() return true end }
    function limiter.reserve()
      local left = free_at - core.now()
      if left > 0 then return left end
      free_at, taken = core.now() + 0.05, taken + 1
      return 0
    end
    local many = sandbox.panel("latency:0.05", { limiter = limiter })
    local function ask() return many:balance() end
    finally(function() core.wait = wait end)
    function core.wait()
      core.wait = wait
      error("interrupted!", 0)
    end
    assert.has_error(function() smmpanel.all { ask, ask, ask, ask } end, "interrupted!")
    local taken_before = taken
    smmpanel.sleep(0.4)
    assert.equal(taken_before, taken)
    many:close()
  end)
end)

describe("Ctrl-C in a command", function()
  local sandbox, home = cli_sandbox.one_home { balance = "100000" }

  it("starts no further request and shows no Lua trace, wherever it comes", function()
    local rows = "ref,service,link,quantity\na,1,https://example.com/a,100\nb,1,https://example.com/b,100\n"
    home:write("orders.csv", rows)
    local lines = { "balance", "add service=1 link=https://example.com/%d quantity=100 --yes --ref s-%d",
      "cancel 1 2 3 -y --json", "services --fresh -n 3", "add --yes --from " .. home.path .. "/orders.csv" }
    local words = {}
    for i, line in ipairs(lines) do words[i] = cli.quoted(line) end
    local report = home.path .. "/report"
    local _, err, code = home:run(("cd %s; %s spec/support/interrupted.lua 40 %s %s >~/out 2>~/err"):format(
      cli.quoted(cli.ROOT), process.lua(), report, table.concat(words, " ")))
    assert.equal(0, code, err .. system.read(home.path .. "/err"))
    local text = system.read(report)
    assert.matches("^%d%d%d+ interrupts\n$", text)
  end)

  -- LuaJIT throws in coroutines too. There the run ended with the error of the cancelled order, and exit code 1.
  it("that ends a run of orders has exit code 130, whether some were placed or not", function()
    home:write("many.csv", "ref,service,link,quantity\ni,1,https://example.com/i,100\nj,1,https://example.com/j,100\n"
      .. "k,1,https://example.com/k,100\n")
    for at = 1, 2 do
      local program = ([[local abi = _VERSION:match "[%%d.]+$"
        package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
        package.cpath = "build/" .. abi .. "/?.so;" .. package.cpath
        local core, placed = require "smmpanel.core", 0
        local start = core.start
        function core.start(client, request)
          if request.action == "add" then placed = placed + 1 end
          if request.action == "add" and placed >= %d then return nil, "cancelled", "interrupted before it was sent" end
          return start(client, request)
        end
        os.exit(require("smmpanel.cli").main(arg), true)]]):format(at)
      local path = home:write("cut.lua", program)
      local _, err, code = home:run(("cd %s; %s %s add --yes --from ~/many.csv --ledger ~/cut%d"):format(
        cli.quoted(cli.ROOT), process.lua(), path, at))
      assert.equal(130, code, err)
      assert.matches(("^.*%d placed"):format(at - 1), err)
    end
  end)

  it("while its modules are loaded shows no Lua trace", function()
    for i = 1, 12 do
      local line = "%s balance & pid=$!; sleep 0.0%02d; kill -INT $pid; wait $pid"
      local out, err, code = home:run(line:format(cli.COMMAND, i * 2))
      assert.is_nil((out .. err):find("traceback", 1, true), err)
      assert.is_true(code == 130 or code == 0, tostring(code) .. err)
    end
  end)

  it("is reported with exit code 130 although the output fails", function()
    for name, where in pairs { full = "/dev/full", closed = "&-" } do
      local line = ([[%s cancel 1 2 3 -y --csv >%s & pid=$!
        until curl -sS -X POST '%s/stats?name=%s' | grep -q '"requests":[1-9]'; do again 0.05; done
        kill -INT $pid; wait $pid]]):format(cli.COMMAND, where, sandbox.control, name)
      local out, err, code = home:run(line, { name = name, fault = "latency:0.7" })
      assert.is_nil((out .. err):find("traceback", 1, true), err)
      assert.equal(130, code, err)
      assert.matches("\n1,", err)
      assert.matches("stopped", err)
    end
  end)
end)
