-- LuaSocket, LuaSec and lua-cjson: one keep-alive connection, one request after the other.
local cjson = require "cjson"
local socket = require "socket"
local ssl = require "ssl"

local url, key = os.getenv "PANEL_URL", os.getenv "PANEL_KEY"
local scheme, host, port, path = url:match "^(%a+)://([^:/]+):(%d+)(.*)$"
local count = tonumber(os.getenv "COUNT") or 1

local connection

local function connect()
  connection = assert(socket.tcp())
  assert(connection:connect(host, tonumber(port)))
  connection:setoption("tcp-nodelay", true)
  if scheme ~= "https" then return end
  connection = assert(ssl.wrap(connection, {
    mode = "client", protocol = "any", verify = "peer", cafile = os.getenv "PANEL_CA",
  }))
  connection:sni(host)
  assert(connection:dohandshake())
end

local function read_chunked()
  local parts = {}
  while true do
    local size = tonumber(assert(connection:receive "*l"):match "^%x+", 16)
    if size > 0 then parts[#parts + 1] = assert(connection:receive(size)) end
    connection:receive "*l"
    if size == 0 then return table.concat(parts) end
  end
end

local function call(body)
  if not connection then connect() end
  body = "key=" .. key .. "&" .. body
  assert(connection:send(table.concat {
    "POST ", path, " HTTP/1.1\r\nHost: ", host, ":", port,
    "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ", #body, "\r\n\r\n", body,
  }))
  local length, chunked
  for line in function() return assert(connection:receive "*l") end do
    if line == "" then break end
    local name, value = line:match "^([^:]+):%s*(.*)$"
    name = name and name:lower()
    if name == "content-length" then length = tonumber(value) end
    if name == "transfer-encoding" then chunked = value == "chunked" end
  end
  return cjson.decode(chunked and read_chunked() or assert(connection:receive(length)))
end

local tasks = {}

function tasks.catalogue()
  print("services", #call "action=services")
end

function tasks.statuses()
  local first, records = tonumber(os.getenv "FIRST"), {}
  local began = socket.gettime()
  for from = first, first + count - 1, 100 do
    local ids = {}
    for i = from, math.min(from + 99, first + count - 1) do ids[#ids + 1] = ("%d"):format(i) end
    local answer = call("action=status&orders=" .. table.concat(ids, ","))
    for id, record in pairs(answer) do records[id] = record end
  end
  print("seconds", socket.gettime() - began)
  for i = first, first + count - 1 do assert(records[("%d"):format(i)].charge) end
end

function tasks.balance()
  call "action=balance"
  local began = socket.gettime()
  for _ = 1, count do assert(call("action=balance").balance) end
  print("seconds", socket.gettime() - began)
end

function tasks.idle() end

tasks[arg[1]]()
