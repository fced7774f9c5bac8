-- No shell runs a text that comes from a panel, a file or the environment.
local cli = require "spec.support.cli"
local cli_sandbox = require "spec.support.cli_sandbox"
local errors = require "smmpanel.errors"
local explain = require "smmpanel.cli.explain"
local process = require "spec.support.process"
local text = require "smmpanel.util.text"

-- Each makes a file named `ran` in the working directory if a shell interprets it.
local SHORT = { "<(>ran)", ";>ran", "$(touch ran)", "`>ran`", "';>ran;'", "-x;>ran" }
local COMMANDS = { "<(>ran)", ";>ran", "|>ran", "&>ran", ">ran", "$(touch ran)", "$(>ran)", "`>ran`", "';>ran;'",
  '";>ran;"', "\\';>ran;\\'", "-x;>ran", "~;>ran", "!ran", "*;>ran", "#;>ran" }

describe("a shell", function()
  local _, home = cli_sandbox.new_homes { balance = "100000" }

  local function path_of(name) return home.path .. "/" .. name end

  local function nothing_ran(what)
    local out = home:run "ls -d ~/ran ~/*/ran ~/*/*/ran 2>/dev/null"
    assert.equal("", out, what)
  end

  -- The file of orders of a shop, whose customers choose the refs.
  local function place(fault)
    local rows = { "ref,service,link,quantity", "shop-1,1,https://example.com/shop,100" }
    for i, ref in ipairs(COMMANDS) do
      rows[#rows + 1] = ('"%s",1,https://example.com/%d,100'):format(ref:gsub('"', '""'), i)
    end
    home:write("orders.csv", table.concat(rows, "\n"))
    return home:run("cd ~; smmpanel add --from orders.csv --yes", { fault = fault })
  end

  it("does not run a ref, neither during completion nor in the completed line", function()
    local _, err, code = place "lost&on=add"
    assert.equal(5, code, err)
    nothing_ran "add"
    assert.equal("shop-1\n", (home:run "cd ~; smmpanel words refs"))
    local out = home:run [[cd ~; eval "$(smmpanel completion bash)"
      COMP_WORDS=(smmpanel resolve ""); COMP_CWORD=2; _smmpanel
      for word in "${COMPREPLY[@]}"; do eval "true $word"; done
      echo "${COMPREPLY[*]}"]]
    assert.equal("shop-1\n", out)
    nothing_ran "completion"
  end)

  it("can run the advice that names a ref and an order of the panel", function()
    for _, command in ipairs(COMMANDS) do
      local err = errors.new { kind = "network", code = "timeout", action = "add", message = "no answer",
        uncertain = true, ref = command, order = command }
      local advice = explain.text(err):match "; next: (.*)$"
      local out = home:run("cd ~; smmpanel() { printf '%s\\n' \"$@\"; }\n" .. advice)
      assert.equal(("resolve\n%s\n%s\n"):format(command, command), out)
      nothing_ran(advice)
    end
  end)

  it("can run the advice to close a file", function()
    for _, command in ipairs(SHORT) do
      home:write(command .. "/key", "abcdefgh")
      local path = text.shell_word(path_of(command .. "/key"))
      local _, why = home:run(("chmod 644 %s; smmpanel balance --key-file %s"):format(path, path))
      assert.equal("600\n", (home:run(("cd ~; %s; stat -c %%a %s"):format(why:match ": (chmod 600 .*)\n", path))))
      nothing_ran(why)
    end
  end)

  it("does not run the name of a directory or a file", function()
    for _, command in ipairs(SHORT) do
      local env = {}
      for name, place_of in pairs { XDG_CONFIG_HOME = "config", XDG_CACHE_HOME = "cache", XDG_STATE_HOME = "state" } do
        env[name] = path_of(command .. "/" .. place_of)
      end
      home:write(command .. "/ids", "1\n")
      local file = text.shell_word(path_of(command .. "/file"))
      local ids = text.shell_word(path_of(command .. "/ids"))
      for _, line in ipairs { "services -n 1 --save " .. file, "pending", "services --against " .. file,
        "pending --ledger " .. file .. ".sqlite", "status --from " .. ids } do
        local out, err, code = home:run("cd ~; smmpanel " .. line, { env = env })
        assert.is_true(code <= 2, line .. out .. err)
      end
      nothing_ran(command)
      assert.equal("700\n700\n", (home:run("cd ~; stat -c %a " .. text.shell_word("./" .. command .. "/cache/smmpanel")
        .. " " .. text.shell_word("./" .. command .. "/state/smmpanel"))))
    end
  end)

  it("does not run the path of a sandbox's directory or of its nginx", function()
    local program = [[package.path = %q .. "/lua/?.lua;" .. package.path
      local server = require "smmpanel.sandbox.server"
      for _, nginx in ipairs { false, %q } do
        local sandbox = server.start { nginx = nginx or nil, tls = false }
        if sandbox then sandbox.stop() end
      end]]
    for _, command in ipairs { "<(>ran)", "$(>ran)", "`>ran`", "'$(cd;>ran)'" } do
      home:write(command .. "/nginx", "")
      home:write("program.lua", program:format(cli.ROOT, path_of(command .. "/nginx")))
      home:run(("cd ~; TMPDIR=%s %s program.lua"):format(text.shell_word(path_of(command)), process.lua()))
      nothing_ran(command)
    end
  end)
end)
