-- Every example runs, and does what it says.
local http = require "spec.loops.support.http"
local nginx = require "spec.loops.support.nginx"
local process = require "spec.support.process"
local programs = require "spec.loops.support.programs"
local sandbox_server = require "smmpanel.sandbox.server"
local system = require "spec.support.system"

local is_51 = _VERSION == "Lua 5.1"

describe("the example for", function()
  local sandbox, environment

  lazy_setup(function()
    sandbox = assert(sandbox_server.start { tls = false })
    environment = ("SMMPANEL_URL=%s SMMPANEL_KEY=%s "):format(sandbox.url, sandbox.key)
  end)
  lazy_teardown(function() if sandbox then sandbox.stop() end end)

  local function run(command)
    return system.output(environment .. "timeout 20 " .. command .. " 2>&1")
  end

  for _, name in ipairs { "plain", "luv", "cqueues" } do
    it(name, function()
      local said = run(process.lua() .. " examples/" .. name .. "/main.lua")
      assert.matches("2%s+In progress", said)
      assert.matches("100%s+In progress", said)
    end)
  end

  if not is_51 then
    local version = programs.haproxy_lua()
    if not version then return end
    it("HAProxy", function()
      local port = system.free_port()
      local change = ("sed 's/8090/%d/' examples/haproxy/haproxy.cfg"):format(port)
      local path = os.tmpname()
      os.execute(("%s >%s"):format(change, path))
      local command = ("PATH=$PATH:/usr/sbin LUA_CPATH='./build/%s/?.so;;' "):format(version) ..
        "sh -c 'echo started; exec haproxy -db -f " .. path .. "'"
      local server = process.start("env " .. environment .. command)
      finally(function() server.stop() os.remove(path) end)
      assert(nginx.wait_until(function() return (pcall(http.get, port, "/balance")) end))
      assert.equal("100.84292 USD\n", select(2, http.get(port, "/balance")))
      assert.equal("1 Partial\n100 In progress\n", select(2, http.get(port, "/orders?ids=1,100")))
    end)
    return
  end

  for name, example in pairs {
    Tarantool = { "tarantool examples/tarantool/main.lua", programs.has "tarantool" },
    GLib = { process.lua() .. " examples/glib/main.lua", programs.loads(process.lua(), "lgi") },
    ["love.thread"] = { "love examples/love_thread", true },
  } do
    it(name, function()
      if not example[2] then return pending(name .. " is not installed") end
      local said = run(example[1])
      for _, line in ipairs { "1%s+Partial", "2%s+In progress", "100%s+In progress" } do assert.matches(line, said) end
    end)
  end

  it("Copas", function()
    if not programs.loads(process.lua(), "copas") then return pending "copas does not load here" end
    local server = process.start("env " .. environment .. process.lua() .. " examples/copas/main.lua")
    finally(server.stop)
    local connection = require "socket".connect("127.0.0.1", tonumber(server.line:match "%d+$"))
    connection:send "100\nno id!\n"
    assert.equal("In progress", connection:receive())
    assert.equal("send an order's id", connection:receive())
    connection:close()
  end)

  it("Luanti", function()
    local command = programs.luanti(("smm_shop=examples/luanti shopper=spec/loops/programs/luanti/shopper -- " ..
      "'smm_shop.url = %s' 'smm_shop.key = %s'"):format(sandbox.url, sandbox.key))
    if not command then return pending "Luanti's server is not installed" end
    local said = run(command)
    assert.matches("singleplayer: Partial", said, 1, true)
    assert.matches("singleplayer: In progress", said, 1, true)
    assert.matches("Give the number of an order.", said, 1, true)
  end)

  it("LÖVE", function()
    assert.matches("#100  In progress", run "env SMMPANEL_HEADLESS=1 love examples/love", 1, true)
  end)

  it("Neovim", function()
    local said = run("nvim --headless -u NONE -i NONE -n --cmd 'set rtp+=examples/neovim' " ..
      "-c 'runtime plugin/smmpanel.lua' -c 'PanelBalance' -c 'PanelOrders 1 2 100' " ..
      "-c 'luafile spec/loops/programs/neovim_orders.lua'")
    assert.matches("Balance: 100.84292 USD", said, 1, true)
    assert.matches("100 +In progress", said)
  end)

  it("nginx", function()
    local port, dir = system.free_port(), system.directory()
    local changes = ("s/8089/%d/; s/daemon off/daemon on/; s/log stderr/log error.log/"):format(port)
    os.execute(("sed '%s' examples/nginx/nginx.conf > %s/nginx.conf"):format(changes, dir))
    os.execute(environment .. ("/usr/sbin/nginx -p %s -c %s/nginx.conf -e error.log"):format(dir, dir))
    finally(function() os.execute(("kill $(cat %s/nginx.pid); sleep 0.2; rm -r %s"):format(dir, dir)) end)
    assert(nginx.wait_until(function() return (pcall(http.get, port, "/balance")) end))
    assert.matches('"100":{[^}]*"In progress"', select(2, http.get(port, "/dashboard")))
    assert.matches("100.84292", select(2, http.get(port, "/balance")), 1, true)
    http.get(port, "/logged")
    assert(nginx.wait_until(function()
      return system.read(dir .. "/error.log"):find("balance: 100.84292", 1, true)
    end), "the timer")
  end)
end)
