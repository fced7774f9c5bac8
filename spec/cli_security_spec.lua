-- Attacks on the user of the command line by a hostile panel, directory or shell. Each of them worked once.
local cli = require "spec.support.cli"
local cli_sandbox = require "spec.support.cli_sandbox"
local sandboxes = require "spec.support.sandbox"

-- Writes the clipboard, sets the title, clears the screen, C1's CSI, changes the text direction, forges a line.
local NASTY = "\27]52;c;aGk=\7\27]0;title\7\27[2J\194\15531mX\226\128\174gpj\nforged line"

local function json_text(text)
  return (text:gsub('[%z\1-\31"\\]', function(char) return ("\\u%04x"):format(char:byte()) end))
end

describe("the command line, security:", function()
  local sandbox, home = cli_sandbox.one_home { balance = "100000", services = 20000 }

  local function answering(body) return { fault = sandboxes.answering(body) } end

  local function clean(text, what)
    assert.is_nil(text:find "[%z\1-\8\11\12\14-\31\127]", what)
    assert.is_nil(text:find "\194[\128-\159]", what)
    assert.is_nil(text:find "\226\128[\142\143\168-\174]", what)
    assert.is_nil(text:find("\nforged", 1, true), what)
  end

  it("no text of a panel reaches the output unchanged", function()
    local nasty = json_text(NASTY)
    local status = ('{"charge":"1","status":"%s","remains":"1","currency":"%s"}'):format(nasty, nasty)
    local cases = {
      ["balance"] = ('{"balance":"1","currency":"%s"}'):format(json_text(NASTY)),
      ["status 1"] = status, ["status 1 --json"] = status, ["status 1 --lua"] = status,
      ["watch 1 --timeout 0.5"] = status, ["watch 1 --json --timeout 0.5"] = status,
      ["call balance"] = ('{"x":"%s"}'):format(json_text(NASTY)),
      ["call status --lua"] = ('{"x":"%s"}'):format(json_text(NASTY)),
      ["refill 1 -y"] = ('{"error":"%s"}'):format(json_text(NASTY)),
      ["services --fresh"] = ('[{"service":1,"name":"%s","rate":"1"}]'):format(json_text(NASTY)),
      ["services --diff"] = ('[{"service":2,"name":"%s","rate":"1"}]'):format(json_text(NASTY)),
    }
    for line, body in pairs(cases) do
      local out, err = home:run("smmpanel " .. line, answering(body))
      clean(out .. "\n" .. err, line)
    end
    local out, err = home:run("smmpanel balance", answering("<title>" .. NASTY .. "</title>"))
    clean(out .. err, "a page")
  end)

  it("a hostile working directory runs nothing", function()
    for _, name in ipairs { "lfs", "term", "term/core", "argparse", "luasql/sqlite3", "smmpanel/core", "cjson" } do
      home:write("evil/" .. name .. ".lua", "os.execute('touch ' .. os.getenv 'HOME' .. '/evil/ran') return {}")
    end
    home:run "cd ~/evil && smmpanel balance && smmpanel pending"
    assert.is_nil(io.open(home.path .. "/evil/ran"))
  end)

  it("Ctrl-C while the catalogue is being saved stops before the order", function()
    for i = 1, 3 do
      local out, err, code = home:run(([[rm -rf ~/cache
        %s add service=1 link=https://example.com/stop quantity=100 --yes & pid=$!
        until ls ~/cache/smmpanel/*.new >/dev/null 2>&1; do again 0.005; done
        kill -INT $pid; wait $pid]]):format(cli.COMMAND), { name = "stop" .. i })
      assert.equal(130, code, out .. err)
      assert.equal(0, sandbox.counts("stop" .. i).made)
      assert.equal("", (home:run "ls ~/cache/smmpanel | grep new"))
    end
  end)

  it("Ctrl-C while a request waits stops with the exit code of an interrupt, whatever the request is for", function()
    local order = "add service=1 link=https://example.com/w quantity=100 --yes"
    for i, line in ipairs { "balance", "services --fresh", order, "doctor", "watch 1" } do
      local name = "wait" .. i
      local out, err, code = home:run(([[rm -rf ~/cache
        %s %s & pid=$!
        until curl -sS -X POST '%s/stats?name=%s' | grep -q '"requests":1'; do again 0.05; done
        kill -INT $pid; wait $pid]]):format(cli.COMMAND, line, sandbox.control, name),
        { name = name, fault = "latency:20" })
      assert.equal(130, code, out .. err)
      assert.matches("^smmpanel: stopped[^\n]*\n$", err)
      assert.equal(0, sandbox.counts(name).made)
    end
  end)

  it("the leftovers of a killed save are removed by the next one", function()
    local _, err, code = home:run(([[rm -rf ~/cache; mkdir -p ~/cache/smmpanel; chmod 755 ~/cache/smmpanel
      %s services >/dev/null & pid=$!
      until ls ~/cache/smmpanel/*.new >/dev/null 2>&1; do again 0.005; done
      kill -KILL $pid; wait $pid]]):format(cli.COMMAND), { name = "killed" })
    assert.equal(137, code, err)
    assert.matches("%.new\n$", (home:run "ls ~/cache/smmpanel"))
    assert.equal(0, (select(3, home:run("smmpanel services", { name = "killed" }))))
    assert.is_nil((home:run "ls ~/cache/smmpanel"):find("new", 1, true))
    assert.equal("700\n", (home:run "stat -c %a ~/cache/smmpanel"))
  end)

  it("a failed write of the output is reported, and the order's id is not lost", function()
    for _, line in ipairs { "--help >/dev/full", "--version >/dev/full", "status --help >/dev/full", "balance >&-" } do
      local _, err, code = home:run("smmpanel " .. line)
      assert.equal(1, code, line)
      assert.matches("cannot write", err)
    end
    local _, err, code = home:run "smmpanel balance <&-"
    assert.equal(0, code, err)
    local name = { name = "full" }
    _, err, code = home:run("smmpanel add service=1 link=https://example.com/full quantity=100 --yes >/dev/full", name)
    assert.equal(1, code)
    local made = sandbox.ask("orders?link=https://example.com/full")
    assert.matches("order " .. ("%.0f"):format(made[1].order), err)
    home:write("full.csv", "ref,service,link,quantity\nfull-1,1,https://example.com/full1,100\n")
    for _, where in ipairs { "/dev/full", "&-" } do
      err = select(2, home:run("smmpanel add --from ~/full.csv --yes --csv >" .. where, name))
      made = sandbox.ask("orders?link=https://example.com/full1")
      assert.matches(("full%%-1,placed,%.0f"):format(made[1].order), err)
    end
    _, err = home:run "smmpanel refill 1 -y --csv >/dev/full"
    assert.matches("\n1,%d+,,", err)
  end)

  it("an internal error is one line, without a stack trace", function()
    for line, body in pairs {
      ["balance"] = '{"balance":{"a":[1]},"currency":["USD",{"x":1}]}',
      ["status 1"] = '{"status":{"a":1},"charge":[[]],"currency":["x"],"remains":{"b":[]}}',
      ["services --fresh --sort rate"] = '[{"service":1,"rate":{"a":1}},{"service":[],"rate":1e999,'
        .. '"name":{}},{"service":3,"rate":"1e400"},{"service":4,"rate":"9' .. ("9"):rep(400) .. '"}]',
      ["services --fresh --sort name --max-rate 1"] =
        '[{"service":1,"name":{"a":1}},{"service":2,"name":"x"},3,"y",null]',
      ["watch 1 --timeout 0.3"] = '{"status":["a"],"remains":{"x":1},"charge":{}}',
    } do
      local out, err = home:run("smmpanel " .. line, answering(body))
      assert.is_nil((out .. err):find("traceback", 1, true), line .. err)
      assert.is_nil((out .. err):find("internal error", 1, true), line .. err)
    end
    for _, config in ipairs { "", "return 5", "main = 5", "default = 'x'", "main = {}",
      "main = { url = 5, key = {} }" } do
      home:write("config/smmpanel/config.lua", config)
      home:run "chmod 600 ~/config/smmpanel/config.lua"
      local out, err, code = home:run("smmpanel balance", { panel = false })
      assert.equal(2, code, config)
      assert.is_nil((out .. err):find("internal error", 1, true), config .. err)
    end
  end)
end)
