-- An nginx for the specs, on a free port, in a private directory.
local http = require "spec.loops.support.http"
local system = require "spec.support.system"
local socket = require "socket"

local nginx = {}

local CONFIGURATION = [[
%s
daemon on; pid nginx.pid; error_log error.log notice; worker_processes %d;
env LUA_PATH; env LUA_CPATH;
%s
events { worker_connections 1024; }
http {
  access_log off; default_type text/plain;
  client_body_temp_path .; proxy_temp_path .; fastcgi_temp_path .; uwsgi_temp_path .; scgi_temp_path .;
  lua_package_path '%s'; lua_package_cpath '%s';
  %s
  init_by_lua_block { %s }
  server {
    listen 127.0.0.1:%d backlog=512;
    location = /ping { return 200 pong; }
    location = /worker { content_by_lua_block { ngx.print(ngx.worker.pid()) } }
    %s
  }
}
]]

local output = system.line

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

local function load_modules()
  local lines = {}
  for _, name in ipairs { "ndk_http_module", "ngx_http_lua_module" } do
    local path = "/usr/lib/nginx/modules/" .. name .. ".so"
    if read(path) ~= "" then lines[#lines + 1] = "load_module " .. path .. ";" end
  end
  return table.concat(lines, " ")
end

--- Returns whether nginx's Lua finds a module: Debian has them below /usr/share/lua/5.1, OpenResty in its lualib.
function nginx.has_module(name)
  local path = name:gsub("%.", "/") .. ".lua"
  for _, base in ipairs { "/usr/share/lua/5.1/", "/usr/local/share/lua/5.1/", "/usr/local/openresty/lualib/",
                          "/usr/local/openresty/site/lualib/" } do
    if read(base .. path) ~= "" then return true end
  end
  return false
end

local Server = {}
Server.__index = Server

function Server:get(path) return http.get(self.port, path) end

function Server:at_once(paths, meanwhile) return http.at_once(self.port, paths, meanwhile) end

function Server:worker() return tonumber((select(2, self:get "/worker"))) end

function Server:master() return tonumber(read(self.dir .. "/nginx.pid")) end

function Server:signal(name, pid)
  os.execute(("kill -%s %d 2>/dev/null"):format(name, pid or self:master()))
end

function Server:log() return read(self.dir .. "/error.log") end

--- Returns the worker's open descriptors and threads.
function Server.holds(_, pid)
  local descriptors = tonumber(output(("ls /proc/%d/fd | wc -l"):format(pid)))
  return descriptors, tonumber(read(("/proc/%d/status"):format(pid)):match "Threads:%s*(%d+)")
end

function Server:stop()
  local pid = self:master()
  self:signal("TERM", pid)
  nginx.wait_until(function() return not nginx.alive(pid) end)
  os.execute("rm -rf '" .. self.dir .. "'")
end

function nginx.alive(pid)
  local state = read(("/proc/%d/stat"):format(pid)):match "%) (%a)"
  return state ~= nil and state ~= "Z"
end

---@return number? seconds it took; nil if it did not become true in 20 seconds
function nginx.wait_until(condition)
  local begun = socket.gettime()
  repeat
    if condition() then return socket.gettime() - begun end
    socket.sleep(0.01)
  until socket.gettime() - begun > 20
end

--- Starts it.
---@param options { locations: string, init: string?, http: string?, main: string?, workers: integer? } `init`: Lua
-- code that nginx runs before its workers; `http` and `main`: directives
function nginx.start(options)
  local dir, root = system.directory(), output "pwd"
  local self = setmetatable({ dir = dir, port = system.free_port() }, Server)
  local lua = ("%s/lua/?.lua;%s/lua/?/init.lua;%s/contrib/nginx/?.lua;;"):format(root, root, root)
  system.write(dir .. "/nginx.conf", CONFIGURATION:format(load_modules(), options.workers or 1, options.main or "",
    lua, root .. "/build/5.1/?.so;;", options.http or "", options.init or "", self.port, options.locations))
  local problem = output(("PATH=$PATH:/usr/sbin nginx -p %s -c %s/nginx.conf -e error.log 2>&1"):format(
    dir, dir))
  assert(not problem:find "emerg", problem)
  assert(nginx.wait_until(function() return self:master() end), problem)
  assert(nginx.wait_until(function() return (pcall(self.get, self, "/ping")) end), problem)
  return self
end

return nginx
