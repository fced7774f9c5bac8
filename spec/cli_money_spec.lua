-- The command line and money: one order per ref under any profile name, fresh and known prices, limits, and reliable
-- exit codes. Against the sandbox's own count.
local answering = require("spec.support.sandbox").answering
local cli_sandbox = require "spec.support.cli_sandbox"

describe("the command line, with money,", function()
  local sandbox, home, run = cli_sandbox.new_homes { balance = "100000" }

  local function write_config(text)
    run("chmod 600 " .. home:write("config/smmpanel/config.lua", text))
  end

  local function made(link) return #sandbox.ask("orders?link=" .. link) end

  local LINE = "smmpanel add service=1 link=https://example.com/%s quantity=100 --yes --ref %s"

  it("places a ref once, by environment, by profile and by a renamed profile", function()
    local panel = ("{ url = %q, key = %q }"):format(sandbox.url, sandbox.key)
    write_config("main = " .. panel)
    local line = LINE:format("once", "once-1")
    local id = run(line)
    assert.equal(id, run(line .. " --panel main"))
    write_config("shop = " .. panel)
    assert.equal(id, run(line .. " --panel shop"))
    assert.equal(1, made "https://example.com/once")
    assert.equal("", (run "find ~/state/smmpanel -perm /077"))
  end)

  it("renames the ledger of a profile", function()
    local line = LINE:format("older", "older-1")
    local id = run(line)
    run "cd ~/state/smmpanel && for f in *.sqlite*; do mv $f main@$f; done"
    local again, err = run(line)
    assert.equal(id, again)
    assert.matches("main@[^\n]* was renamed to [^\n]*: there is now one per panel", err)
    assert.equal(1, made "https://example.com/older")
    assert.equal("", (run "ls ~/state/smmpanel | grep @ || true"))
  end)

  it("stops if a panel has several ledgers, and lists them", function()
    local line = LINE:format("several", "several-1")
    run(line)
    run "cd ~/state/smmpanel && for f in *.sqlite; do cp $f main@$f; cp $f shop@$f; done"
    local _, err = run(line:gsub("several%-1", "several-2"), 2)
    assert.matches("several ledgers of this panel were found:", err)
    assert.matches("/main@[^\n]+\n[^\n]+/shop@", err)
    assert.equal(1, made "https://example.com/several")
  end)

  it("fetches the price again after a minute, and for each account", function()
    run("smmpanel services", 0, { name = "fresh" })
    local function asked() return sandbox.sent("fresh", "services") end
    local line = "smmpanel add service=1 link=https://example.com/p quantity=100 --dry-run"
    run(line, 0, { name = "fresh" })
    assert.equal(1, asked())
    run [[sed -i "s/\"saved\":[0-9]*/\"saved\":$(( $(date +%s) - 70 ))/" ~/cache/smmpanel/*.json]]
    run("smmpanel services", 0, { name = "fresh" })
    assert.equal(1, asked())
    run(line, 0, { name = "fresh" })
    assert.equal(2, asked())
    run("smmpanel services", 0, { name = "fresh", env = { SMMPANEL_KEY = sandbox.keys.second } })
    assert.equal(3, asked())
  end)

  it("reports an unknown price, and never a number in its place", function()
    local body = '[{"service":1,"name":"x","type":"Default","rate":null,"min":1,"max":10000}]'
    local odd = { fault = answering(body, "services") }
    local _, err = run("smmpanel add service=1 link=https://example.com/q quantity=100 --dry-run", 0, odd)
    assert.matches("price     not known: ", err)
    home:write("odd.csv", "ref,service,link,quantity\no-1,1,https://example.com/q,100\n")
    _, err = run("smmpanel add --from ~/odd.csv --dry-run", 0, odd)
    assert.matches("price     not known\n", err)
    assert.is_nil(err:find "post by post")
  end)

  it("--max-cost ends the run before the limit is exceeded", function()
    local rows = { "ref,service,link,quantity" }
    for i = 1, 10 do rows[i + 1] = ("max-%d,1,https://example.com/max/%d,1000"):format(i, i) end
    home:write("max.csv", table.concat(rows, "\n"))
    local _, err = run("smmpanel add --from ~/max.csv --yes --max-cost 3.6", 1, { name = "max" })
    assert.matches("^4 placed, 6 not sent\n", err:match "\n?(%d+ placed.*)")
    assert.matches("max_cost", err)
    assert.equal(4, sandbox.counts("max").made)
    run("smmpanel add service=1 link=https://example.com/m quantity=1000 --yes --max-cost 0.89", 3, { name = "max" })
    run("smmpanel add service=1 link=https://example.com/m quantity=1000 --yes --max-cost much", 2, { name = "max" })
    assert.equal(4, sandbox.counts("max").made)
  end)

  it("exits with 5 for an uncertain outcome, and never with 3 or 4", function()
    for _, line in ipairs { "add service=1 link=https://example.com/u quantity=100 --yes", "cancel 100 -y",
      "refill 1 -y", "cancel 1 2 -y", "call mass_order x=1 -y" } do
      for _, fault in ipairs { "lost", "made,empty", "made,502-html", "cut:3" } do
        local _, err = run("smmpanel " .. line, 5, { fault = fault .. "&on=add,cancel,refill,mass_order" })
        assert.matches("uncertain", err .. line)
      end
    end
    assert.matches("5 +uncertain", (run "smmpanel --help"))
    assert.matches("do not repeat", (run "smmpanel man"))
  end)

  it("stops after three uncertain answers in a row, reports a web page once, and prints how to continue", function()
    local rows = { "ref,service,link,quantity" }
    for i = 1, 29 do rows[i + 1] = ("page-%d,1,https://example.com/page/%d,100"):format(i, i) end
    home:write("page.csv", table.concat(rows, "\n"))
    local out, err = run("smmpanel add --from ~/page.csv --yes", 5, { fault = "html&on=add", name = "page" })
    local _, uncertain = out:gsub("uncertain", "")
    assert.is_true(uncertain <= 11, out) -- three, and what was on the wire by then
    assert.matches("Stopped early: ", err)
    assert.matches("smmpanel pending %-%-investigate", err)
    assert.matches("To continue, run the same command again", err)
    assert.is_nil((out .. err):find("panel:", 1, true))
    local _, pages = (out .. err):gsub("<html", "")
    assert.is_true(pages <= 1, out .. err)
  end)
end)
