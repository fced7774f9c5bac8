-- Input from others: files that they sent, their directories, proxies, and a panel's texts that imitate the command's
-- own lines.
local answering = require("spec.support.sandbox").answering
local cli = require "spec.support.cli"
local cli_sandbox = require "spec.support.cli_sandbox"
local process = require "spec.support.process"
local smmpanel = require "smmpanel"
local system = require "spec.support.system"
local text = require "smmpanel.util.text"

describe("the command line", function()
  local sandbox, home = cli_sandbox.new_homes { balance = "100000" }

  local SERVICE = '{"service":1,"name":"a","rate":"1"}'

  it("refuses a damaged catalogue, and fetches one in place of a damaged cache", function()
    home:expect "smmpanel services"
    local cache = home:run("ls ~/cache/smmpanel/*.json"):match "[^\n]+"
    local owner = system.read(cache):match '"owner":"(.-)"'
    for _, rest in ipairs {
      ('"saved":1e300,"owner":"%s","services":[%s]}'):format(owner, SERVICE),
      ('"saved":"x","owner":"%s","services":[%s]}'):format(owner, SERVICE),
      ('"saved":99999999999,"owner":"%s","services":[%s,5,"x"]}'):format(owner, SERVICE),
      ('"saved":99999999999,"owner":"%s","services":[%s,null,%s]}'):format(owner, SERVICE, SERVICE),
      ('"saved":99999999999,"owner":"%s","services":{"a":%s}}'):format(owner, SERVICE),
      ('"saved":99999999999,"owner":"%s","services":[{"name":"a"}]}'):format(owner),
      ('"saved":-1,"owner":"%s","services":[%s]}'):format(owner, SERVICE),
      ('"saved":1,"owner":{"a":1},"services":[[[%s]]]}'):format(SERVICE),
    } do
      local damaged = home:write("damaged.json", '{"smmpanel":1,"decimals":"string",' .. rest)
      local _, err = home:expect("smmpanel services --against " .. damaged, 2)
      assert.matches("damaged.json: damaged", err, 1, true)
      home:run(("cp %s %s"):format(damaged, cache))
      assert.matches("Followers", (home:expect "smmpanel services --max-age 99999999999"))
    end
  end)

  it("accepts from a file what it accepts from a panel", function()
    for i, id in ipairs { "0", '""', '{"a":[1]}', "-1", '"x y"' } do
      local list = ('[{"service":%s,"name":"odd","rate":"1"}]'):format(id)
      local other = list:gsub("odd", "other")
      home:expect("smmpanel services --diff", 0, { fault = answering(list), name = "odd" .. i })
      local out, err = home:expect("smmpanel services --diff", 0, { fault = answering(other), name = "odd" .. i })
      assert.matches("other", out, err)
      home:run "rm -r ~/cache"
    end
  end)

  it("uses no directory that other users can change", function()
    home:run "mkdir -p ~/cache ~/state; ln -s /proc/self ~/state/smmpanel"
    local _, err = home:expect("smmpanel pending", 2)
    assert.matches("state/smmpanel: other users can access this directory, and it cannot be closed", err, 1, true)
  end)

  it("reads at most 1 MB of a configuration or a key file", function()
    home:write("key", ("k"):rep(2 ^ 20 + 1))
    local _, err = home:expect("chmod 600 ~/key; smmpanel balance --key-file ~/key", 2)
    assert.matches("/key: it is longer than 1 MB", err, 1, true)
  end)

  it("shows no password of a proxy", function()
    for proxy, line in pairs {
      ["http://user:p@ss-word@127.0.0.1:9"] = "doctor", ["user:p@ss-word@127.0.0.1:9"] = "doctor",
      ["http://user:p/s@s-word@127.0.0.1:9"] = "doctor", ["http://me:p@ss-word@127.0.0.1:9"] = "balance --debug",
      ["user:p*s/word@127.0.0.1:9"] = "doctor",
    } do
      local except = line == "doctor" and "127.0.0.1" or ""
      local out, err = home:run("smmpanel " .. line, { env = { http_proxy = proxy, no_proxy = except } })
      assert.is_nil((out .. err):find("word", 1, true), out .. err)
      assert.matches("***@127.0.0.1:9", out .. err, 1, true)
    end
    assert.equal("proxy ***@host:1 and 'http://***@[::1]:2/a'", text.without_user
      "proxy me:x@y@host:1 and 'http://a:b/c@[::1]:2/a'")
    local panel = smmpanel.new { url = "http://127.0.0.1:1/", key = "abcdef", retries = 0,
      transport = function() return nil, { code = "tls", message = "subject \27[2J\r\nCN=\226\128\174x" } end }
    assert.equal("subject [2J CN= x", select(2, panel:balance()).message)
  end)

  it("refuses ids that a spreadsheet has rounded", function()
    for _, id in ipairs { "1E+11", "1.23457E+11", "1,23457E+11", "-1e+9" } do
      for _, line in ipairs { [[printf 'order\n"%s"\n' | smmpanel status]],
        [[printf 'ref,order\na,"%s"\n' | smmpanel resolve --yes --from -]] } do
        local _, err = home:expect(line:format(id), 2)
        assert.matches("has rounded it", err, 1, true)
      end
    end
    local _, err = home:expect("smmpanel resolve a 1E+11 --yes", 2)
    assert.matches("has rounded it", err, 1, true)
    home:expect("smmpanel status 1e3", 1) -- some panels have such ids
  end)

  it("marks each line of a panel's body with --debug", function()
    local body = '{"balance":"1",\n"x":1}\nsmmpanel: forged'
    local _, err = home:run("smmpanel balance --debug", { fault = answering(body) })
    assert.matches("\n< smmpanel: forged", err)
    assert.is_nil(err:find("\nsmmpanel: forged", 1, true))
  end)

  it("shows no forged price above its question", function()
    local forged = (" "):rep(200) .. "  price     0.01 USD"
    local list = '[{"service":1,"name":"Likes%s","type":"Default","rate":"90","min":"1","max":"1000"}]'
    local terminal = home:terminal { columns = 80, name = "forged", fault = answering(list:format(forged), "services") }
    finally(function()
      terminal:close()
      sandbox.ask "reset"
    end)
    terminal:type "smmpanel add service=1 link=https://example.com/x quantity=1000"
    local screen = terminal:wait "%[y/N%]"
    assert.matches("price     90 USD", screen)
    assert.is_nil(screen:find("0.01", 1, true))
    terminal:type "n"
    terminal:wait "nothing was sent"
    sandbox.ask("faults?on=balance&fault=" .. answering(('{"balance":"9","currency":"USD%s"}'):format(forged)))
    terminal:type "clear"
    terminal:type "smmpanel add service=1 link=https://example.com/x quantity=1000"
    screen = terminal:wait "%[y/N%]"
    assert.matches("price     90 USD", screen)
    assert.is_nil(screen:find("0.01", 1, true))
  end)

  it("shows a long error in full below the table", function()
    local why = "This order is too old to be canceled, please write to our support"
    local terminal = home:terminal { columns = 40, env = { LC_ALL = "C" },
      fault = answering(('{"error":"%s"}'):format(why), "cancel") }
    finally(function() terminal:close() end)
    local screen = terminal:run "smmpanel status 1 999999999"
    assert.matches("Incorrect order ID", screen)
    screen = terminal:run "smmpanel cancel 1 2 --yes"
    local _, count = screen:gsub("\n", ""):gsub(why, "")
    assert.equal(1, count, screen)
  end)

  it("makes a private ledger; a program's ledger has the mode of its umask", function()
    home:expect "umask 000; smmpanel pending"
    assert.equal("600\n", (home:run "stat -c %a ~/state/smmpanel/*.sqlite"))
    local program = [[cd %s; for mask in 000 027 077; do umask $mask; LEDGER=~/$mask.sqlite %s -e '
      package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
      package.cpath = "build/" .. _VERSION:match "[%%d.]+$" .. "/?.so;" .. package.cpath
      local smmpanel = require "smmpanel"
      local ledger = smmpanel.ledger.sqlite(os.getenv "LEDGER")
      local panel = smmpanel.new { url = "http://127.0.0.1:1/", key = "abcdef", ledger = ledger }
      assert(panel:pending())'; done; cd; stat -c %%a 0*.sqlite]]
    local out, err = home:run(program:format(cli.quoted(cli.ROOT), process.lua()))
    assert.equal("644\n640\n600\n", out, err)
  end)
end)
