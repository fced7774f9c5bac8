-- Where the command line finds the panel's URL and key, and where it never reads them.
local cli = require "spec.support.cli"
local cli_sandbox = require "spec.support.cli_sandbox"

describe("the panel's URL and key", function()
  local sandbox, home = cli_sandbox.new_homes()

  local function write_config(text, mode)
    local path = home:write("config/smmpanel/config.lua", text)
    os.execute(("chmod %s %s"):format(mode or "600", cli.quoted(path)))
    return path
  end

  local function profile(name, key)
    return ("%s = { url = %q, key = %q }\n"):format(name, sandbox.url, key or sandbox.key)
  end

  -- Without the panel's environment variables.
  local function run(line, options)
    options = options or {}
    options.panel = options.panel or false
    return home:run(line, options)
  end

  local function works(line, options)
    local out, err, code = run(line, options)
    assert.equal("", err)
    assert.equal(0, code)
    assert.matches("USD", out)
  end

  local function refused(line, why, options)
    local out, err, code = run(line, options)
    assert.equal(2, code, out .. err)
    assert.equal("", out)
    assert.truthy(err:find(why, 1, true), err)
    assert.is_nil(err:find(sandbox.key, 1, true))
  end

  it("come from the environment", function()
    works("smmpanel balance", { panel = true })
    refused("smmpanel balance", "SMMPANEL_KEY is set, but SMMPANEL_URL is not",
      { env = { SMMPANEL_KEY = sandbox.key } })
    refused("smmpanel balance", "there is no key: set SMMPANEL_KEY, or give --key-file",
      { env = { SMMPANEL_URL = sandbox.url } })
  end)

  it("are explained if there are none", function()
    refused("smmpanel balance", "no panel is set up")
    refused("smmpanel balance", home.path .. "/config/smmpanel/config.lua")
    refused("smmpanel balance", "smmpanel sandbox")
  end)

  it("come from a key file", function()
    local env = { SMMPANEL_URL = sandbox.url }
    home:write("key", "\n  " .. sandbox.key .. "  \r\nanother line\n")
    refused("smmpanel balance --key-file ~/key", "can be read by other users", { env = env })
    run "chmod 600 ~/key; mkfifo -m 600 ~/fifo"
    works("smmpanel balance --key-file ~/key", { env = env })
    refused("smmpanel balance --key-file ~/fifo", "fifo is a named pipe: a key must be in an ordinary file",
      { env = env })
    refused("smmpanel balance --key-file /dev/null", "/dev/null is a char device", { env = env })
    works("smmpanel --key-file ~/key balance", { env = env })
    home:write("empty", "\n\n")
    run "chmod 600 ~/empty"
    refused("smmpanel balance --key-file ~/empty", "the file has no key", { env = env })
    refused("smmpanel balance --key-file ~/nowhere", "No such file", { env = env })
  end)

  it("come from the only profile, the default one, or the selected one", function()
    write_config(profile "main")
    works "smmpanel balance"
    write_config(profile "main" .. profile("other", "wrong-key-1234") .. 'default = "main"')
    works "smmpanel balance"
    assert.equal(3, (select(3, run "smmpanel balance --panel other")))
    assert.equal(3, (select(3, run "smmpanel -p other balance")))
    write_config(profile "main" .. profile "other")
    refused("smmpanel balance", "several profiles and no default: choose with --panel (main, other)")
    refused("smmpanel balance --panel mian", "no profile 'mian'; did you mean 'main'?")
    local elsewhere = { SMMPANEL_URL = "http://127.0.0.1:1/", SMMPANEL_KEY = "x" }
    works("smmpanel balance --panel other", { env = elsewhere })
  end)

  it("can have the key in a file, and the profile's other options reach the client", function()
    home:write("key", sandbox.key)
    run "chmod 600 ~/key"
    write_config(("main = { url = %q, key_file = %q, timeout = 5 }"):format(sandbox.url, home.path .. "/key"))
    works "smmpanel balance"
    write_config(("main = { url = %q, key = 'k', timout = 5 }"):format(sandbox.url))
    refused("smmpanel balance", "the panel's settings: unknown option 'timout'; did you mean 'timeout'?")
    write_config(("main = { url = %q }"):format(sandbox.url))
    refused("smmpanel balance", "the profile 'main' has no key")
  end)

  it("are refused if other users can read them", function()
    for _, mode in ipairs { "640", "604", "660", "644" } do
      local path = write_config(profile "main", mode)
      local why = "%s contains keys and can be read by other users: chmod 600 %s"
      refused("smmpanel balance", why:format(path, path))
    end
    write_config(profile "main", "400")
    works "smmpanel balance"
  end)

  it("are read only as text, which can access nothing", function()
    write_config("os.execute('touch ' .. os.getenv 'HOME' .. '/touched')")
    refused("smmpanel balance", "config.lua: line 1 is not valid Lua")
    assert.is_nil(io.open(home.path .. "/touched"))
    write_config("main = {")
    refused("smmpanel balance", "config.lua: line 1 is not valid Lua")
    write_config(("main = { url = %q,\n key = '%s }"):format(sandbox.url, sandbox.key))
    refused("smmpanel balance", "config.lua: line 2 is not valid Lua")
    write_config(("main = { url = %q, key = %s.x }"):format(sandbox.url, "k" .. sandbox.key:gsub("%W", "")))
    local _, err = run "smmpanel balance"
    assert.is_nil(err:find(sandbox.key:gsub("%W", ""), 1, true))
    write_config(string.dump((loadstring or load)("main = {}")))
    refused("smmpanel balance", "config.lua")
    write_config ""
    refused("smmpanel balance --panel main", "config.lua has no profile. A profile is a table")
    refused("smmpanel balance", "config.lua has no profile. A profile is a table")
    write_config(profile "main" .. 'default = "mian"')
    refused("smmpanel balance", "default = 'mian' names no profile; did you mean 'main'?")
    write_config "main = { url = 5, key = 'x' }"
    refused("smmpanel balance", "the url of the profile 'main' must be a string, got a number")
    os.remove(home.path .. "/config/smmpanel/config.lua")
    refused("smmpanel balance --panel main", "there is no profile 'main': " .. home.path)
  end)

  it("come from the home directory if XDG_CONFIG_HOME is not set", function()
    local path = home:write(".config/smmpanel/config.lua", profile "main")
    os.execute("chmod 600 " .. path)
    works("unset XDG_CONFIG_HOME; smmpanel balance")
    refused("unset XDG_CONFIG_HOME HOME; smmpanel balance", "no panel is set up")
  end)

  it("never come from the command line", function()
    for _, option in ipairs { "--key", "--url", "-k" } do
      refused("smmpanel balance " .. option .. " x", "unknown option '" .. option .. "'", { panel = true })
    end
    for _, name in ipairs { "balance", "services", "add", "status", "call" } do
      local help = run("smmpanel " .. name .. " --help")
      assert.is_nil(help:find "%-%-key[^-]")
    end
  end)

  it("are cached separately for each panel and account", function()
    write_config(profile "main" .. profile("other", sandbox.keys.second) .. profile "renamed" .. 'default = "main"')
    run "umask 0; smmpanel services; smmpanel services --panel other; smmpanel services --panel renamed"
    local files = home:run "ls ~/cache/smmpanel"
    assert.matches("^127.0.0.1_%d+_api_v2%-%x+.json\n127.0.0.1_%d+_api_v2%-%x+.json\n$", files)
    assert.equal("", (home:run "find ~/cache/smmpanel -perm /077"))
    assert.is_nil(home:run("grep -r " .. sandbox.key .. " ~/cache"):find "%S")
  end)

  it("work without a home directory, and then cache nothing", function()
    local out, err, code = home:run("unset HOME XDG_CACHE_HOME XDG_CONFIG_HOME XDG_STATE_HOME; "
      .. "smmpanel services -n 1")
    assert.equal("", err)
    assert.equal(0, code)
    assert.matches("Followers", out)
  end)
end)
