-- Files for commands with --from: each is read by its columns and checked completely, and no other cell ever becomes an
-- id or an order. Against the sandbox's own count.
local cli_sandbox = require "spec.support.cli_sandbox"
local csv = require "smmpanel.cli.input.csv"
local system = require "spec.support.system"

local HEAD = "ref,service,link,quantity\r\n"

describe("smmpanel --from", function()
  local sandbox, home, run = cli_sandbox.one_home { balance = "100000" }

  it("cancels the ids in the column order, and never a quantity", function()
    home:write("orders.csv", HEAD .. "c-1,1,https://example.com/c1,100\r\n")
    local _, err = run("smmpanel cancel --yes --from ~/orders.csv", 2, { name = "cell" })
    assert.matches("no column is named 'order'; found: 'ref', 'service', 'link', 'quantity'", err)
    _, err = run("smmpanel cancel --yes --from ~/bare", 2, { name = "cell",
      env = { X = home:write("bare", "c-1,1,https://example.com/c1,100\r\n") } })
    assert.matches("no column is named 'order'", err)
    _, err = run("smmpanel cancel --yes", 2, { name = "cell", input = "ids\n1\n" })
    assert.matches("no column is named 'order'; found: 'ids'", err)
    assert.equal(0, sandbox.counts "cell".requests)
  end)

  it("reads the report of one command in the next", function()
    home:write("made.csv", HEAD .. "m-1,1,https://example.com/m1,100\r\nm-2,1,https://example.com/m2,50\r\n")
    run "smmpanel add --yes --csv --from ~/made.csv >~/report.csv"
    local made = assert(csv.records(system.read(home.path .. "/report.csv")))
    local out = run "smmpanel status --csv --from ~/report.csv >~/status.csv; cat ~/status.csv"
    local states = assert(csv.records(out))
    assert.equal(made[1].values.order, states[1].values.order)
    assert.equal(2, #states)
    out = run "smmpanel cancel --yes --csv --from ~/status.csv"
    assert.equal(2, #assert(csv.records(out)))
  end)

  it("skips rows of a report that have no order, and reports their number", function()
    home:write("report.csv", "ref,result,order,error,code\r\na,placed,1,,\r\nb,refused,,Bad link,bad_link\r\n")
    local out, err = run "smmpanel status --csv --from ~/report.csv"
    assert.equal(1, #assert(csv.records(out)))
    assert.matches("1 rows without order id were skipped", err)
  end)

  it("does not skip an order whose ref begins with #", function()
    home:write("hash.csv", HEAD .. "#1001,1,https://example.com/h1,100\r\n#1002,1,https://example.com/h2,100\r\n")
    local report = run("smmpanel add --yes --from ~/hash.csv --csv", 0, { name = "hash" })
    local out = run("smmpanel cancel --yes --from ~/report.csv --csv", 0, { name = "hash",
      env = { X = home:write("report.csv", report) } })
    for id in report:gmatch "placed,(%d+)" do assert.matches("\n" .. id .. ",", out) end
    assert.equal(2, select(2, out:gsub("\n%d+,", "")))
  end)

  describe("of any spreadsheet", function()
    local FORMS = {
      bom = "\239\187\191ref,service,link,quantity\r\n%s,1,https://example.com/f,100\r\n",
      semicolons = "ref;service;link;quantity\n%s;1;https://example.com/f;100\n",
      tabs = "Ref\tService\tLink\tQuantity\n%s\t1\thttps://example.com/f\t100\n",
      capitals = "Ref,Service,LINK,quantity\n%s,1,https://example.com/f,100\n",
      ["empty-rows"] = ",,,\nref,service,link,quantity\n,,,\n%s,1,https://example.com/f,100\n\n,,,\n",
      sep = "sep=;\r\nref;service;link;quantity\r\n%s;1;https://example.com/f;100\r\n",
      quotes = '"ref","service","link","quantity"\r"%s","1","https://example.com/f"," 100 "\r',
      trailing = "ref,service,link,quantity,,\n%s,1,https://example.com/f,100,,\n",
    }

    it("orders are read correctly", function()
      for name, form in pairs(FORMS) do
        home:write("form.csv", form:format("form-" .. name))
        local out = run("smmpanel add --yes --csv --from ~/form.csv", 0, { name = "forms" })
        assert.equal("form-" .. name, assert(csv.records(out))[1].values.ref)
      end
      assert.equal(8, sandbox.counts "forms".made)
    end)

    it("ids are read correctly", function()
      for _, form in ipairs { "\239\187\191order\r\n1\r\n100\r\n",
        "sep=;\norder;status\n1;x\n100;y\n", "1\n100", "1\r100\r",
        "Order\tError\n1\t\n\t\n100\t\n", "# mine\n1\n\n100 # last\n", '"order"\n"1"\n"100"\n' } do
        local out = run("smmpanel status --csv", 0, { input = form })
        local records = assert(csv.records(out))
        assert.same({ "1", "100" }, { records[1].values.order, records[2].values.order }, form)
      end
    end)

    it("UTF-16, another encoding, NUL and JSON are named in the error", function()
      for text, why in pairs {
        ["\255\254r\0e\0f\0,\0s\0\n\0"] = "UTF%-16: save it as CSV in UTF%-8", ["r\0e\0f\0\n\0"] = "UTF%-16",
        [HEAD .. "a,1,https://example.com/\233,100\n"] = "line 2: it is not UTF%-8 %(byte E9%)",
        [HEAD .. "a,1,https://example.com/\0,100\n"] = "line 2: a NUL byte",
        ['[{"order":1}]\n'] = "it is JSON",
      } do
        local path = home:write("bytes.csv", text)
        for _, command in ipairs { "add", "cancel", "status" } do
          local line = ("smmpanel %s %s --from %s"):format(command, command ~= "status" and "--yes" or "", path)
          local _, err = run(line, 2, { name = "bytes" })
          assert.matches(why, err)
        end
      end
      assert.equal(0, sandbox.counts "bytes".made)
    end)
  end)

  it("refuses unknown columns, and ignores them on request", function()
    home:write("more.csv", "ref,service,link,quantity,buyer,mood\nu-1,1,https://example.com/u,100,Ann,good\n")
    local _, err = run("smmpanel add --yes --from ~/more.csv", 2, { name = "columns" })
    assert.matches("unknown columns 'buyer', 'mood' %(%-%-ignore%-columns ignores them%)", err)
    home:write("close.csv", "ref,service,link,quantiy\nu-1,1,https://example.com/u,100\n")
    _, err = run("smmpanel add --yes --from ~/close.csv", 2, { name = "columns" })
    assert.matches("unknown column 'quantiy'; did you mean 'quantity'%?", err)
    run("smmpanel add --yes --ignore-columns --from ~/more.csv", 0, { name = "columns" })
    assert.equal(1, sandbox.counts "columns".made)
    home:write("ids.csv", "order,shop\n1,Ann\n")
    run("smmpanel status --from ~/ids.csv", 2)
    run("smmpanel status --ignore-columns --from ~/ids.csv", 0)
  end)

  it("reports all mistakes at once, with line and column, and sends nothing", function()
    home:write("all.csv", HEAD .. " a,1,https://example.com/a,100\r\nb ,1,https://example.com/b,100\r\n"
      .. "c,1,https://example.com/c,ten\r\nd,99,https://example.com/d,100\r\ne,1,https://example.com/e\r\n"
      .. 'f,1,"two\nlines",100\r\n')
    local _, err = run("smmpanel add --yes --from ~/all.csv", 2, { name = "all" })
    assert.matches("6 invalid rows; nothing was sent:", err)
    assert.matches("line 2, column 'ref': the ref must be [^\n]*white space", err)
    assert.matches("line 3, column 'ref'", err)
    assert.matches("line 4, column 'quantity': quantity must be a whole number, got 'ten'", err)
    assert.matches("line 5, column 'service': the catalogue has no service 99", err)
    assert.matches("line 6: 3 fields, but 4 columns have a name", err)
    assert.matches("line 7, column 'link': link must be a string on one line", err)
    assert.equal(0, sandbox.counts "all".made)
    local ids = {}
    for i = 1, 1200 do ids[i] = tostring(700000 + i) end
    ids[1100], ids[1150] = "not an id", "2.35E+04"
    home:write("ids", table.concat(ids, "\n"))
    _, err = run("smmpanel cancel --yes --from ~/ids", 2, { name = "all-ids" })
    assert.matches("line 1100, column 'order': 'not an id' is not an id", err)
    assert.matches("line 1150, column 'order': '2.35E%+04' is not an id: a spreadsheet has rounded it", err)
    assert.equal(0, sandbox.counts "all-ids".requests)
  end)

  it("names the limits for a file that is too large, and sends nothing", function()
    home:run "truncate -s $((64 * 1024 * 1024 + 1)) ~/long.csv"
    for path, problem in pairs { ["~/long.csv"] = "long.csv: it is longer than 64 MB: split it",
      ["/dev/zero"] = "/dev/zero: it is longer than 64 MB", ["~"] = "Is a directory" } do
      local _, err = run("smmpanel add --yes --from " .. path, 2, { name = "limits" })
      assert.matches(problem, err, 1, true)
    end
    assert.equal(0, sandbox.sent("limits", "add"))
  end)

  it("never reads a file that a cell names", function()
    home:write("secret", "the key\n")
    local row = 'ref,service,link,quantity,usernames\ns-1,7,https://example.com/s,50,"@%s/secret"\n'
    home:write("cells.csv", row:format(home.path))
    run("smmpanel add --yes --any-field --from ~/cells.csv", nil, { name = "cells" })
    local last = sandbox.counts "cells".last
    local text = require("cjson").encode(last or {})
    assert.is_nil(text:find("the key", 1, true))
    assert.equal(1, sandbox.counts "cells".made)
  end)

  it("needs --yes to cancel or refill without a terminal", function()
    for _, command in ipairs { "cancel", "refill" } do
      local _, err = run(("smmpanel %s 1"):format(command), 2, { name = "unasked" })
      assert.matches("not a terminal: pass %-%-yes to " .. command, err)
    end
    assert.equal(0, sandbox.counts "unasked".requests)
  end)

  it("shows the orders and asks before it cancels, on a terminal", function()
    local terminal = home:terminal { columns = 90, name = "asked" }
    finally(function() terminal:close() end)
    terminal:type "smmpanel cancel 1 100; echo code $?"
    local screen = terminal:wait "Cancel these 2 orders%? %[y/N%] ?$"
    assert.matches("1 +Partial +0.27819 USD", screen)
    assert.matches("100 +In progress +1.44219 USD", screen)
    terminal:type "n"
    terminal:wait "nothing was sent\n?.*code 1"
    assert.equal(0, sandbox.sent("asked", "cancel"))
    terminal:type "clear; smmpanel refill 1; echo code $?"
    terminal:wait "Request a refill of this order%? %[y/N%] ?$"
    terminal:type "y"
    terminal:wait "code 0"
    assert.equal(1, sandbox.sent("asked", "refill"))
  end)
end)
