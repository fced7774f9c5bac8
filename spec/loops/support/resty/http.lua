-- What contrib/nginx/smmpanel_resty_http.lua asks of lua-resty-http, over plain cosockets: for the specs, where that
-- library is not installed (Debian does not have it).
local http = {}

local Client = {}
Client.__index = Client

function http.new() return setmetatable({ socket = ngx.socket.tcp() }, Client) end

function Client.parse_uri(_, url)
  local scheme, host, port, path = url:match "^(https?)://([^/:?]+):?(%d*)(.*)$"
  if not scheme then return nil, "bad uri: " .. url end
  return { scheme, host, tonumber(port) or (scheme == "https" and 443 or 80), path == "" and "/" or path }
end

function Client:set_timeout(milliseconds) self.socket:settimeout(milliseconds) end

function Client:connect(options)
  local ok, err = self.socket:connect(options.host, options.port, { pool = options.pool })
  if not ok then return nil, err end
  if options.scheme == "https" then
    ok, err = self.socket:sslhandshake(nil, options.ssl_server_name, options.ssl_verify)
  end
  self.host = options.host .. ":" .. options.port
  return ok and true, err
end

local function receive_headers(socket)
  local line, err = socket:receive "*l"
  if not line then return nil, err end
  local status, headers = tonumber(line:match "^HTTP/%S+ (%d+)"), {}
  while true do
    line, err = socket:receive "*l"
    if not line then return nil, err end
    if line == "" then return status, headers end
    local name, value = line:match "^([^:]+):%s*(.-)%s*$"
    headers[name:lower()] = value
  end
end

local function length_reader(socket, left)
  return function(most)
    if left == 0 then return nil end
    local piece, err = socket:receive(math.min(most, left))
    if not piece then return nil, err end
    left = left - #piece
    return piece
  end
end

local function chunk_reader(socket)
  local left = 0
  return function(most)
    if left == 0 then
      local line, err = socket:receive "*l"
      if not line then return nil, err end
      left = tonumber(line, 16)
      if left == 0 then
        socket:receive "*l"
        return nil
      end
    end
    local piece, err = socket:receive(math.min(most, left))
    if not piece then return nil, err end
    left = left - #piece
    if left == 0 then socket:receive "*l" end
    return piece
  end
end

function Client:request(request)
  local lines = { ("%s %s HTTP/1.1"):format(request.method, request.path), "Host: " .. self.host,
    "Content-Length: " .. #request.body }
  for name, value in pairs(request.headers) do lines[#lines + 1] = name .. ": " .. value end
  local sent, err = self.socket:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. request.body)
  if not sent then return nil, err end
  local status, headers = receive_headers(self.socket)
  if not status then return nil, headers end
  local reader = headers["transfer-encoding"] == "chunked" and chunk_reader(self.socket)
    or length_reader(self.socket, tonumber(headers["content-length"]) or 0)
  return { status = status, headers = headers, body_reader = reader }
end

function Client:set_keepalive(milliseconds) return self.socket:setkeepalive(milliseconds) end

function Client:close() return self.socket:close() end

return http
