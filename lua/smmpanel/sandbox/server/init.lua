--- Starts the sandbox: nginx with its Lua module on free loopback ports, in a private directory.
-- It needs no Lua library, so any Lua can start it. It stops when the process that started it ends.
--
--     local sandbox = assert(require "smmpanel.sandbox.server".start())
--     print(sandbox.url, sandbox.key)
--     sandbox.stop()
-- @module smmpanel.sandbox.server

local config = require "smmpanel.sandbox.server.config"
local quoted = require("smmpanel.util.text").shell_word

local server = {}

local TRIES = 5
local START_SECONDS = 20

local running = {} -- keeps each server until its process ends, even if the program drops its handle

local function first_line(command)
  local pipe = io.popen(command)
  local line = pipe:read("*l")
  pipe:close()
  return line ~= "" and line or nil
end

local function read_file(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then
    file:close()
  end
  return text
end

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function exists(path)
  local file = io.open(path, "rb")
  return file and file:close() and true or false
end

-- ---- detection -------------------------------------------------------------------------------

local function lua_directory()
  local own = debug.getinfo(1, "S").source:match("^@(.*)$") or ""
  local above = own:match("^(.*)/smmpanel/sandbox/server/[^/]*$") or "."
  return first_line("cd " .. quoted(above) .. " 2>/dev/null && pwd -P")
end

local function find_nginx()
  return first_line("PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/local/openresty/nginx/sbin command -v nginx")
end

-- The development kit must be loaded before the Lua module. An nginx with both built in has no module files.
local function find_modules()
  for _, directory in ipairs { "/usr/lib/nginx/modules", "/usr/lib64/nginx/modules",
                               "/usr/share/nginx/modules", "/usr/local/lib/nginx/modules" } do
    local kit, lua = directory .. "/ndk_http_module.so", directory .. "/ngx_http_lua_module.so"
    if exists(lua) then
      return exists(kit) and { kit, lua } or { lua }
    end
  end
  return {}
end

local function random_bytes(count)
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(count)
  file:close()
  return bytes
end

local function random_key()
  return (random_bytes(16):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

-- Returns the ports in use, if the system lists them.
local function taken_ports()
  local taken = {}
  for _, path in ipairs { "/proc/net/tcp", "/proc/net/tcp6" } do
    for hex in (read_file(path) or ""):gmatch("\n%s*%d+: %x+:(%x%x%x%x) ") do
      taken[tonumber(hex, 16)] = true
    end
  end
  return taken
end

-- Below 32768, outside the range of ports for outgoing connections.
local function free_port(taken)
  local port
  repeat
    local high, low = random_bytes(2):byte(1, 2)
    port = 20000 + (high * 256 + low) % 12768
  until not taken[port]
  taken[port] = true
  return port
end

-- ---- starting --------------------------------------------------------------------------------

local function make_directory()
  local dir = first_line("umask 077; mktemp -d \"${TMPDIR:-/tmp}/smmpanel-sandbox.XXXXXX\" 2>/dev/null")
  if not dir then
    return nil, "the sandbox could not create a temporary directory: set TMPDIR to a directory you can write to"
  end
  return dir
end

-- Both paths are inserted between quotes in a configuration file and in a script.
local function check_paths(place)
  for _, path in ipairs { place.dir, place.lua } do
    if path:find("['\"\\;?$\n]") then
      return nil, ("the sandbox cannot work in %s: the path contains a quote, \\, ;, ? or $"):format(path)
    end
  end
  return true
end

local function find_place(options)
  local place = { nginx = options.nginx or find_nginx(), modules = find_modules(), lua = lua_directory() }
  if not place.nginx or not exists(place.nginx) then
    return nil, "the sandbox needs nginx, which was not found (on Debian: apt-get install nginx " ..
      "libnginx-mod-http-lua)"
  elseif options.tls ~= false and not first_line("command -v openssl") then
    return nil, "the sandbox needs the program openssl for its certificates, and it was not found: " ..
      "install it, or start the sandbox with tls = false"
  end
  local problem
  place.dir, problem = make_directory()
  if not place.dir then
    return nil, problem
  end
  local taken = taken_ports()
  place.token = random_key()
  place.port = options.port or free_port(taken)
  place.tls_port = options.tls ~= false and (options.tls_port or free_port(taken)) or nil
  return place
end

local function wait_until_ready(dir)
  local script = "%s\ncd %s; n=0; until [ -s nginx.pid ] || [ $n -ge %d ] || [ ! -e nginx.conf ] || " ..
    "{ [ -s child ] && ! lives $(cat child); }; do sleep 0.02; n=$((n+1)); done"
  os.execute(script:format(config.lives, quoted(dir), START_SECONDS * 50))
  return tonumber(read_file(dir .. "/nginx.pid") or "")
end

-- Returns the reason why nginx did not start, as a sentence.
local function explain(dir)
  local log = (read_file(dir .. "/error.log") or "") .. (read_file(dir .. "/output") or "")
  if log:find("Address already in use", 1, true) then
    return "a port that the sandbox needs is in use", true
  elseif log:find('unknown directive "lua_', 1, true) or log:find('unknown directive "init_by', 1, true) then
    return "the sandbox needs nginx's Lua module, which this nginx does not have (on Debian: apt-get install " ..
      "libnginx-mod-http-lua)"
  end
  local line = log:match("%[emerg%][^\n]*") or log:match("%[alert%][^\n]*") or log:match("[^\n]+")
  return "nginx did not start: " .. (line or "it gave no reason")
end

local function key_set(options)
  local keys = { main = options.key or random_key() }
  for _, name in ipairs { "second", "empty", "inactive" } do
    keys[name] = options.keys and options.keys[name] or random_key()
  end
  return keys
end

-- The watcher script notices the stop half a second later, and removes the directory too.
local function stop(dir)
  local script = "exec 2>/dev/null\n%s\np=$(cat %s/child) && kill $p && { n=0; while lives $p && " ..
    "[ $n -lt 250 ]; do sleep 0.02; n=$((n+1)); done; kill -KILL $p; }; rm -rf %s"
  os.execute(script:format(config.lives, quoted(dir), quoted(dir)))
end

-- The shell's parent is this process, the launcher.
local function start_watcher(place)
  write_file(place.dir .. "/watch.sh", config.watcher(place))
  os.execute(("sh %s $PPID </dev/null >/dev/null 2>&1 &"):format(quoted(place.dir .. "/watch.sh")))
end

local function handle_of(place, keys)
  local base = ("http://127.0.0.1:%d"):format(place.port)
  local self = { key = keys.main, keys = keys, pid = nil, dir = place.dir, url = base .. "/api/v2",
                 control = base .. "/control/" .. place.token }
  if place.tls_port then
    self.tls_url = ("https://127.0.0.1:%d/api/v2"):format(place.tls_port)
    self.ca_file = place.dir .. "/ca.pem"
  end
  function self.stop()
    if running[self] then
      running[self] = nil
      stop(place.dir)
    end
  end
  function self.url_with(fault, name)
    return self.url .. "?fault=" .. fault .. (name and "&name=" .. name or "")
  end
  running[self] = true
  return self
end

local function start_once(options, keys)
  local place, problem = find_place(options)
  if not place then
    return nil, problem
  end
  local ok
  ok, problem = check_paths(place)
  if not ok then
    os.execute("rmdir " .. quoted(place.dir))
    return nil, problem
  end
  local panel = { keys = keys, services = options.services, balance = options.balance,
                  currency = options.currency }
  write_file(place.dir .. "/options.lua", config.options(panel))
  write_file(place.dir .. "/nginx.conf", config.nginx(place))
  start_watcher(place)
  local self = handle_of(place, keys)
  self.pid = wait_until_ready(place.dir)
  if self.pid then
    return self
  end
  local again
  problem, again = explain(place.dir)
  self.stop()
  return nil, problem, again and not options.port
end

---@class sandbox.server_options
---@field key? string of the main account; random if not given
---@field keys? { second?: string, empty?: string, inactive?: string } of the other accounts
---@field services? integer the number of services in the catalogue (21)
---@field balance? string of the accounts main and second
---@field currency? string
---@field port? integer (a free port)
---@field tls? boolean false: no TLS (true)
---@field tls_port? integer (a free port)
---@field nginx? string path of the nginx program

---@class sandbox.server
---@field url string of the panel
---@field tls_url? string the same over TLS, with HTTP/2
---@field ca_file? string path of the CA certificate for tls_url
---@field control string base URL of the controls, with their access token
---@field key string of the account with money
---@field keys { main: string, second: string, empty: string, inactive: string }
---@field pid integer process id of nginx
---@field dir string its private directory, with `error.log`
---@field stop fun() stops the server and removes its directory; does nothing when called again
---@field url_with fun(fault: string, name?: string): string the URL with faults

--- Starts a sandbox.
---@param options? sandbox.server_options
---@return sandbox.server? sandbox
---@return string? problem a sentence
function server.start(options)
  options = options or {}
  local keys = key_set(options)
  local sandbox, problem, again
  local tries = 0
  repeat
    tries = tries + 1
    sandbox, problem, again = start_once(options, keys)
  until sandbox or not again or tries == TRIES
  return sandbox, problem
end

--- Waits until the server is stopped from outside, or the user presses Ctrl-C.
---@param sandbox sandbox.server
function server.wait(sandbox)
  local script = "%s\nlauncher=$PPID; while lives $launcher && lives %d; do sleep 0.5; done"
  os.execute(script:format(config.lives, sandbox.pid))
end

return server
