-- The command line in pipes, against the sandbox: what a script gets.
local cjson = require "cjson"
local cli = require "spec.support.cli"
local cli_sandbox = require "spec.support.cli_sandbox"
local csv = require "smmpanel.cli.input.csv"
local system = require "spec.support.system"

describe("the command line in a pipe", function()
  local sandbox, home = cli_sandbox.one_home()

  -- Runs a line. Without an expected code it must succeed and write nothing to stderr.
  local function run(line, code, options)
    local out, err = home:expect(line, code, options)
    if not code then assert.equal("", err) end
    return out, err
  end

  local function loaded(text) return assert((loadstring or load)(text))() end

  it("shows its version, and help with examples and exit codes", function()
    assert.matches("^smmpanel %d+%.%d+%.%d+\n$", run "smmpanel --version")
    local help = run "smmpanel --help"
    for _, part in ipairs { "Examples:", "smmpanel add %-%-from orders.csv", "Exit codes:", "130  stopped by",
      "cannot be\n       used" } do
      assert.matches(part, help)
    end
    local count = 0
    for name in help:gmatch "\n   (%l[%l-]+)  +%u" do
      assert.truthy((run("smmpanel " .. name .. " --help")):find("Usage: smmpanel " .. name, 1, true), name)
      count = count + 1
    end
    assert.equal(15, count)
    assert.equal(help, run "smmpanel help")
    assert.equal(run "smmpanel status --help", run "smmpanel help status")
  end)

  it("completion writes a script for each shell", function()
    for shell, check in pairs { bash = "bash -n", zsh = "zsh -n", fish = "fish --no-config --no-execute" } do
      local script = home:write("completion", run("smmpanel completion " .. shell))
      local _, err, code = home:run(check .. " " .. script)
      assert.equal("0", ("%d%s"):format(code, err))
    end
  end)

  it("sandbox prints only the two lines to paste, and has stopped when it is ended", function()
    local out, err, code = home:run(cli.COMMAND .. [[ sandbox --services 30 >~/lines & pid=$!
      for i in $(seq 200); do [ "$(wc -l <~/lines)" = 2 ] && break; sleep 0.05; done
      . ~/lines; smmpanel services --csv | wc -l; kill $pid
      for i in $(seq 200); do curl -s -o ~/body "$SMMPANEL_URL" || break; sleep 0.05; done
      curl -s -o ~/body "$SMMPANEL_URL" || echo gone]])
    assert.equal("31\ngone\n", out)
    assert.matches("The sandbox panel.*Ctrl%-C stops it", err)
    assert.equal(0, code)
    for option, why in pairs { ["--fault nonsense"] = "unknown fault nonsense; known: ",
      ["--balance much"] = "'much' is not an amount", ["--port 70000"] = "'70000' is not a port %(1 to 65535%)",
      ["--services x"] = "'x' is not a whole number" } do
      assert.matches(why, select(2, run("smmpanel sandbox " .. option, 2)))
    end
  end)

  it("explains wrong arguments, with exit code 2", function()
    local function refused(line, why)
      local out, err = run(line, 2)
      assert.equal("", out)
      assert.matches(why, err)
    end
    refused("smmpanel nonsense", "unknown command 'nonsense'.*`smmpanel %-%-help` lists the commands")
    refused("smmpanel statu", "Did you mean 'status'%?")
    refused("smmpanel status --jso 1", "unknown option '%-%-jso'")
    refused("smmpanel services --json --csv", "can not be used together")
    refused("smmpanel services --max-rate cheap", "'cheap' is not a price")
    refused("smmpanel status", "no order ids")
    refused("smmpanel status --from /nonexistent", "No such file")
    refused("smmpanel call nothing a", "'a' is not a field")
    refused("smmpanel completion tcsh", "must be one of 'bash', 'zsh', 'fish'")
    refused("smmpanel", "a command is required")
  end)

  it("balance: as text, JSON, CSV and Lua", function()
    assert.matches("^%d[%d.]+ USD\n$", run "smmpanel balance")
    assert.equal("USD", cjson.decode((run "smmpanel balance --json")).currency)
    assert.matches("^balance,currency\r\n[%d.]+,USD\r\n$", run "smmpanel balance --csv")
    assert.equal("USD", loaded(run "smmpanel balance --lua").currency)
  end)

  describe("services", function()
    it("are a table without colours and cuts", function()
      local out = run "smmpanel services"
      assert.is_nil(out:find "\27")
      assert.matches("\n 1  Followers +First Category +Default +0.90 +50 +10000  R  C\n", out)
      assert.matches("Instagram Followers 🔥 %[One Order a Link ♻ 30 Days%]", out)
    end)

    it("are searched and sorted", function()
      local function ids(line)
        local list = {}
        for _, record in ipairs(assert(csv.records((run("smmpanel services --csv " .. line))))) do
          list[#list + 1] = record.values.service
        end
        return table.concat(list, " ")
      end
      assert.equal("16 21", ids "INSTAGRAM new\\ posts" .. " " .. ids "--search 'one order'")
      assert.equal("3 5", ids "--type package" .. " " .. ids "--type 'custom comments package'")
      assert.equal("1 19 21", ids "--refill")
      assert.equal("18 17 16", ids "--sort rate -n 3")
      assert.equal("3 13 2", ids "--sort rate --reverse --limit 3")
      assert.equal("1", ids "--category first --min-rate 0.9 --max-rate 0.90 --cancel -q 50")
      assert.equal("", ids "nothing like this")
    end)

    it("are written as JSON, CSV and Lua without losing a digit", function()
      local list = cjson.decode((run "smmpanel services --json"))
      assert.equal(21, #list)
      assert.equal("0.00071655", list[18].rate)
      assert.same(list[3].name, loaded(run "smmpanel services --lua")[3].name)
      local records = assert(csv.records((run "smmpanel services --csv")))
      assert.equal("0.90", records[1].values.rate)
      assert.equal("true", records[1].values.refill)
      assert.equal("[]\n", run "smmpanel services --json nothing like this")
      assert.equal("return {}\n", run "smmpanel services --lua nothing like this")
      assert.equal("", run "smmpanel services nothing like this")
    end)

    it("are cached, so that searches send no request", function()
      run("smmpanel services --fresh", nil, { name = "kept" })
      run("smmpanel services a; smmpanel services b; smmpanel services --cost 1 5", nil, { name = "kept" })
      assert.equal(1, sandbox.counts "kept".requests)
      run("smmpanel services --max-age 0", nil, { name = "kept" })
      assert.equal(2, sandbox.counts "kept".requests)
    end)

    it("are priced exactly", function()
      assert.equal("1.35\n", run "smmpanel services --cost 1 1500")
      assert.equal("0.00000071655\n", run "smmpanel services --cost 18 1")
      assert.equal("12.5\n", run "smmpanel services --cost 3 1")
      assert.equal("13.5\n", run "smmpanel services --cost 1 1500 10")
      assert.matches("no service 999", select(2, run("smmpanel services --cost 999 1", 2)))
      assert.matches("'x' is not a whole number", select(2, run("smmpanel services --cost 1 x", 2)))
    end)

    it("are compared with the previous ones", function()
      local _, err = home:run "smmpanel services --diff"
      assert.matches("21 services are saved for the next time", err)
      assert.equal("", run "smmpanel services --diff")
      local saved = home.path .. "/saved.json"
      run("smmpanel services --save " .. saved)
      local text = system.read(saved):gsub('"rate":"0.90"', '"rate":"1.00"'):gsub('"max":1500', '"max":1400')
        :gsub('"service":21', '"service":99')
      system.write(saved, text)
      local list = cjson.decode((run("smmpanel services --json --against " .. saved)))
      assert.equal(4, #list)
      assert.same({ change = "changed", service = 1, name = "Followers", field = "rate", before = "1.00",
        after = "0.90" }, list[3])
      local out = run("smmpanel services --against " .. saved)
      assert.matches("~ changed +1 +Followers +rate +1.00 +0.90 %(%-10.0 %%%)", out)
      assert.matches("%- gone +99", out)
    end)

    it("end quietly when the reader has closed the pipe", function()
      local out, err, code = home:run "set -o pipefail; smmpanel services --csv | head -n 1"
      assert.matches("^service,name", out)
      assert.equal("", err)
      assert.truthy(code == 0 or code == 141)
      -- If the signal is ignored, the write fails instead.
      out, err = home:run("trap '' PIPE; { sleep 0.3; smmpanel services; echo $? >~/code; } | true; "
        .. "until [ -s ~/code ]; do again 0.05; done; cat ~/code")
      assert.equal("141\n", out)
      assert.equal("", err)
    end)

    it("report a full disk", function()
      local _, err = run("smmpanel services --json >/dev/full", 1)
      assert.matches("cannot write: No space left", err)
    end)
  end)

  describe("status", function()
    it("reads ids from arguments, from a file, and from the standard input", function()
      local expected = "order,status,charge,currency,start_count,remains,posts,runs,expiry,orders,error,code\r\n"
        .. "1,Partial,0.27819,USD,3572,157,,,,,,\r\n100,In progress,1.44219,USD,234,10,,,,,,\r\n"
      assert.equal(expected, run "smmpanel status --csv 1 100")
      assert.equal(expected, run "smmpanel status --csv 1,100,1")
      assert.equal(expected, run("smmpanel status --csv", nil, { input = "# mine\n1\r\n100 # last\n" }))
      assert.equal(expected, run("smmpanel status --csv -", nil, { input = "1\n100\n" }))
      assert.equal(expected, run("smmpanel status --csv --from " .. home:write("ids", "1\n100\n")))
      assert.equal(expected, run("smmpanel status --csv --from - ", nil, { input = "error;order\n;1\nx;100" }))
    end)

    it("shows each id, and exits with 1 if some failed", function()
      local out = run("smmpanel status 1 999", 1)
      assert.matches("^ORDER  STATUS +CHARGE  START  REMAINS\n1 +Partial +0.27819 USD +3572 +157", out)
      assert.matches("\n999 +Incorrect order ID", out)
      local list = cjson.decode((run("smmpanel status --json 1 999", 1)))
      assert.same({ order = 999, error = "Incorrect order ID", code = "bad_order" },
        { order = tonumber(list[2].order), error = list[2].error, code = list[2].code })
    end)

    it("keeps every digit of an id", function()
      local out = run("smmpanel status --json 92233720368547758079", 1)
      assert.matches('"order":"92233720368547758079"', out)
    end)

    it("returns any number of them, in the given order", function()
      local ids, input = {}, {}
      for i = 1, 1234 do
        ids[i] = i % 3 == 0 and 500000 + i or ({ 1, 2, 100 })[i % 3] + i * 1000000
        input[i] = ("%d\n"):format(ids[i])
      end
      local out = run("smmpanel status --csv --from -", 1, { input = table.concat(input), name = "many" })
      local records = assert(csv.records(out))
      assert.equal(1234, #records)
      for i, record in ipairs(records) do assert.equal(("%d"):format(ids[i]), record.values.order) end
      assert.equal(13, sandbox.counts "many".requests)
    end)
  end)

  it("refill, refill-status and cancel", function()
    local out = run("smmpanel refill --yes --json 1 2", 1)
    local list = cjson.decode(out)
    assert.equal("Order is not completed", list[2].error)
    local refill = ("%d"):format(list[1].refill)
    assert.matches("^REFILL  STATUS\n" .. refill .. " +Completed\n$", run("smmpanel refill-status " .. refill))
    assert.matches("999 +Refill not found", (run("smmpanel refill-status 999", 1)))
    local order = run "smmpanel add service=1 link=https://example.com/c quantity=50 --yes":gsub("%s", "")
    assert.matches("^ORDER  CANCEL\n" .. order .. " +requested\n$", run("smmpanel cancel --yes " .. order))
    assert.matches("Order can't be canceled", (run("smmpanel cancel -y " .. order, 1)))
  end)

  it("exits with 3 if the panel refuses or its answer cannot be used, with 4 if it is unreachable", function()
    local wrong = { env = { SMMPANEL_KEY = "wrong-key-1234" } }
    for _, line in ipairs { "balance", "services --fresh", "status 1 2 3", "refill -y 1", "call balance" } do
      local out, err = run("smmpanel " .. line, 3, wrong)
      assert.matches("^smmpanel: [%l_]+: Invalid API key %(panel, invalid_key", err)
      assert.is_nil((out .. err):find("wrong-key", 1, true))
    end
    run("smmpanel balance", 3, { fault = "html" })
    run("smmpanel balance", 4, { fault = "cut:5", env = { SMMPANEL_URL = "http://127.0.0.1:1/" } })
    run("smmpanel status 1", 4, { env = { SMMPANEL_URL = "http://127.0.0.1:1/" } })
    local _, err = run("smmpanel balance", 2, { env = { SMMPANEL_URL = "ftp://example.com/" } })
    assert.matches("the panel's settings: url must be", err)
  end)

  it("sends no further request after the key was refused", function()
    local ids = {}
    for i = 1, 2000 do ids[i] = tostring(i) end
    run("smmpanel status", 3, { input = table.concat(ids, "\n"), name = "refused", env = {
      SMMPANEL_KEY = "wrong-key-1234", SMMPANEL_URL = sandbox.url_with("", "refused") } })
    assert.is_true(sandbox.counts "refused".requests <= 8)
  end)

  it("prints the results if some requests failed, and exits with 1", function()
    local ids = {}
    for i = 1, 1000 do ids[i] = tostring(i) end
    local out, err = run("smmpanel status --csv", 1, { input = table.concat(ids, "\n"), fault = "html@3",
      name = "some" })
    local records = assert(csv.records(out))
    assert.equal(1000, #records)
    local lost = 0
    for _, record in ipairs(records) do lost = lost + (record.values.code == "not_json" and 1 or 0) end
    assert.equal(300, lost)
    assert.matches("not_json", err)
  end)

  describe("watch", function()
    it("prints a line per change, and ends when all are final", function()
      local order = run "smmpanel add service=1 link=https://example.com/w quantity=50 --yes":gsub("%s", "")
      sandbox.ask("advance?seconds=5")
      local out, err, code = home:run(("{ sleep 1; curl -sS -X POST %s/advance?seconds=60 >/dev/null; } & "
        .. "smmpanel watch --interval 0.3 %s"):format(sandbox.control, order))
      assert.equal("", err)
      assert.equal(0, code)
      assert.matches("^%d+%-%d+%-%d+T[%d:]+  " .. order .. "  In progress  remains %d+\n", out)
      assert.matches("\n[^ ]+  " .. order .. "  In progress %-> Completed  remains 0\n$", out)
    end)

    it("exits with 1 if an order was not completed or is unknown, with 4 at the timeout", function()
      assert.matches("  1  Partial", (run("smmpanel watch 1 --interval 0.1", 1)))
      assert.matches("Incorrect order ID", (run("smmpanel watch 999 --interval 0.1", 1)))
      local out = run("smmpanel watch 2 --json --interval 0.1 --timeout 0.5", 4)
      assert.equal("In progress", cjson.decode(out).status)
    end)
  end)
end)
