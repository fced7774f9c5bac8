-- What make install adds besides the modules: the command, its manual, and completion in the real shells.
local cli = require "spec.support.cli"
local process = require "spec.support.process"
local system = require "spec.support.system"

describe("make install", function()
  local home, prefix
  setup(function()
    home = cli.home():make()
    prefix = home.path .. "/prefix"
    local out, err, code = home:run(("make -C %s LUA=%s install PREFIX=%s"):format(cli.quoted(cli.ROOT), process.lua(),
      prefix))
    assert(code == 0, out .. err)
  end)
  teardown(function() home:remove() end)

  it("installs a command that finds its own modules, also through a symbolic link", function()
    assert.equal("#!/usr/bin/env " .. process.lua(), system.read(prefix .. "/bin/smmpanel"):match "^[^\n]*")
    os.execute(("ln -s %s/bin/smmpanel %s/link"):format(prefix, home.path))
    for _, path in ipairs { prefix .. "/bin/smmpanel", home.path .. "/link", "prefix/bin/smmpanel" } do
      assert.matches("^smmpanel %d", (home:run("cd ~; unset LUA_PATH LUA_CPATH; command " .. path .. " --version")))
    end
  end)

  it("installs a manual in correct roff, with every command and option of --help", function()
    local page = prefix .. "/share/man/man1/smmpanel.1"
    local text, err = home:run("groff -man -Tutf8 -ww -P -c " .. page .. " | col -bx")
    assert.equal("", err)
    text = text:gsub("‐", "-")
    for _, section in ipairs { "NAME", "SYNOPSIS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES" } do
      assert.truthy(text:find("\n" .. section .. "\n", 1, true), section)
    end
    local help = home:run "smmpanel --help"
    for name in help:gmatch "\n   (%l[%l-]+)  +%u" do
      assert.truthy(text:find("smmpanel " .. name, 1, true), name)
      for option in home:run("smmpanel " .. name .. " --help"):gmatch "(%-%-[%l-]+)" do
        if option ~= "--help" then assert.truthy(text:find(option, 1, true), name .. " " .. option) end
      end
    end
    assert.matches("130 +stopped by Ctrl%-C", text)
  end)

  it("removes everything again", function()
    local other = home.path .. "/gone"
    local make = "make -C " .. cli.quoted(cli.ROOT) .. " LUA=" .. process.lua() .. " PREFIX=" .. other
    assert.equal(0, (select(3, home:run(make .. " install && " .. make .. " uninstall"))))
    assert.equal("", (home:run("find " .. other .. " -type f")))
  end)

  -- Types a line in a shell in a terminal, presses Tab, and reads the screen.
  local function completed(shell, prepare, typed, keys)
    local terminal = home:terminal { columns = 100, env = { PATH = prefix .. "/bin:" .. os.getenv "PATH" } }
    finally(function() terminal:close() end)
    terminal:type(shell)
    terminal:type("PS1='% '; unset -f smmpanel; clear; " .. prepare .. "; echo ready")
    terminal:wait "ready"
    terminal:tmux("send-keys -l " .. cli.quoted(typed))
    for _ = 1, keys or 1 do terminal:key "Tab" end
    return terminal
  end

  local BASH = "source " .. "$PREFIX/share/bash-completion/completions/smmpanel"
  local ZSH = "fpath=($PREFIX/share/zsh/site-functions $fpath); autoload -U compinit; compinit -u -D"

  local function with_prefix(text) return (text:gsub("%$PREFIX", prefix)) end

  it("installs completion for bash", function()
    completed("bash --norc", with_prefix(BASH), "smmpanel bal"):wait "smmpanel balance ?\n?"
    local screen = completed("bash --norc", with_prefix(BASH), "smmpanel ref", 3):wait "refill%-status"
    assert.matches("refill +refill%-status", screen)
    completed("bash --norc", with_prefix(BASH), "smmpanel services --max-"):wait "%-%-max%-"
    completed("bash --norc", with_prefix(BASH), "smmpanel services --sort ra"):wait "%-%-sort rate"
  end)

  it("completes profiles, refs, fields, shells and faults in bash, and files only where files belong", function()
    local script = assert(io.popen(("PATH=%s/bin:$PATH HOME=/nonexistent bash -c '%s' 2>/dev/null"):format(prefix, [[
      . ]] .. prefix .. [[/share/bash-completion/completions/smmpanel]] .. "\n" .. [[
      try() { COMP_WORDS=(smmpanel "$@"); COMP_CWORD=$#; COMPREPLY=(); _smmpanel; echo "${COMPREPLY[*]}"; }
      cd ]] .. prefix .. "\n" .. [[
      try add lin; try add --max-cost ""; try completion f; try sandbox --fault htm; try services --save sh
      try status --ref ""]])))
    local lines = {}
    for line in script:lines() do lines[#lines + 1] = line end
    script:close()
    assert.same({ "link=", "", "fish", "html", "share", "" }, lines)
  end)

  it("installs completion for zsh", function()
    completed("zsh -f", with_prefix(ZSH), "smmpanel bal"):wait "smmpanel balance"
    local screen = completed("zsh -f", with_prefix(ZSH), "smmpanel ref", 2):wait "refill%-status"
    assert.matches("Show the status of refills", screen)
    completed("zsh -f", with_prefix(ZSH), "smmpanel services --sort ra"):wait "%-%-sort rate"
  end)

  it("completes fields, faults and profiles in zsh, and files only where files belong", function()
    home:write("config/smmpanel/config.lua", "myshop = { url = 'http://127.0.0.1:1/', key = 'k' }")
    os.execute(("chmod 600 %s/config/smmpanel/config.lua"):format(home.path))
    home:write("here/afile", "x")
    local prepare = with_prefix(ZSH) .. "; cd ~/here; export XDG_CONFIG_HOME=~/config"
    completed("zsh -f", prepare, "smmpanel add lin"):wait "smmpanel add link="
    completed("zsh -f", prepare, "smmpanel sandbox --fault htm"):wait "%-%-fault html"
    completed("zsh -f", prepare, "smmpanel balance --panel my"):wait "%-%-panel myshop"
    completed("zsh -f", prepare, "smmpanel services --save af"):wait "%-%-save afile"
    local terminal = completed("zsh -f", prepare, "smmpanel status af")
    terminal:tmux("send-keys -l " .. cli.quoted "z")
    terminal:wait "smmpanel status afz"
  end)

  it("installs completion for fish", function()
    local script = prefix .. "/share/fish/vendor_completions.d/smmpanel.fish"
    local function offered(typed)
      return home:run(("fish --no-config -c 'source %s; complete -C %q'"):format(script, typed))
    end
    assert.matches("refill%-status\t", offered "smmpanel ref")
    assert.matches("%-%-max%-rate", offered "smmpanel services --max-")
    assert.matches("rate", offered "smmpanel services --sort ")
    assert.is_nil(offered "smmpanel ma":find "man")
  end)

  it("completes fields, faults and profiles in fish, and files only where files belong", function()
    home:write("config/smmpanel/config.lua", "myshop = { url = 'http://127.0.0.1:1/', key = 'k' }")
    home:write("here/afile", "x")
    local script = prefix .. "/share/fish/vendor_completions.d/smmpanel.fish"
    local function offered(typed)
      return (home:run(("chmod 600 ~/config/smmpanel/config.lua; cd ~/here; unset -f smmpanel; PATH=%s/bin:$PATH "
        .. "XDG_CONFIG_HOME=~/config fish --no-config -c 'source %s; complete -C %q'"):format(prefix, script, typed)))
    end
    assert.matches("^link=", offered "smmpanel add lin")
    assert.matches("^html", offered "smmpanel sandbox --fault htm")
    assert.matches("^myshop", offered "smmpanel balance --panel my")
    assert.matches("^afile", offered "smmpanel services --save af")
    assert.equal("", offered "smmpanel status af")
    assert.equal("", offered "smmpanel balance --below af")
  end)
end)
