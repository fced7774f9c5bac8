--- The nginx configuration of a sandbox, and the shell script that starts and supervises it.
-- @module smmpanel.sandbox.server.config

local config = {}

local shell_word = require("smmpanel.util.text").shell_word

local nginx = [[
${modules}
daemon off;
master_process off;
pid nginx.pid;
error_log error.log warn;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 16m;
  client_body_buffer_size 16m;
  large_client_header_buffers 4 64k;
  keepalive_timeout 65;
  keepalive_requests 1000000;
  gzip on;
  gzip_comp_level 1;
  gzip_proxied any;
  gzip_types application/json text/plain;
  lua_package_path "${lua}/?.lua;${lua}/?/init.lua;;";
  lua_check_client_abort on;
  # A browser runs no script from the sandbox and does not guess another content type.
  add_header X-Content-Type-Options nosniff always;
  add_header Content-Security-Policy "sandbox; default-src 'none'" always;
  # All modules are loaded here: later this process may be a user who cannot read them.
  init_by_lua_block {
    require("smmpanel.sandbox.server.http").start(dofile("${dir}/options.lua"), "${token}")
    require "smmpanel.sandbox.server.control"
  }
  init_worker_by_lua_block { require("smmpanel.sandbox.server.privileges").drop() }
  server {
    listen 127.0.0.1:${port};
    ${tls}
    log_by_lua_block { require("smmpanel.sandbox.server.http").log() }
    location ~ ^(/fault/[^/]+)?/api(/v[123])?(/index\.php)?/?$ {
      default_type "";
      content_by_lua_block { require("smmpanel.sandbox.server.http").serve() }
    }
    location /control {
      content_by_lua_block { require("smmpanel.sandbox.server.control").serve() }
    }
    location = /maintenance {
      content_by_lua_block { require("smmpanel.sandbox.server.http").maintenance() }
    }
    location @reset {
      reset_timedout_connection on;
      return 444;
    }
    location / {
      return 404;
    }
  }
}
]]

local tls = [[
listen 127.0.0.1:${tls_port} ssl http2;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;]]

--- A shell function that tells whether a process is alive. `kill -0` is not enough: it also succeeds for a zombie.
config.lives = [[
lives() {
  kill -0 $1 2>/dev/null || return 1
  stat=
  [ ! -r /proc/$1/stat ] || read -r stat </proc/$1/stat
  case $stat in *') Z '*) return 1 ;; esac
}]]

-- The script runs in the background, and the launcher holds no pipe to it: with a pipe, the launcher would wait for
-- the script at its exit while the script waits for the launcher. Instead the script checks twice a second whether
-- the launcher is still alive, and stops nginx when it is not.
-- It removes the directory when nginx has ended, except when nginx failed to start: the launcher reads the reason
-- there. Ctrl-C reaches the whole process group, so the script ignores it in order to clean up. It closes inherited
-- descriptors, so that it holds no lock of the launcher. nginx itself must get SIGTERM even before it has installed
-- its handlers, hence `trap - TERM`.
local watcher = [[
launcher=$1
trap '' INT TERM HUP
cd '${dir}' || exit 1
exec </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
${lives}
${certificates}
(
  trap - TERM
  exec ${nginx} -e '${dir}/error.log' -p '${dir}' -c '${dir}/nginx.conf' >output 2>&1
) &
pid=$!
echo $pid >child
while lives $launcher && lives $pid; do sleep 0.5; done
n=0
kill -TERM $pid
while lives $pid && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done
kill -KILL $pid
wait $pid
[ $? = 1 ] && lives $launcher && exit
cd / && rm -rf '${dir}'
]]

-- A private certificate authority, and a certificate for the loopback names. They have all that strict clients ask for,
-- such as Python from 3.13 on.
local certificates = [[
exec 4>certificates.log
key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
openssl req -x509 $key -keyout ca.key -out ca.pem -days 30 -subj '/CN=smmpanel sandbox' \
  -addext keyUsage=critical,keyCertSign,cRLSign >&4 2>&4
openssl req $key -keyout server.key -out server.csr -subj /CN=localhost >&4 2>&4
printf '%s\n' subjectAltName=IP:127.0.0.1,DNS:localhost basicConstraints=critical,CA:FALSE \
  keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth \
  subjectKeyIdentifier=hash authorityKeyIdentifier=keyid >extensions
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 30 \
  -extfile extensions >&4 2>&4
exec 4>&-]]

local function fill(template, values)
  return (template:gsub("%${(%w+_?%w*)}", values))
end

---@class sandbox.place
---@field dir string the server's private directory
---@field lua string the directory above `smmpanel/sandbox/…`
---@field nginx string the program
---@field modules string[] modules of nginx to load
---@field port integer
---@field token string that requests to the controls must contain
---@field tls_port? integer

--- Returns the nginx configuration.
---@param place sandbox.place
---@return string
function config.nginx(place)
  local modules = {}
  for i, module in ipairs(place.modules) do
    modules[i] = ('load_module "%s";'):format(module)
  end
  return fill(nginx, {
    modules = table.concat(modules, "\n"), dir = place.dir, lua = place.lua, port = place.port, token = place.token,
    tls = place.tls_port and fill(tls, { tls_port = place.tls_port }) or "",
  })
end

--- Returns the script.
---@param place sandbox.place
---@return string
function config.watcher(place)
  return fill(watcher, { dir = place.dir, nginx = shell_word(place.nginx), lives = config.lives,
                         certificates = place.tls_port and certificates or "" })
end

local function literal(value)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or tostring(value)
  end
  local fields = {}
  for name, field in pairs(value) do
    fields[#fields + 1] = ("[%q] = %s"):format(name, literal(field))
  end
  return "{ " .. table.concat(fields, ", ") .. " }"
end

--- Returns the panel's options as the text of a Lua file.
---@param options table<string, string|number|table>
---@return string
function config.options(options)
  return "return " .. literal(options) .. "\n"
end

return config
