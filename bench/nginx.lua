-- Two private nginx servers: a panel that answers after 20 ms, and the one under test, which calls it in several ways.
local lab = require "bench.lab"

local nginx = {}

local WARM_UP = 1.5 -- seconds, as in load.c

local COMMON = [[
%s
daemon off; master_process off; pid %s.pid; error_log %s.log error; worker_rlimit_nofile 8192;
%s
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 10000000; client_body_buffer_size 16k;
  client_body_temp_path t; proxy_temp_path t; fastcgi_temp_path t; uwsgi_temp_path t; scgi_temp_path t;
%s
}
]]

local PANEL = [[
  server {
    listen 127.0.0.1:%d backlog=4096;
    location / { content_by_lua_block {
      ngx.req.read_body() ngx.sleep(0.02)
      local body = '{"balance":"100.84292","currency":"USD"}'
      ngx.header["Content-Type"] = "application/json" ngx.header["Content-Length"] = #body
      ngx.print(body)
    } }
  }
]]

local TESTED = [[
  lua_package_path "%s/lua/?.lua;%s/lua/?/init.lua;%s/?.lua;%s/contrib/nginx/?.lua;;";
  lua_package_cpath "%s/build/5.1/?.so;;";
  upstream panel { server 127.0.0.1:%d; keepalive 1024; }
  init_worker_by_lua_block {
    URL, PORT = "http://127.0.0.1:%d/", %d
    BODY = "key=K&action=balance"
    function answer(balance)
      if not balance then return ngx.exit(502) end
      ngx.header["Content-Length"] = 2
      ngx.print("ok")
    end
    panel = require("smmpanel").new { url = URL, key = "K" }
    local function over(http)
      local transport = require "smmpanel_cosockets" { http = http }
      return require("smmpanel").new { url = URL, key = "K", transport = transport }
    end
    over_cosockets = over(require "smmpanel_http")
    local found, resty_http = pcall(require, "resty.http")
    over_resty_http = found and over(resty_http)
    events = 0
    counted = require("smmpanel").new { url = URL, key = "K", on_event = function() events = events + 1 end }
  }
  server {
    listen 127.0.0.1:%d backlog=4096;
    location = /bystander { content_by_lua_block { ngx.header["Content-Length"] = 2 ngx.print("ok") } }
    location = /ours { content_by_lua_block { answer(assert(panel:balance()).balance) } }
    location = /ours_over_cosockets { content_by_lua_block { answer(assert(over_cosockets:balance()).balance) } }
    location = /ours_over_resty_http { content_by_lua_block { answer(assert(over_resty_http:balance()).balance) } }
    location = /ours_with_on_event { content_by_lua_block { answer(assert(counted:balance()).balance) } }
    location = /proxy_pass {
      proxy_pass http://panel; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_method POST; proxy_set_body "key=K&action=balance"; proxy_pass_request_headers off;
    }
    location = /cosocket { content_by_lua_block {
      local socket = ngx.socket.tcp()
      assert(socket:connect("127.0.0.1", PORT, { pool_size = 1024 }))
      socket:send("POST / HTTP/1.1\r\nHost: panel\r\nContent-Type: application/x-www-form-urlencoded\r\n" ..
        "Content-Length: " .. #BODY .. "\r\n\r\n" .. BODY)
      local length
      for line in function() return assert(socket:receive("*l")) end do
        if line == "" then break end
        length = length or tonumber(line:match("^[Cc]ontent%%-[Ll]ength: (%%d+)"))
      end
      local body = assert(socket:receive(length))
      socket:setkeepalive(60000, 1024)
      answer(require("cjson").decode(body).balance)
    } }
    location = /resty_http { content_by_lua_block {
      local got = assert(require("resty.http").new():request_uri(URL, { method = "POST", body = BODY,
        headers = { ["Content-Type"] = "application/x-www-form-urlencoded" },
        keepalive_timeout = 60000, keepalive_pool = 1024 }))
      answer(require("cjson").decode(got.body).balance)
    } }
    location = /worker_thread { content_by_lua_block {
      local ok, balance = ngx.run_worker_thread("pool", "bench.blocking", "balance", URL)
      answer(ok and balance)
    } }
    location = /blocking { content_by_lua_block { answer(require("bench.blocking").balance(URL)) } }
  }
]]

local function first_line(command)
  local pipe = io.popen(command)
  local line = pipe:read "*l"
  pipe:close()
  return line
end

local function modules()
  local list = {}
  for _, name in ipairs { "ndk_http_module.so", "ngx_http_lua_module.so" } do
    local path = first_line("ls /usr/lib/nginx/modules/" .. name .. " 2>/dev/null")
    if path then list[#list + 1] = 'load_module "' .. path .. '";' end
  end
  return table.concat(list, "\n")
end

local function launch(dir, name, directives, http)
  local file = assert(io.open(dir .. "/" .. name .. ".conf", "w"))
  file:write(COMMON:format(modules(), name, name, directives, http))
  file:close()
  local command = "cd %s; mkdir -p t; echo $$; exec /usr/sbin/nginx -e %s.log -p %s -c %s.conf"
  local pipe = assert(io.popen(command:format(dir, name, dir, name)))
  return { pid = pipe:read "*n", pipe = pipe }
end

-- Returns the processor time of all its threads so far, in nanoseconds.
local function used(pid)
  local command = "cat /proc/%d/task/*/schedstat | awk '{n += $1} END {printf \"%%.0f\", n}'"
  return tonumber(first_line(command:format(pid)))
end

--- Runs the ways in turn at each number of connections. Returns the figures by connections, as from lab.alternate.
---@param loads { connections: integer, ways: string[] }[]
function nginx.run(loads, rounds, seconds)
  local dir = first_line "mktemp -d"
  local root, panel_port, port = first_line "pwd -P", 19000 + os.time() % 500 * 2, 19001 + os.time() % 500 * 2
  local panel = launch(dir, "panel", "", PANEL:format(panel_port))
  local tested = launch(dir, "tested", "env LUA_CPATH; thread_pool pool threads=64;",
    TESTED:format(root, root, root, root, root, panel_port, panel_port, panel_port, port))
  os.execute "sleep 0.7"
  local results = {}
  local ok, why = pcall(function()
    for _, load in ipairs(loads) do
      local contestants = {}
      for i, way in ipairs(load.ways) do
        contestants[i] = { (way:gsub("_", " ")), function()
          local before = used(tested.pid)
          local said = lab.run(("build/bench/load %d /%s %d %s"):format(port, way, load.connections, seconds))
          assert(not way:find "^ours" or said.errors == 0, "ours answered with errors")
          local share = seconds / (seconds + WARM_UP) / math.max(1, said.answered)
          said.cpu = (used(tested.pid) - before) / 1e9 * share
          return said
        end }
      end
      results[load.connections] = lab.alternate(contestants, rounds)
    end
  end)
  for _, server in ipairs { panel, tested } do
    os.execute(("kill %d"):format(server.pid))
    server.pipe:close()
  end
  if not ok then os.execute("cat " .. dir .. "/*.log >&2") end
  os.execute("rm -rf " .. dir)
  return assert(ok and results, why)
end

return nginx
