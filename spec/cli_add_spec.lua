-- Placing orders from the command line, single and many, each once: against the sandbox, which counts.
local cjson = require "cjson"
local cli = require "spec.support.cli"
local cli_sandbox = require "spec.support.cli_sandbox"
local csv = require "smmpanel.cli.input.csv"
local system = require "spec.support.system"

describe("smmpanel add, in a pipe,", function()
  local sandbox, home, run = cli_sandbox.one_home { balance = "100000" }

  local function order_with(link) return sandbox.ask("orders?link=" .. link) end

  it("places an order and prints its id", function()
    local out, err = run "smmpanel add service=1 link=https://example.com/one quantity=100 --yes"
    assert.equal("", err)
    assert.matches("^%d+\n$", out)
    assert.matches("^" .. out:match "%d+" .. " ", run("smmpanel status " .. out):match "\n(.*)")
    assert.is_number(cjson.decode((run "smmpanel add service=3 link=https://example.com/p --yes --json")).order)
    assert.matches("^return { order = %d+ }\n$", run "smmpanel add service=3 link=https://example.com/q -y --lua")
  end)

  it("reads lists from a file, from the standard input, and from repeated fields", function()
    home:write("comments", "one\n\n two \r\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n")
    local line = "smmpanel add service=2 link=https://example.com/list%d --yes comments=%s"
    run(line:format(1, "@" .. home.path .. "/comments"))
    run(line:format(2, "@-"), 0, { input = system.read(home.path .. "/comments") })
    local several = {}
    for i = 1, 10 do several[i] = "comments=c" .. i end
    run("smmpanel add service=2 link=https://example.com/list3 --yes " .. table.concat(several, " "))
    local _, err = run(line:format(4, "@nowhere"), 2)
    assert.matches("there is no file 'nowhere'", err)
    _, err = run(line:format(4, "@@someone"), 2)
    assert.matches("takes at least 10, not 1", err)
    run "smmpanel add service=12 link=https://example.com/u username=@someone quantity=10 --yes"
  end)

  it("sends no wrong order, explains why, and exits with 2", function()
    local cases = {
      ["link=https://example.com/ quantity=100"] = "no service given",
      ["service=1 quantity=100"] = "an order of type 'Default' needs link",
      ["service=1 link=https://example.com/ quantity=1"] = "service 1 takes at least 50, not 1",
      ["service=1 link=https://example.com/ quantity=many"] = "quantity must be a whole number, got 'many'",
      ["service=99 link=https://example.com/"] = "the panel lists no service 99",
      ["service=1 link=l quantity=100 quantiy=5"] = "an order has no field 'quantiy'; did you mean 'quantity'%?",
      ["service=1 link=l quantity=100 --ref ''"] = "the ref must be a string of 1 to 256 bytes",
      ["service=1 service=2"] = "the field 'service' is given twice",
      ["service"] = "'service' is not a field: write fields as name=value",
      ["service=17 link=l quantity=500 country=TR device=9 type_of_traffic=3"] = "device must be from 1 to 5",
      ["service=14 link=l quantity=100 answer_number=x"] = "answer_number must be a whole number",
      ["service=1 link=l quantity=100 --from x"] = "%-%-from takes no fields",
    }
    for given, why in pairs(cases) do
      local out, err = run("smmpanel add --yes " .. given, 2, { name = "wrong" })
      assert.equal("", out)
      assert.matches(why, err)
    end
    local _, err = run("smmpanel add service=1 link=l quantity=100", 2, { name = "wrong" })
    assert.matches("not a terminal: pass %-%-yes to place the order", err)
    _, err = run("smmpanel add service=1 link=l quantity=1500 runs=2 interval=10 --dry-run", 0, { name = "wrong" })
    assert.matches("price     2.7 USD", err)
    assert.equal(0, sandbox.counts "wrong".made)
    run("smmpanel add service=1 link=l quantity=100 mood=good --any-field --yes", 0, { name = "wrong" })
    assert.equal(1, sandbox.counts "wrong".made)
  end)

  it("exits with 3 if the panel refuses, and reports an order that may have been placed", function()
    local line = "smmpanel add service=1 link=https://example.com/refused quantity=100 --yes"
    local empty = { env = { SMMPANEL_KEY = sandbox.keys.empty } }
    assert.matches("Not enough funds on balance %(panel, no_funds", (select(2, run(line, 3, empty))))
    for _, fault in ipairs { "lost", "made,empty", "made,502-html" } do
      local _, err = run(line, 5, { fault = fault .. "&on=add", name = "lost" })
      assert.matches("uncertain: it may have been carried out", err)
    end
    assert.equal(3, sandbox.counts "lost".made)
  end)

  it("with a ref, places an order at most once, until it is resolved", function()
    local line = "smmpanel add service=1 link=https://example.com/ref quantity=100 --yes --ref mine-1"
    local first = run(line)
    assert.equal(first, run(line))
    assert.equal(1, #order_with "https://example.com/ref")
    local _, err = run((line:gsub("quantity=100", "quantity=200")), 3)
    assert.matches("mismatch", err)
    local plain = { env = { SMMPANEL_URL = sandbox.url } } -- the faults are for who asks for none
    local lost = "smmpanel add service=1 link=https://example.com/lost quantity=100 --yes --ref mine-2"
    sandbox.ask("faults?fault=lost&on=add")
    run(lost, 5, plain)
    sandbox.ask("faults")
    _, err = run(lost, 5, plain)
    assert.matches("the outcome of the order 'mine%-2' is unknown; see: smmpanel pending", err)
    assert.equal(1, #order_with "https://example.com/lost")
    local pending = cjson.decode((run("smmpanel pending --json", 0, plain)))
    assert.same({ "mine-2", "uncertain", "https://example.com/lost" },
      { pending[1].ref, pending[1].state, pending[1].link })
    assert.matches("^REF +STATE +SINCE +SERVICE +QUANTITY +LINK\nmine%-2 +uncertain", run("smmpanel pending", 0, plain))
    assert.matches("pass either the order's id", (select(2, run("smmpanel resolve mine-2", 2))))
    assert.matches("pass either the order's id", (select(2, run("smmpanel resolve mine-2 5 --not-placed", 2))))
    assert.matches("not a terminal: pass %-%-yes", (select(2, run("smmpanel resolve mine-2 " .. first, 2, plain))))
    assert.matches("the panel does not know order 77", (select(2, run("smmpanel resolve mine-2 77 -y", 3, plain))))
    assert.matches("has another ref", (select(2, run("smmpanel resolve mine-2 --yes " .. first, 3, plain))))
    local made = tostring(order_with "https://example.com/lost"[1].order)
    run("smmpanel resolve mine-2 --yes " .. made, 0, plain)
    assert.equal(made .. "\n", (run(lost, 0, plain)))
    assert.matches("^ORDER.*\n" .. made .. " ", (run("smmpanel status --ref mine-2", 0, plain)))
    run("smmpanel status --ref nobody", 3, plain)
    assert.equal("", (run("smmpanel pending", 0, plain)))
    run("smmpanel resolve unheard-of 1 -y", 1, plain)
  end)

  describe("--from a file", function()
    local function orders(name, count, more)
      local rows = { "ref,service,link,quantity,comments" }
      for i = 1, count do rows[i + 1] = ("%s-%d,1,https://example.com/%s/%d,100,"):format(name, i, name, i) end
      return home:write(name .. ".csv", table.concat(rows, "\r\n") .. "\r\n" .. (more or ""))
    end

    it("places each order, prints a report, and places none again", function()
      local path = orders("each", 12, 'each-c,2,https://example.com/each/c,,"1\n2\n3\n4\n5\n6\n7\n8\n9\n10"\n')
      local out, err = run("smmpanel add --csv --yes --from " .. path, 0, { name = "each" })
      assert.equal("13 placed\n", err)
      local records = assert(csv.records(out))
      assert.equal("each-c", records[13].values.ref)
      for _, record in ipairs(records) do
        assert.equal("placed", record.values.result)
        assert.truthy(tonumber(record.values.order))
      end
      local again
      again, err = run("smmpanel add --csv --yes --from - <" .. path, 0, { name = "each" })
      assert.equal(out, again)
      assert.equal("13 placed (13 of them before)\n", err)
      assert.equal(13, sandbox.counts "each".made)
      assert.equal("", run("smmpanel add --yes --from " .. path))
    end)

    it("sends nothing if a row is wrong", function()
      local path = orders("wrong", 3, "wrong-1,1,l,100,\n,1,l,100,\nwrong-5,,l,100,\nwrong-6,1,,1,\n")
      local out, err = run("smmpanel add --yes --from " .. path, 2, { name = "rows" })
      assert.equal("", out)
      assert.matches("wrong.csv: 5 invalid rows; nothing was sent:", err)
      assert.matches("\n  line 5, column 'ref': the ref 'wrong%-1' is already in line 2", err)
      assert.matches("\n  line 6, column 'ref': the ref is missing", err)
      assert.matches("\n  line 7, column 'service': the service is missing", err)
      assert.matches("\n  line 8, column 'link': an order of type 'Default' needs link", err)
      assert.matches("\n  line 8, column 'quantity': service 1 takes at least 50, not 1", err)
      for text, why in pairs { ["a,b\n1,2\n"] = "no column is named 'ref'",
        ["ref,service,qty\na,1,50\n"] = "unknown column 'qty' ", [""] = "it is empty",
        ["ref,service\n"] = "the file has no orders", ['ref,service\n"1,2\n'] = "line 2: a quote is not closed" } do
        assert.matches(why, (select(2, run("smmpanel add --yes --from " .. home:write("bad.csv", text), 2))))
      end
      assert.equal(0, sandbox.counts "rows".made)
    end)

    it("reports refused and uncertain orders, and stops when the money is used up", function()
      local path, odd = orders("odd", 20), { fault = "lost@2,error:Bad%20link@8&on=add", name = "odd" }
      local out, err = run("smmpanel add --yes --from " .. path, 5, odd)
      assert.matches("refused", out)
      assert.matches("uncertain", out)
      assert.matches("\n?%d+ placed, %d+ refused, %d+ uncertain\n", err)
      assert.matches("smmpanel pending %-%-investigate", err)
      path = orders("poor", 30)
      sandbox.ask("balance?account=second&balance=0.45")
      out, err = run("smmpanel add --yes --csv --from " .. path, 1, { env = { SMMPANEL_KEY = sandbox.keys.second } })
      assert.matches("^5 placed, %d+ refused, %d+ not sent\n", err)
      assert.matches("Stopped early: add: Not enough funds", err)
      assert.matches("To continue, run the same command again", err)
      assert.equal(30, #assert(csv.records(out)))
      sandbox.ask("balance?account=second&balance=100")
      err = select(2, run("smmpanel add --yes --from " .. path, 0, { env = { SMMPANEL_KEY = sandbox.keys.second } }))
      assert.equal("30 placed (5 of them before)\n", err)
    end)

    it("with 200 orders, killed half-way and run again, places each once", function()
      local path = orders("kill", 200)
      home:write("config/smmpanel/config.lua", ("slow = { url = %q, key = %q, timeout = 3 }"):format(
        sandbox.url_with("latency:0.05", "kill"), sandbox.key))
      os.execute("chmod 600 " .. home.path .. "/config/smmpanel/config.lua")
      local line = "smmpanel add --panel slow --yes --csv --from " .. path
      home:run(("%s & pid=$!; until [ \"$("
        .. "curl -sS -X POST '%s/stats?name=kill' | grep -o '\"made\":[0-9]*' | cut -d: -f2)\" "
        .. "-ge 60 ]; do again 0.02; done; kill -KILL $pid; wait"):format((line:gsub("^smmpanel", cli.COMMAND)),
        sandbox.control))
      local made, before = sandbox.counts "kill".made
      assert.is_true(made >= 60 and made < 200, made)
      repeat -- until the panel has carried out what the killed one had sent
        os.execute "sleep 0.5"
        before, made = made, sandbox.counts "kill".made
      until made == before
      local out, err = home:run(line)
      local records, open = assert(csv.records(out)), 0
      for _, record in ipairs(records) do
        if record.values.result ~= "placed" then
          assert.equal("uncertain", record.values.result)
          open = open + 1
          local found = order_with("https://example.com/kill/" .. record.values.ref:match "%d+")
          local word = found[1] and ("%.0f"):format(found[1].order or found[1].id) or "--not-placed"
          run(("smmpanel resolve --force -y --panel slow %s %s"):format(record.values.ref, word))
        end
      end
      assert.is_true(open <= 8, open .. " are open\n" .. err) -- the number of concurrent requests
      run(line)
      assert.equal(200, sandbox.counts "kill".made)
      for i = 1, 200, 3 do assert.equal(1, #order_with("https://example.com/kill/" .. i)) end
      assert.is_nil(run("smmpanel pending --panel slow"):find "kill%-")
    end)
  end)
end)
