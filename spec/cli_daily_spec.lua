-- The daily work of a shop owner and their scripts with the command line.
local answering = require("spec.support.sandbox").answering
local cjson = require "cjson"
local cli = require "spec.support.cli"
local cli_sandbox = require "spec.support.cli_sandbox"
local csv = require "smmpanel.cli.input.csv"
local system = require "spec.support.system"

describe("the command line, day by day:", function()
  local sandbox, home, run = cli_sandbox.one_home { balance = "100.84292" }

  it("watch prints why polls fail, and its last line has the reason", function()
    local _, err = run("smmpanel watch 1 100 --interval 0.2 --timeout 4", 4, { fault = "500&on=status" })
    assert.matches("smmpanel: a poll failed: status: [^\n]*500", err)
    local _, count = err:gsub("a poll failed", "")
    assert.equal(1, count)
    assert.matches("the last poll failed: HTTP 500: Internal Server Error", err)
  end)

  it("ids are numbers in JSON, and texts if they are not integers", function()
    for _, line in ipairs { "status 999 --json", "cancel 999 -y --json" } do
      assert.matches('"order":999[,}]', (run("smmpanel " .. line, 1)))
    end
    assert.matches('"refill":999[,}]', (run("smmpanel refill-status 999 --json", 1)))
    assert.matches('"order":"a1"', (run("smmpanel status a1 --json", 1)))
    run("smmpanel add service=1 link=https://example.com/j quantity=100 --yes --ref j-1", 5,
      { fault = "lost&on=add" })
    assert.matches('"service":1[,}]', (run "smmpanel pending --json"))
  end)

  it("add writes CSV for a single order too", function()
    local out = run "smmpanel add service=1 link=https://example.com/k quantity=100 --yes --ref k-1 --csv"
    local records = assert(csv.records(out))
    assert.equal("k-1", records[1].values.ref)
    assert.truthy(tonumber(records[1].values.order))
  end)

  it("CSV has no formulas for a spreadsheet, unless requested, and reads back unchanged", function()
    local status = '{"charge":"-5","status":"=cmd()","remains":"1","currency":"@x","start_count":"+1"}'
    local odd = { fault = answering(status) }
    local out = run("smmpanel status 1 --csv", 0, odd)
    assert.matches("\r\n1,'=cmd%(%),%-5,'@x,%+?1,1,", out)
    assert.equal("=cmd()", assert(csv.records(out))[1].values.status)
    out = run("smmpanel status 1 --csv --raw-csv", 0, odd)
    assert.matches("\r\n1,=cmd%(%),", out)
  end)

  it("CSV returns a text that itself begins with the mark of a formula", function()
    local file, ref = io.tmpfile(), "'-5 eggs"
    local sink = require "smmpanel.cli.views.formats".sink({ csv = true }, { fields = { "ref" } }, file)
    sink:row { ref = ref }
    sink:close()
    file:seek "set"
    assert.equal(ref, assert(csv.records(file:read "*a"))[1].values.ref)
    file:close()
  end)

  it("filters work with --save and --diff", function()
    run "smmpanel services --type package --save ~/packages.json"
    local out = run "smmpanel services --against ~/packages.json --csv"
    local all = assert(csv.records(out))
    out = run "smmpanel services --against ~/packages.json --csv --type package"
    assert.equal(0, #assert(csv.records(out)))
    out = run "smmpanel services --against ~/packages.json --csv --type poll"
    local some = assert(csv.records(out))
    assert.is_true(#some > 0 and #some < #all)
    run "ln -s ~/packages.json ~/link.json; smmpanel services --save ~/link.json; test -L ~/link.json"
    local _, err = run("smmpanel services --save /dev/null", 1)
    assert.matches("/dev/null is a char device", err)
  end)

  it("balance --below exits with 1", function()
    run("smmpanel balance --below 10", 0)
    assert.matches("USD", (run("smmpanel balance --below 100000", 1)))
    run("smmpanel balance --below lots", 2)
    run("smmpanel balance --below 10", 3, { fault = answering '{"balance":"?","currency":"USD"}' })
    run("smmpanel balance --below 10", 1, { fault = answering '{"balance":"-3.5","currency":"USD"}' })
  end)

  it("long texts take no time", function()
    local long = ("x"):rep(100000)
    local list = {}
    for i = 1, 2000 do
      list[i] = ('{"service":%d,"name":"%s","rate":"1"}'):format(i, i == 7 and long or "n" .. (" "):rep(50))
    end
    home:write("long.json", '{"smmpanel":1,"decimals":"string","saved":1,"site":"","services":[\n'
      .. table.concat(list, ",\n") .. "\n]}\n")
    local out = run "ulimit -t 10; smmpanel services --against ~/long.json"
    assert.is_true(#out < 3e6, #out)
    run("ulimit -t 10; smmpanel status " .. long, 1)
  end)

  describe("on a terminal", function()
    local terminal
    after_each(function() terminal:close() end)

    it("NO_COLOR and TERM=dumb allow no escape sequence", function()
      for _, env in ipairs { "NO_COLOR=1", "TERM=dumb" } do
        terminal = home:terminal { columns = 80 }
        local script = home:write("session", ("%s script -qec '%s status 1 100' ~/typed >/dev/null\n"):format(env,
          (cli.COMMAND:gsub("'", ""))))
        home:run("bash " .. script .. " 2>&1; true")
        local text = system.read(home.path .. "/typed")
        assert.matches("In progress", text)
        assert.is_nil(text:find "\27", env)
        terminal:close()
      end
    end)

    it("on a narrow terminal, columns are left out and no state is cut", function()
      terminal = home:terminal { columns = 24 }
      local screen = terminal:run "smmpanel status 1 100"
      assert.matches("100 +In progress", screen)
      assert.is_nil(screen:find "START")
    end)

    it("Ctrl-C at a question starts a new line and prints that nothing was sent", function()
      terminal = home:terminal { columns = 80, name = "question" }
      terminal:type "smmpanel add service=1 link=https://example.com/ctrl quantity=100; echo code $?"
      terminal:wait "Place this order%? %[y/N%] ?$"
      terminal:key "C-c"
      local screen = terminal:wait "code 130"
      assert.matches("%[y/N%] ?%^?C?\nsmmpanel: stopped: nothing was sent\n", screen)
      assert.equal(0, sandbox.counts("question").made)
    end)

    it("watch shows why polls fail in its footer", function()
      terminal = home:terminal { columns = 70, rows = 15, fault = "500&on=status" }
      terminal:type "smmpanel watch 1 100 --interval 1"
      terminal:wait "\nthe last poll failed: status: [^\n]+"
      terminal:key "C-c"
    end)
  end)

  it("add --help and the manual list the fields of each type, units and the columns of a file", function()
    for _, command in ipairs { "smmpanel add --help", "smmpanel man" } do
      local text = (run(command)):gsub("\\", "")
      for _, part in ipairs { "Web Traffic", "link, quantity, country, device, type_of_traffic", "drip%-feed",
        "31/12/2026", "Columns of a CSV file", "your own name for the order" } do
        assert.matches(part, text)
      end
    end
  end)

  it("the dialogue checks each answer at once, offers optional fields, and keeps typed answers", function()
    local terminal = home:terminal { columns = 110, rows = 40, name = "dialogue" }
    finally(function() terminal:close() end)
    terminal:type "smmpanel add service=16; echo code $?"
    for _, step in ipairs { { "username: ?$", "someone" }, { "min %(.-%): ?$", "many" },
      { "min must be a whole number, got 'many'\nmin %(.-%): ?$", "100" }, { "max %(.-%): ?$", "200" },
      { "delay %(minutes%): ?$", "0" }, { "posts %(number of new posts, Enter: none%): ?$", "5" },
      { "old_posts %(.-, Enter: none%): ?$", "" }, { "expiry %(as 31/12/2026, Enter: none%): ?$", "31/12/2030" },
      { "posts +5\n.*expiry +31/12/2030\n.*%[y/N%] ?$", "n" } } do
      terminal:wait(step[1])
      terminal:type(step[2])
    end
    terminal:wait "to repeat: smmpanel add service=%d+ username=someone min=100 max=200 delay=0"
    assert.equal(0, sandbox.counts("dialogue").made)
  end)

  it("JSON is as described in --help: an array, or an object for a single one", function()
    assert.equal(2, #cjson.decode((run "smmpanel status 1 100 --json")))
    assert.matches("^{", (run "smmpanel balance --json"))
    assert.matches("an array with one record per line", (run "smmpanel status --help"):gsub("%s+", " "))
  end)
end)
