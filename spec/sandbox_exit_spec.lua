-- A program that starts a sandbox and ends without stop() ends at once, and nothing of the sandbox remains.
local child = require "spec.support.child"
local system = require "spec.support.system"

local TRIES = 150
local here = system.line "pwd"

local function exists(path)
  local file = io.open(path)
  return file and file:close() and true or false
end

local function wait_for(condition)
  for _ = 1, TRIES do
    if condition() then return true end
    os.execute "sleep 0.1"
  end
  return condition()
end

-- Runs a program that starts a sandbox and then ends as `ending` says, in a separate session whose processes
-- can be counted. -> what it printed, and whether all its processes are gone.
local function run(ending, before)
  local out = child.run(([[
    package.path = %q
    local sandbox = assert(require "smmpanel.sandbox.server".start { tls = false })
    print("dir=" .. sandbox.dir .. " pid=" .. sandbox.pid)
    io.stdout:flush()
    %s]]):format(package.path, ending), (before or "") .. " timeout 20")
  local dir, pid = out:match "dir=(%S+) pid=(%d+)"
  assert.truthy(dir, out)
  return out, wait_for(function() return not exists(dir) and not exists("/proc/" .. pid .. "/stat") end)
end

describe("a program that started a sandbox", function()
  for name, case in pairs {
    ["comes to its end"] = { "", "exit 0" },
    ["throws"] = { 'error "something else failed"', "something else failed" },
    ["calls os.exit"] = { "os.exit(3)", "exit 3" },
    ["calls os.exit and closes its state"] = { "os.exit(0, true)", "exit 0" },
    ["is killed"] = { 'os.execute "kill -9 $PPID; sleep 0.1"', "exit 137" },
    ["dropped the sandbox before"] = { "sandbox = nil collectgarbage() collectgarbage()", "exit 0" },
  } do
    it("ends at once and leaves no process when it " .. name, function()
      local out, gone = run(case[1])
      assert.truthy(out:find(case[2], 1, true), out)
      assert.is_true(gone)
    end)
  end

  it("is nginx: ends when nginx is stopped, and the sandbox with it", function()
    local dir = os.tmpname()
    os.remove(dir)
    os.execute("mkdir -p " .. dir)
    local module = "/usr/lib/nginx/modules/"
    system.write(dir .. "/nginx.conf", ([[
      load_module %sndk_http_module.so;
      load_module %sngx_http_lua_module.so;
      daemon off; master_process off; pid nginx.pid; error_log error.log notice;
      events {}
      http {
        access_log off;
        client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
        scgi_temp_path scgi;
        lua_package_path "%s/lua/?.lua;%s/lua/?/init.lua;;";
        init_worker_by_lua_block {
          local sandbox = assert(require "smmpanel.sandbox.server".start { tls = false })
          local file = io.open("%s/started.new", "w")
          file:write(sandbox.dir)
          file:close()
          os.rename("%s/started.new", "%s/started")
        }
      }]]):format(module, module, here, here, dir, dir, dir))
    os.execute(("cd %s; { /usr/sbin/nginx -e error.log -p %s -c %s/nginx.conf; : >ended; } >output 2>&1 &")
      :format(dir, dir, dir))
    local started = wait_for(function() return exists(dir .. "/started") end)
    os.execute(("kill $(cat %s/nginx.pid)"):format(dir))
    local place = started and io.open(dir .. "/started"):read "*a"
    local gone = started and wait_for(function() return exists(dir .. "/ended") and not exists(place) end)
    os.execute("rm -rf " .. dir)
    assert.is_true(started)
    assert.is_true(gone)
  end)
end)
