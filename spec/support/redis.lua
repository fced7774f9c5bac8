-- A private Redis server on a free loopback port, and clients of it.
local process = require "spec.support.process"
local socket = require "socket"
local system = require "spec.support.system"

local support = {}

-- Debian has redis-lua, which is pure Lua, for 5.1 to 5.3 only.
local function client_library()
  local ok, library = pcall(require, "redis")
  if ok then return library end
  package.path = package.path .. ";/usr/share/lua/5.3/?.lua"
  return require "redis"
end

local function answers(port)
  local probe = socket.tcp()
  probe:settimeout(1)
  local ok = probe:connect("127.0.0.1", port) and probe:send "PING\r\n" and probe:receive "*l"
  probe:close()
  return ok == "+PONG"
end

local Server = {}
Server.__index = Server

--- Starts it (again) on the same port and directory, so its data on disk is there.
function Server:start()
  local command = "echo $$; exec %sredis-server --bind 127.0.0.1 --port %d --dir %s --logfile log --save '' "
    .. "--appendonly yes --appendfsync always %s"
  command = command:format(self.environment, self.port, self.directory, self.options)
  self.pipe = assert(io.popen(command))
  self.pid = self.pipe:read "*l"
  self.guard = process.guard(self.pid, self.pipe)
  for _ = 1, 200 do
    if answers(self.port) then return self end
    socket.sleep(0.05)
  end
  error("redis-server does not answer; see " .. self.directory .. "/log")
end

--- Ends it with a signal, and waits until it has ended.
function Server:kill(signal)
  if not self.pid then return end
  os.execute(("kill -%s %s 2>/dev/null"):format(signal or "TERM", self.pid))
  self.guard.pid = nil
  self.pipe:close()
  self.pid = nil
end

--- Sends it a signal, such as STOP or CONT.
function Server:signal(signal)
  os.execute(("kill -%s %s"):format(signal, self.pid))
end

--- Ends it and removes its directory.
function Server:stop()
  if self.pid then self:signal "CONT" end
  self:kill "KILL"
  os.execute("rm -rf " .. self.directory)
end

--- Returns a function that connects with redis-lua, as the ledger and the limiter need it.
---@param port integer
---@param timeout? number seconds
function support.at(port, timeout)
  return function() return client_library().connect { host = "127.0.0.1", port = port, timeout = timeout } end
end

--- The same, for this server.
---@param timeout? number seconds
function Server:connect(timeout)
  return support.at(self.port, timeout)
end

--- Returns a connected redis-lua client.
---@param timeout? number seconds
function Server:client(timeout)
  return self:connect(timeout)()
end

--- Starts a server.
---@param options? string further options of redis-server
---@param environment? string shell words before the command, such as a clock's
function support.start(options, environment)
  local server = { port = system.free_port(), directory = system.directory(), options = options or "",
    environment = environment or "" }
  return setmetatable(server, Server):start()
end

return support
