-- The command line on a real terminal (tmux), against the sandbox: what a person sees.
local cli = require "spec.support.cli"
local cli_sandbox = require "spec.support.cli_sandbox"
local system = require "spec.support.system"
local width = require "smmpanel.cli.views.width"

describe("the command line on a terminal", function()
  local sandbox, home = cli_sandbox.one_home()
  local terminal
  after_each(function()
    if terminal then terminal:close() end
    terminal = nil
  end)

  local function open(options)
    terminal = home:terminal(options)
    return terminal
  end

  local function lines(screen)
    local list = {}
    for line in (screen .. "\n"):gmatch "(.-)\n" do list[#list + 1] = line end
    return list
  end

  -- tmux 3.5 gives a heart with the emoji variation two cells, older versions one.
  local function heart_cells()
    local probe = home:terminal()
    probe:type "clear; printf '\\342\\235\\244\\357\\270\\217|'"
    probe:wait "|%$ $"
    local column = tonumber(probe:tmux "display-message -p '#{cursor_x}'")
    probe:close()
    return column - 3
  end

  -- Returns the cells of a line as this terminal counts them.
  local style_cells
  local function cells(text)
    style_cells = style_cells or heart_cells() - 1
    local plain, styles = text:gsub("\239\184\143", "")
    return width.of(plain) + styles * style_cells
  end

  it("fits services to its width, in colour", function()
    for _, columns in ipairs { 60, 80, 120 } do
      open { columns = columns, rows = 40 }
      local screen = lines(terminal:run "smmpanel services")
      assert.matches("^ID  NAME", screen[2])
      assert.equal(25, #screen) -- nothing was wrapped
      assert.equal("21 of 21 services (R refill, C cancel)", screen[24])
      for _, line in ipairs(screen) do assert.is_true(cells(line) <= columns, line) end
      assert.matches("\27%[1mID", (terminal:screen(true)))
      terminal:close()
    end
    terminal = nil
  end)

  it("keeps columns aligned, whatever width it gives an emoji", function()
    open { columns = 100, rows = 40 }
    local screen = terminal:run "smmpanel services instagram"
    local heart, plain = screen:match "\n(16 [^\n]*)Instagram 📸", screen:match "\n(21 [^\n]*)Instagram 📸"
    assert.matches("❤", heart)
    assert.equal(cells(plain), cells(heart))
  end)

  it("honours NO_COLOR", function()
    open { env = { NO_COLOR = "1" } }
    terminal:run "smmpanel services"
    assert.is_nil(terminal:screen(true):find("\27[", 1, true))
  end)

  it("honours COLUMNS", function()
    open { columns = 120, rows = 40, env = { COLUMNS = "50" } }
    terminal:run("COLUMNS=50 " .. cli.COMMAND .. " services")
    local screen = lines(terminal:screen())
    assert.equal(25, #screen, table.concat(screen, "\n"))
    for i = 2, 24 do assert.is_true(cells(screen[i]) <= 50, screen[i]) end
  end)

  it("shows a bar with count, rate and remaining time, and the records as they arrive", function()
    open { columns = 80, fault = "latency:0.3" }
    local ids = {}
    for i = 1, 10000 do ids[i] = tostring(800000 + i) end
    home:write("ids", table.concat(ids, "\n"))
    terminal:type "smmpanel status --from ~/ids --csv >~/report; echo code $?"
    terminal:wait "status  [█]+[░]+  [%d,]+/10,000  [%d,]+/s  %d+ s left"
    local early = terminal:wait "status  [█]+[░]+  [45],%d%d%d/10,000"
    local _, rows = system.read(home.path .. "/report"):gsub("\n", "\n")
    assert.is_true(rows > 1000 and rows < 10000, rows .. " rows at\n" .. early)
    local screen = terminal:wait "0 found, 10,000 failed"
    assert.is_nil(screen:find "█")
    _, rows = system.read(home.path .. "/report"):gsub("\n", "\n")
    assert.equal(10001, rows)
  end)

  it("reports at Ctrl-C what was done, and leaves the terminal clean", function()
    open { columns = 80, fault = "latency:0.5" }
    local ids = {}
    for i = 1, 5000 do ids[i] = tostring(800000 + i) end
    home:write("ids", table.concat(ids, "\n"))
    local function stopped()
      terminal:type "clear; smmpanel cancel --yes --from ~/ids --csv >~/report; echo code $?"
      terminal:wait "/s  %d+ s left"
      terminal:key "C-c"
      return terminal:wait "code 130"
    end
    local screen = stopped()
    -- LuaJIT throws at Ctrl-C wherever it is: if that is in the code that sends, the requests are not waited for, and
    -- are reported as uncertain.
    local tries = 1
    while rawget(_G, "jit") and tries < 4 and not screen:find("stopping: ", 1, true) do
      assert.matches("stopped: [%d,]+ of 5,000 done, [%d,]+ uncertain: their requests were still", screen)
      screen, tries = stopped(), tries + 1
    end
    -- The requests that were sent are waited for, so nothing is uncertain.
    assert.matches("stopping: waiting for the answers to sent requests; Ctrl%-C again stops at once\n", screen)
    local done = screen:match "smmpanel: stopped: ([%d,]+) of 5,000 done\n"
    assert.is_nil(screen:find "█")
    local _, rows = system.read(home.path .. "/report"):gsub("\n", "\n")
    assert.equal(done:gsub(",", "") + 1, rows)
    assert.matches("\nfine\n", terminal:run "echo fine")
  end)

  describe("add", function()
    it("asks for missing fields, shows price and balance, and asks before sending", function()
      open { name = "asked" }
      terminal:type "smmpanel add"
      terminal:wait "service %(its id, or words to search for%): ?$"
      terminal:type "instagram pack"
      terminal:wait "\n 3  Instagram Starter Pack .*search for%): ?$"
      terminal:type "no such thing"
      terminal:wait "no service matches all these words\n.*search for%): ?$"
      terminal:type "1"
      terminal:wait "link: ?$"
      terminal:type "https://example.com/t"
      terminal:wait "quantity %(50 to 10000%): ?$"
      terminal:type "20"
      terminal:wait "takes at least 50, not 20\nquantity %(50 to 10000%): ?$"
      terminal:type "1000"
      local screen = terminal:wait "Place this order%? %[y/N%] ?$"
      assert.matches("service   1  Followers\n  link      https://example.com/t\n  quantity  1000\n"
        .. "  price     0.9 USD\n", screen)
      assert.matches("balance   [%d.]+ USD, [%d.]+ USD afterwards", screen)
      assert.equal(0, sandbox.counts "asked".made)
      terminal:type "n"
      terminal:wait "nothing was sent"
      assert.equal(0, sandbox.counts "asked".made)
      terminal:type "smmpanel add service=1 link=https://example.com/t quantity=1000"
      terminal:wait "%[y/N%] ?$"
      terminal:type "y"
      assert.matches("placed: order %d+\n", terminal:wait "placed: order %d+\n%$ ?$")
      assert.equal(1, sandbox.counts "asked".made)
    end)

    it("asks again for values that the type's own rules refuse", function()
      open { name = "ruled", rows = 40 }
      terminal:type "smmpanel add service=17 link=https://example.com/r quantity=500 country=TR"
      for _, step in ipairs { { "device", "9" }, { "type_of_traffic", "1" }, { "from 1 to 5, got 9\ndevice", "2" },
        { "google_keyword", "lua" } } do
        terminal:wait("\n?" .. step[1] .. ": ?$")
        terminal:type(step[2])
      end
      terminal:wait "google_keyword lua\n  price     0.055 USD.*%[y/N%] ?$"
      terminal:type ""
      terminal:wait "nothing was sent"
      assert.equal(0, sandbox.counts "ruled".made)
    end)

    it("asks for lists line by line", function()
      open { name = "listed", rows = 40 }
      terminal:type "smmpanel add service=13 link=https://example.com/l username=me"
      terminal:wait "comments %(1 to 500, one per line, end with an empty line; or @file%): ?$"
      for _, comment in ipairs { "first", "second one", "third", "" } do terminal:type(comment) end
      terminal:wait "price     0.033 USD.*%[y/N%] ?$"
      terminal:type "yes"
      terminal:wait "placed: order"
    end)

    it("waits at Ctrl-C for the answer to a sent request, and reports the placed order", function()
      open { fault = "latency:1&on=add", name = "waited" }
      terminal:type "smmpanel add service=1 link=https://example.com/c quantity=100 --yes; echo code $?"
      while (sandbox.counts "waited".requests or 0) < 3 do os.execute "sleep 0.05" end
      terminal:key "C-c"
      assert.matches("smmpanel: stopped: placed: order %d+\ncode 130", terminal:wait "code 130")
      assert.equal(1, sandbox.counts "waited".made)
    end)

    it("--from: after Ctrl-C nothing is uncertain, and running it again places the rest once", function()
      local rows = { "ref,service,link,quantity" }
      for i = 1, 32 do rows[i + 1] = ("i-%d,1,https://example.com/i%d,50"):format(i, i) end
      home:write("many.csv", table.concat(rows, "\n"))
      open { fault = "latency:1&on=add", name = "inter" }
      terminal:type "smmpanel add --from ~/many.csv --yes; echo code $?"
      terminal:wait "add  [█░]+  [%d]+/32  %d+/s  .* left"
      os.execute "sleep 0.4" -- LuaJIT would end one of those who are at work, not at rest
      terminal:key "C-c"
      local screen = terminal:wait "code 130":gsub("\n", " ")
      local placed, rest = screen:match "stopped: (%d+) placed, (%d+) not sent; to continue"
      assert.truthy(placed, screen)
      assert.equal(32, placed + rest)
      assert.equal(tonumber(placed), sandbox.counts "inter".made)
      terminal:run "smmpanel add --from ~/many.csv --yes"
      terminal:wait("32 placed %(" .. placed .. " of them before%)")
      assert.equal(32, sandbox.counts "inter".made)
    end)

    it("--from: a second Ctrl-C ends it at once, and orders in flight are pending", function()
      home:write("late.csv", "ref,service,link,quantity\nlate-1,1,https://example.com/late,50\n")
      open { columns = 100, fault = "latency:60&on=add", name = "twice" }
      terminal:type "smmpanel add --from ~/late.csv --yes"
      while (sandbox.counts "twice".made or 0) < 1 do os.execute "sleep 0.05" end
      terminal:key "C-c"
      terminal:wait "Ctrl%-C again stops at once"
      terminal:key "C-c"
      terminal:wait "\n%$ ?$"
      assert.matches("\nlate%-1  uncertain ", terminal:run "smmpanel pending")
      local _, err, code = home:run "smmpanel resolve -y late-1 1"
      assert.equal("0", code .. err)
    end)

    it("sends nothing after Ctrl-C or the end of the input", function()
      open { name = "stopped" }
      for _, key in ipairs { "C-c", "C-d" } do
        terminal:type "clear; smmpanel add service=1 link=https://example.com/t quantity=1000"
        terminal:wait "%[y/N%] ?$"
        terminal:key(key)
        if key == "C-c" and jit then terminal:key "Enter" end -- LuaJIT's read continues after a signal
        terminal:wait(key == "C-c" and "smmpanel: stopped" or "smmpanel: nothing was sent")
      end
      assert.equal(0, sandbox.counts "stopped".made)
    end)
  end)

  describe("watch", function()
    it("redraws a table in place, with finished orders below, and ends when all are finished", function()
      local order = home:run "smmpanel add service=1 link=https://example.com/w1 quantity=50 --yes":match "%d+"
      open { columns = 80 }
      terminal:type("smmpanel watch 1 " .. order .. " --interval 0.5; echo code $?")
      local screen = terminal:wait "next poll in [01] s.*done\n1 +Partial"
      assert.matches("1 open, 1 done.*ORDER +STATUS.*\n" .. order .. " +%u%l+.*\ndone\n1 +Partial", screen)
      local _, titles = screen:gsub("ORDER", "ORDER")
      assert.equal(1, titles)
      sandbox.ask("advance?seconds=60")
      screen = terminal:wait "code 1"
      assert.matches("\n1 +Partial.*\n" .. order .. " +Completed.*\n2 of 2 orders done, 1 completed\n", screen)
      _, titles = screen:gsub("ORDER", "ORDER")
      assert.equal(1, titles)
    end)

    it("reports its progress at Ctrl-C", function()
      open()
      terminal:type "smmpanel watch 1 2; echo code $?"
      terminal:wait "1 open, 1 done"
      terminal:key "C-c"
      assert.matches("smmpanel: stopped: 1 of 2 orders done, 0 completed\ncode 130", terminal:wait "code 130")
    end)

    it("fits a small window, also after it was made smaller", function()
      local rows = { "ref,service,link,quantity" }
      for i = 1, 40 do rows[i + 1] = ("never-%d,1,https://example.com/n%d#ends=never,50"):format(i, i) end
      home:write("never.csv", table.concat(rows, "\n"))
      local report = home:run "smmpanel add --from ~/never.csv --yes --csv"
      home:write("never", (report:gsub("[^\n]*,placed,(%d+)[^\n]*", "%1"):gsub("^[^\n]*", "1")))
      open { columns = 70, rows = 30 }
      terminal:type "smmpanel watch --interval 1 --from ~/never"
      assert.equal(29, #lines(terminal:wait "40 open, 1 done.*and 18 more\ndone\n1 +Partial"))
      terminal:tmux "resize-window -x 40 -y 15"
      local screen = lines(terminal:wait "^40 open.*and 33 more\ndone")
      assert.is_true(#screen <= 15)
      for _, line in ipairs(screen) do assert.is_true(cells(line) <= 40, line) end
      terminal:key "C-c"
      terminal:wait "stopped: 1 of 41 orders done"
    end)
  end)

  it("sandbox prints two lines to paste, and has stopped after Ctrl-C", function()
    open { columns = 100 }
    terminal:type "smmpanel sandbox --services 30 --fault latency:0.01; echo code $?"
    local screen = terminal:wait "Ctrl%-C stops it"
    local url, key = screen:match "\nexport SMMPANEL_URL='(%S+)'\nexport SMMPANEL_KEY=(%S+)\n"
    assert.matches("^http://127.0.0.1:%d+/api/v2%?fault=latency:0.01$", url)
    local env = { SMMPANEL_URL = url, SMMPANEL_KEY = key }
    assert.equal("100.84292 USD\n", (home:run("smmpanel balance", { env = env })))
    assert.matches("\n30 ", (home:run("smmpanel services", { env = env })))
    terminal:key "C-c"
    terminal:wait "The sandbox has stopped.\ncode 0"
    assert.equal(4, (select(3, home:run("smmpanel balance", { env = env }))))
    assert.matches("unknown fault nonsense", terminal:run "smmpanel sandbox --fault nonsense")
  end)

  describe("shows each of the other commands:", function()
    local function shows(line, ...)
      local screen = terminal:run(line .. "; echo code $?")
      for _, pattern in ipairs { ... } do assert.matches(pattern, screen) end
    end

    it("balance, refill, refill-status, cancel, call", function()
      open { columns = 120 }
      shows("smmpanel balance", "\n[%d.]+ USD\ncode 0")
      shows("smmpanel status 1 999", "ORDER  STATUS  .*\n1 +Partial .*\n999 +Incorrect order ID\n1 found, 1 failed",
        "code 1")
      shows("smmpanel refill -y 1", "ORDER  REFILL\n1      %d+\ncode 0")
      shows("smmpanel refill-status 1 999", "REFILL  STATUS\n1 +%u.*\n999 +Refill not found\n1 found, 1 failed")
      shows("smmpanel cancel -y 2 999", "ORDER  CANCEL\n2 +requested\n999 +Incorrect order ID\n1 requested, 1 failed")
      shows("smmpanel call status order=1", '"status":"Partial"', "code 0")
      shows("smmpanel call -y nonsense", "smmpanel: nonsense: Incorrect request %(panel, bad_request, HTTP 200%)",
        "code 3")
    end)

    it("--version, help, completion", function()
      open { rows = 60 }
      shows("smmpanel --version", "\nsmmpanel %d+%.%d+%.%d+\ncode 0")
      shows("smmpanel", "a command is required\n.*`smmpanel %-%-help` lists the commands", "code 2")
      shows("smmpanel help", "\n   balance  ", "Exit codes:", "code 0")
      shows("smmpanel help refill", "Usage: smmpanel refill ", "code 0")
      shows("eval \"$(smmpanel completion bash)\"; complete -p smmpanel", "complete .*%-F _smmpanel smmpanel\n")
    end)

    it("add --from, pending, resolve", function()
      home:write("two.csv", "ref,service,link,quantity\nt-1,1,https://example.com/t1,50\n"
        .. "t-2,1,https://example.com/t2,50\n")
      open { columns = 100, fault = "lost@1&on=add", name = "two", env = { XDG_STATE_HOME = home.path .. "/two" } }
      shows("smmpanel pending", "\nnothing is pending\ncode 0")
      terminal:type "clear; smmpanel add --from ~/two.csv; echo code $?"
      terminal:wait "orders    2\n  price     0.09 USD\n  balance   .*Place these orders%? %[y/N%] ?$"
      terminal:type "y"
      local ref = terminal:wait "1 placed, 1 uncertain\n.*code 5":match "\n(t%-%d)  uncertain"
      shows("smmpanel pending", "REF +STATE +SINCE.*\n" .. ref:gsub("%-", "%%-") .. "  uncertain",
        "Find out what became of them: smmpanel pending %-%-investigate")
      shows("smmpanel resolve " .. ref, "pass either the order's id or %-%-not%-placed", "code 2")
      shows("smmpanel resolve -y " .. ref .. " 1", "' is order 1\ncode 0")
      shows("smmpanel add --yes --from ~/two.csv", "2 placed %(2 of them before%)\ncode 0")
      assert.equal(2, sandbox.counts "two".made)
    end)

    it("services --cost and --diff", function()
      open()
      shows("smmpanel services --cost 1 1500", "1500 of service 1, Followers, at 0.90\n1.35\ncode 0")
      shows("smmpanel services --diff", "21 services are saved for the next time")
      local kept = home:run "ls $XDG_CACHE_HOME/smmpanel/*.last.json":gsub("\n", "")
      system.write(kept, (system.read(kept):gsub('"rate":"0.90"', '"rate":"1.00"')))
      shows("smmpanel services --diff", "~ changed +1 +Followers +rate +1.00 +0.90 %(%-10.0 %%%)",
        "0 new, 0 gone, 1 changed since ")
      shows("smmpanel services nothing like this", "none of 21 services matches\ncode 0")
    end)
  end)

  it("pipes as many lines as head wants, and ends quietly", function()
    open { columns = 140 }
    assert.matches("^%$ smmpanel services | head %-n 2\nID  NAME[^\n]+\n 1  Followers[^\n]+\n%$ ?$",
      (terminal:run "smmpanel services | head -n 2"):gsub("21 of 21[^\n]+\n", ""))
  end)
end)
