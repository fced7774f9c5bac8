-- The plugin in contrib/nvim, in the real editor. Neovim has the 5.1 ABI: these specs run once.
if _VERSION ~= "Lua 5.1" then return end

local sandbox_support = require "spec.support.sandbox"
local system = require "spec.support.system"

local NEOVIM = "timeout 30 nvim --headless -u NONE -i NONE -n --cmd 'set rtp+=%s/contrib/nvim' " ..
  "-c 'runtime plugin/smmpanel.lua' -c 'luafile spec/loops/programs/neovim_plugin.lua' 2>&1"

local output, read = system.output, system.read

describe("the Neovim plugin", function()
  local sandbox, said, root

  lazy_setup(function()
    sandbox, root = sandbox_support.start { tls = false }, output "pwd":gsub("%s+$", "")
    said = output(("SMMPANEL_URL='%s' SMMPANEL_KEY=%s "):format(sandbox.url, sandbox.key) .. NEOVIM:format(root))
  end)
  lazy_teardown(function() if sandbox then sandbox.stop() end end)

  it("loads nothing before the first command", function()
    assert.matches("loaded at start: 0\n", said, 1, true)
  end)

  it("has a :checkhealth that tests the panel", function()
    assert.matches("OK:? smmpanel %d", said)
    assert.matches("OK:? the panel answers and accepts the key", said)
    assert.is_nil(said:find(sandbox.key, 1, true))
  end)

  it("has a :checkhealth that reports missing settings", function()
    local text = output("env -u SMMPANEL_URL -u SMMPANEL_KEY " .. NEOVIM:format(root))
    assert.matches("ERROR:? smmpanel: set url and key", text)
  end)

  it("finds the module from the repository alone", function()
    local text = output("env -u LUA_PATH -u LUA_CPATH " .. NEOVIM:format(root))
    assert.matches("OK:? smmpanel %d", text)
  end)

  it("has a :checkhealth that says why the module does not load", function()
    local text = output("env LUA_CPATH='./none/?.so' " .. NEOVIM:format(root))
    assert.matches("ERROR:? smmpanel cannot be loaded: [^\n]*module 'smmpanel.core' not found", text)
  end)

  it("shows orders, by ids and under the cursor, and completes them", function()
    assert.matches("x 1 +Partial", said)
    assert.matches("x 999999 +Incorrect order ID", said)
    assert.matches("status completes to: 999999", said, 1, true)
    assert.matches("under the cursor: [^\n]*\nx 100 +In progress", said)
  end)

  it("lists services by words, and completes words of the categories", function()
    assert.matches("services: [^\n]*\nx 10 [^\n]*Mentions", said)
    assert.matches("services complete to: Instagram", said, 1, true)
  end)

  it("shows the balance", function()
    assert.matches("balance: Balance: 100.84292 USD", said, 1, true)
  end)

  -- The committed file is made by `make doc`; this is the generator's current output.
  it("has a help file that :helptags accepts, with a tag for each function", function()
    local dir = system.directory()
    finally(function() os.execute("rm -rf '" .. dir .. "'") end)
    os.execute(("$(command -v lua5.4 || echo luajit) tools/vimdoc >%s/smmpanel.txt"):format(dir))
    local problem = output(("nvim --headless -u NONE -c 'helptags %s' -c q 2>&1"):format(dir))
    assert.is_nil(problem:find "E%d+", problem)
    local tags = read(dir .. "/tags")
    for method in read "lua/smmpanel/client.lua":gmatch "\nfunction Panel:([%w_]+)" do
      assert.is_truthy(tags:find("smmpanel.Panel:" .. method .. "()\t", 1, true), method)
    end
    for name in read "lua/smmpanel/init.lua":gmatch "\nfunction smmpanel%.([%w_]+)" do
      assert.is_truthy(tags:find("smmpanel." .. name .. "()\t", 1, true), name)
    end
    for _, command in ipairs { ":SmmBalance", ":SmmStatus", ":SmmServices" } do
      assert.is_truthy(tags:find(command .. "\t", 1, true), command)
    end
    assert.is_truthy(read("contrib/nvim/doc/smmpanel.txt"):find("*smmpanel.Panel:add()*", 1, true))
  end)
end)
