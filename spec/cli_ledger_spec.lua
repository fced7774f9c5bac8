-- Refs on the command line: orders placed before, orders with an unknown outcome, a new key, and smmpanel doctor.
local cli_sandbox = require "spec.support.cli_sandbox"
local csv = require "smmpanel.cli.input.csv"
local errors = require "smmpanel.errors"
local explain = require "smmpanel.cli.explain"

describe("the command line, with a ledger,", function()
  local sandbox, home, run = cli_sandbox.new_homes { balance = "100000" }

  local function orders(name, from, to)
    local rows = { "ref,service,link,quantity" }
    for i = from, to do rows[#rows + 1] = ("%s-%d,1,https://example.com/%s/%d,1000"):format(name, i, name, i) end
    return home:write(name .. ".csv", table.concat(rows, "\n"))
  end

  it("the summary before the question counts orders placed before, and the price of the others", function()
    orders("sum", 1, 3)
    run "smmpanel add --from ~/sum.csv --yes"
    orders("sum", 1, 4)
    local _, err = run "smmpanel add --from ~/sum.csv --dry-run"
    assert.matches("orders    4: 3 placed before, 1 to place\n  price     0.9 USD\n", err)
    local terminal = home:terminal { columns = 80, name = "before" }
    finally(function() terminal:close() end)
    local screen = terminal:run "smmpanel add service=1 link=https://example.com/sum/1 quantity=1000 --ref sum-1"
    assert.matches("'sum%-1' was already placed; nothing is sent\nplaced: order %d+", screen)
    orders("sum", 1, 3)
    screen = terminal:run "smmpanel add --from ~/sum.csv; echo code $?"
    assert.matches("3: 3 placed before, 0 to place\n3 placed %(3 of them before%)\ncode 0", screen)
    assert.equal(0, sandbox.counts("before").made)
  end)

  it("says that the file of --ledger is a new one, and refuses it where it should have refs", function()
    orders("typo", 1, 2)
    local _, err = run "smmpanel add --from ~/typo.csv --yes --ledger ~/right.db"
    assert.matches("right%.db is a new ledger: it has no refs yet\n", err)
    _, err = run "smmpanel add --from ~/typo.csv --yes --ledger ~/right.db"
    assert.is_nil(err:find("new ledger", 1, true))
    for _, command in ipairs { "pending", "resolve typo-1 5", "ledger adopt --yes" } do
      local _, said = run("smmpanel " .. command .. " --ledger ~/rihgt.db", 2)
      assert.matches("%-%-ledger: there is no ledger .*rihgt%.db", said)
    end
  end)

  it("resolve --from settles many, after checking the ids at the panel", function()
    orders("many", 1, 12)
    run("smmpanel add --from ~/many.csv --yes", 5, { fault = "lost@1-3&on=add" })
    local out = run "smmpanel pending --csv"
    local pending = assert(csv.records(out))
    assert.is_true(#pending >= 3)
    local rows = { "ref,order" }
    for i, record in ipairs(pending) do
      local found = sandbox.ask("orders?link=" .. record.values.link)
      rows[i + 1] = record.values.ref .. "," .. (found[1] and ("%.0f"):format(found[1].order) or "not placed")
      assert.equal("https://example.com/many/" .. record.values.ref:match "%d+", record.values.link)
      if i > 1 then
        local before, this = pending[i - 1].values.ref:match "%d+", record.values.ref:match "%d+"
        assert.is_true(tonumber(before) < tonumber(this)) -- shop-2 before shop-10
      end
    end
    home:write("wrong.csv", table.concat(rows, "\n") .. "\nmany-99,")
    local _, err = run("smmpanel resolve --yes --from ~/wrong.csv", 2)
    assert.matches("column 'order': give the order's id, or 'not placed'", err)
    home:write("twice.csv", "ref,order\nmany-1,5\nmany-2,5\n")
    _, err = run("smmpanel resolve --yes --force --from ~/twice.csv", 2)
    assert.matches("line 3, column 'order': order 5 is already in line 2", err)
    home:write("unknown.csv", "ref,order\n" .. pending[1].values.ref .. ",77\n")
    _, err = run("smmpanel resolve --yes --from ~/unknown.csv", 3)
    assert.matches("the panel does not know order 77 %(Incorrect order ID%); nothing was recorded", err)
    home:write("settled.csv", table.concat(rows, "\n"))
    run "smmpanel resolve --yes --force --from ~/settled.csv"
    assert.equal("", (run "smmpanel pending"))
  end)

  it("a panel has one ledger, with or without the default port in its URL", function()
    local place = require "smmpanel.cli.input.profiles".place
    for _, url in ipairs { "https://Panel.example/api/v2/", "https://panel.example:443/api/v2",
      "http://panel.example:80/api/v2", "https://user:word@panel.example:443/api/v2?x=1" } do
      assert.equal("panel.example_api_v2", place(url))
    end
    assert.equal("panel.example_443_api_v2", place "http://panel.example:443/api/v2")
  end)

  it("resolve shows the order and asks", function()
    run("smmpanel add service=1 link=https://example.com/r quantity=50 --yes --ref r-1", 5, { fault = "lost&on=add" })
    local made = sandbox.ask("orders?link=https://example.com/r")
    local terminal = home:terminal { columns = 100 }
    finally(function() terminal:close() end)
    local line = ("smmpanel resolve r-1 %.0f; echo code $?"):format(made[1].order)
    terminal:type(line)
    local screen = terminal:wait "Record 'r%-1' as order %d+%? %[y/N%] ?$"
    assert.matches("r%-1 +1 +50 +https://example.com/r +%d+ +%u%l+", screen)
    terminal:type "n"
    terminal:wait "nothing was recorded\ncode 1"
    terminal:type("clear; " .. line)
    terminal:wait "%[y/N%] ?$"
    terminal:type "y"
    terminal:wait "'r%-1' is order %d+\ncode 0"
  end)

  it("--not-placed waits until the panel cannot be working on the order any more, and names --force", function()
    run("smmpanel add service=1 link=https://example.com/e quantity=50 --yes --ref e-1", 5, { fault = "lost&on=add" })
    local _, err = run("smmpanel resolve e-1 --not-placed --yes", 3)
    assert.matches("the panel may still be working on 'e%-1' for %d+ seconds: try again later, or with %-%-force", err)
    assert.is_nil(err:find " panel:")
    run "smmpanel resolve e-1 --not-placed --yes --force"
  end)

  it("a ref of another key is refused until the key is adopted", function()
    local line = "smmpanel add service=1 link=https://example.com/key quantity=50 --yes --ref key-1"
    local id = run(line)
    local other = { env = { SMMPANEL_KEY = sandbox.keys.second } }
    local _, err = run(line, 3, other)
    assert.matches("'key%-1' was placed with another key; if both keys belong to one account: ", err)
    run("smmpanel ledger adopt", 2, other)
    assert.matches("1 account adopted", (run("smmpanel ledger adopt --yes", 0, other)))
    assert.equal(id, (run(line, 0, other)))
    assert.equal(1, #sandbox.ask("orders?link=https://example.com/key"))
  end)

  it("pending --investigate determines outcomes, and resolve --investigated records them", function()
    local line = "smmpanel add service=1 link=https://example.com/%s quantity=50 --yes --ref %s"
    orders("ia", 1, 40)
    run "smmpanel add --from ~/ia.csv --yes"
    run(line:format("i1", "i-1"), 5, { fault = "lost&on=add" })
    local out = run "smmpanel pending --investigate --csv"
    assert.matches("i%-1,1,uncertain,unknown,,too_early,the panel may still be working on it: .* again in %d+ s,", out)
    local table, explained = run "smmpanel pending --investigate"
    assert.matches("\ni%-1  unknown +too_early\n", "\n" .. table)
    assert.matches("too_early: the panel may still be working on it: investigate again in %d+ s", explained)
    run("smmpanel add service=1 link=https://example.com/is quantity=50 --yes", 0, -- another customer's
      { env = { SMMPANEL_KEY = sandbox.keys.second } })
    os.execute "sleep 1"
    local environment = require("luasql.sqlite3").sqlite3()
    local connection = environment:connect((run "ls ~/state/smmpanel/*.sqlite"):match "[^\n]+")
    local cursor = connection:execute "SELECT placer FROM smmpanel_orders WHERE ref = 'i-1'"
    local placer = cursor:fetch():gsub("[%d.]+$", "1") -- its last word is how long the panel may work on it
    cursor:close()
    connection:execute(("UPDATE smmpanel_orders SET placer = '%s' WHERE ref = 'i-1'"):format(placer))
    connection:close()
    environment:close()
    orders("ib", 1, 3)
    run "smmpanel add --from ~/ib.csv --yes"
    out = run "smmpanel pending --investigate --csv"
    local row = assert(csv.records(out))[1].values
    local made = sandbox.ask("orders?link=https://example.com/i1")
    assert.equal("i-1", row.ref)
    assert.equal("made", row.verdict, out)
    assert.equal(("%.0f"):format(made[1].order), row.order)
    run("smmpanel resolve --investigated", 2)
    run "smmpanel resolve --investigated --yes"
    assert.equal("", (run "smmpanel pending"))
    assert.equal(row.order .. "\n", (run(line:format("i1", "i-1"))))
    local _, err = run("smmpanel resolve --investigated --yes", 1)
    assert.matches("no outcome was determined", err)
  end)

  it("status --ref shows the order that was placed with it", function()
    local id = run("smmpanel add service=1 link=https://example.com/s quantity=50 --yes --ref s-1"):match "%d+"
    assert.matches("\n" .. id .. " ", (run "smmpanel status --ref s-1"))
    local _, err = run("smmpanel status --ref s-2", 3)
    assert.matches("the ledger has no order 's%-2'", err)
    run("smmpanel cancel --ref s-1 -y", 0)
  end)

  it("doctor reports each check as ok, or suggests a fix", function()
    local out = run "smmpanel doctor"
    local _, count = out:gsub("ok     ", "")
    assert.equal(12, count, out)
    assert.matches("libcurl +%d+%.%d+", out)
    assert.matches("clock +agrees with the panel's", out)
    out = run("smmpanel doctor", 1, { env = { SMMPANEL_KEY = "wrong-key-123" } })
    assert.matches("wrong  key +balance: Invalid API key", out)
    assert.is_nil(out:find("wrong-key-123", 1, true))
    out = run("smmpanel doctor", 1, { env = { SMMPANEL_URL = "http://127.0.0.1:1/api/v2" } })
    assert.matches("wrong  connection +balance: ", out)
  end)

  it("--debug shows the exchange on stderr, without the key", function()
    local out, err = run "smmpanel status 1 --debug --json"
    assert.matches("^%[\n{", out)
    assert.matches("> POST http://127.0.0.1[^\n]*\n> key=K&action=status&order[s]?=1\n< HTTP 200\n", err)
    assert.matches('< {"[^\n]*"Partial"', err)
    assert.is_nil(err:find(sandbox.key, 1, true))
  end)
end)

describe("the next command after an uncertain order", function()
  it("can be pasted into a shell, whatever the ref is", function()
    local err = errors.new { kind = "network", code = "timeout", action = "add", message = "no answer",
      uncertain = true, ref = "it's $5", order = 7 }
    local next_command = explain.text(err):match "; next: (.*)$"
    assert.equal([[smmpanel resolve 'it'\''s $5' 7]], next_command)
  end)
end)
