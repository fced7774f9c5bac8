--- An HTTP/1.1 client over nginx's own sockets, for smmpanel_cosockets. It has the functions of lua-resty-http that
-- the transport calls, but supports neither proxies nor client certificates. It limits what a server may send besides
-- the body, and the timeout covers the whole answer.
local http = {}

local now = require("smmpanel.core").now

local HEAD_END, LINE_END, LONGEST_END = "\r?\n\r?\n", "\r?\n", 4
local HEAD_MAX = 32 * 1024 -- bytes of one answer's status line and headers
local HEADERS_MAX = 512    -- of one answer, as in the engine, because joining headers with the same name takes time
local LINE_MAX = 1024      -- bytes of a chunk's size with its extension, or of a trailer
local TRAILERS_MAX = 32
local INTERIM_MAX = 8      -- answers of status 1xx before the final one
local SIZE_DIGITS = 15     -- of a body's or a chunk's size
local PIECE = 16 * 1024    -- bytes read at once

-- ---- reading from the socket; client.rest: bytes that were received but not read yet ----------------

-- The socket's own timeout starts again with each operation and with each byte that arrives, so each time it is set to
-- the time left. nginx takes 0 milliseconds to mean its default. -> true; nil, "timeout"
local function set_time_left(client)
  local left = client.ends_at - now()
  if left <= 0 then return nil, "timeout" end
  client.socket:settimeout(math.max(1, left * 1000))
  return true
end

local function receive(client, most)
  local ok, err = set_time_left(client)
  if not ok then return nil, err end
  return client.socket:receiveany(most)
end

local function receive_more(client)
  local data, err = receive(client, PIECE)
  if not data then return nil, err end
  client.rest = client.rest .. data
  return true
end

-- Reads at most `most` bytes, at least one. -> bytes; nil, error
local function take(client, most)
  local rest = client.rest
  if rest == "" then return receive(client, math.min(most, PIECE)) end
  client.rest = rest:sub(most + 1)
  return rest:sub(1, most)
end

-- Reads up to an ending, and drops it. -> the bytes before it; nil, error, code
local function take_before(client, ending, most)
  while true do
    local from, to = client.rest:find(ending)
    if (from or #client.rest - LONGEST_END) > most + 1 then
      return nil, "a header or a chunk's size is too long", "protocol"
    elseif from then
      local before = client.rest:sub(1, from - 1)
      client.rest = client.rest:sub(to + 1)
      return before
    end
    local ok, err = receive_more(client)
    if not ok then return nil, err end
  end
end

-- ---- the head -----------------------------------------------------------------------------------

local BEGIN = "HTTP/1."

local function may_be_http(begin)
  return begin:sub(1, #BEGIN) == BEGIN:sub(1, #begin)
end

-- -> headers by their names in lower case; nil, error, code
local function headers_of(head)
  local headers, count = {}, 0
  for name, value in head:gmatch "\n([^:\r\n]+):[ \t]*([^\r\n]*)" do
    local key = name:lower()
    headers[key] = headers[key] and headers[key] .. ", " .. value or value
    count = count + 1
    if count > HEADERS_MAX then return nil, "the answer has too many headers", "protocol" end
  end
  return headers
end

-- -> status, headers, version; nil, error, code
local function receive_head(client)
  local head, err, code = take_before(client, HEAD_END, HEAD_MAX)
  local version, status = (head or ""):match "^HTTP/(1%.%d) (%d%d%d)"
  if not version and (head or not may_be_http(client.rest)) then return nil, "the answer is not HTTP/1", "protocol" end
  if not head then return nil, err, code end
  local headers
  headers, err, code = headers_of(head)
  if not headers then return nil, err, code end
  return tonumber(status), headers, version
end

local function receive_final_head(client)
  for _ = 1, INTERIM_MAX do
    local status, headers, version = receive_head(client)
    if not status or status >= 200 or status == 101 then return status, headers, version end
  end
  return nil, "too many answers before the final one", "protocol"
end

-- ---- bodies: a reader returns the next piece, and nil at the end; or nil, error, code -------------

local function length_reader(client, left)
  return function(most)
    if left == 0 then return nil end
    local piece, err = take(client, math.min(most, left))
    if not piece then return nil, err end
    left = left - #piece
    return piece
  end
end

local function closing_reader(client)
  return function(most)
    local piece, err = take(client, most)
    if not piece and err ~= "closed" then return nil, err end
    return piece
  end
end

-- -> size; nil, error, code
local function take_chunk_size(client)
  local line, err, code = take_before(client, LINE_END, LINE_MAX)
  if not line then return nil, err, code end
  local digits = line:match "^%x+"
  if digits and #digits <= SIZE_DIGITS then return tonumber(digits, 16) end
  return nil, "a chunk of the answer has no size", "protocol"
end

-- -> nil; error, code
local function take_chunk_end(client)
  local nothing, err, code = take_before(client, LINE_END, 0)
  if nothing then return nil end
  return code and "a chunk of the answer is longer than its size" or err, code
end

local function take_trailers(client)
  for _ = 1, TRAILERS_MAX do
    local line, err, code = take_before(client, LINE_END, LINE_MAX)
    if not line then return nil, err, code end
    if line == "" then return nil end
  end
  return nil, "the answer has too many trailers", "protocol"
end

-- -> the reader of the next chunk; nil after the last one; nil, error, code
local function next_chunk(client)
  local size, err, code = take_chunk_size(client)
  if size == 0 then return take_trailers(client) end
  if not size then return nil, err, code end
  return length_reader(client, size)
end

local function chunk_reader(client)
  local chunk, ended
  return function(most)
    local piece, err, code
    if ended then return nil end
    if chunk then piece, err = chunk(most) end
    if piece or err then return piece, err end
    if chunk then err, code = take_chunk_end(client) end
    if err then return nil, err, code end
    chunk, err, code = next_chunk(client)
    ended = not chunk
    if ended then return nil, err, code end
    return chunk(most)
  end
end

-- -> reader, whether the server keeps the connection; nil, error, code
local function reader_for(client, status, headers, version)
  local coding, length = headers["transfer-encoding"], headers["content-length"]
  local keeps = version ~= "1.0" and not (headers.connection or ""):lower():find("close", 1, true)
  if status == 204 or status == 304 then return length_reader(client, 0), false end -- some servers send a body
  if coding then
    if coding:lower() ~= "chunked" then return nil, "the answer has the Transfer-Encoding " .. coding, "encoding" end
    return chunk_reader(client), keeps and not length
  end
  if not length then return closing_reader(client), false end
  if not length:find "^%d+$" or #length > SIZE_DIGITS then return nil, "the Content-Length is no number", "protocol" end
  return length_reader(client, tonumber(length)), keeps
end

-- ---- lua-resty-http's functions --------------------------------------------------------------------

local Client = {}
Client.__index = Client

function http.new()
  return setmetatable({ socket = ngx.socket.tcp(), rest = "" }, Client)
end

--- Sets the time of core.now by which everything that follows must end.
function Client:set_timeout(_, ends_at)
  self.ends_at = ends_at
end

-- A connection may be used again only by a request with the same options.
local function pool_of(options)
  local verified = tostring(options.ssl_verify)
  return options.pool or ("smmpanel-%s:%s:%d:%s"):format(options.scheme, options.host, options.port, verified)
end

--- Connects to options.host. Stores in the options what it needs again for the next connection.
function Client:connect(options)
  local host, port, tls = options.host, options.port, options.scheme == "https"
  if options.proxy_opts then return nil, 'smmpanel_http supports no proxy: pass http = require "resty.http" too' end
  options.socket = options.socket or { pool = pool_of(options), pool_size = options.pool_size }
  options.authority = options.authority or port == (tls and 443 or 80) and host or host .. ":" .. port
  self.host = options.authority
  local ok, err = set_time_left(self)
  if ok then ok, err = self.socket:connect(host, port, options.socket) end
  if ok and tls and self.socket:getreusedtimes() == 0 then
    ok, err = set_time_left(self)
    if ok then ok, err = self.socket:sslhandshake(nil, options.ssl_server_name, options.ssl_verify) end
    if not ok then self.socket:close() end
  end
  return ok and true, err
end

function Client:get_reused_times()
  return self.socket:getreusedtimes()
end

local function text_of(client, request)
  local pieces, count = { request.method, " ", request.path, " HTTP/1.1\r\nHost: ", request.headers.Host or client.host,
    "\r\nContent-Length: ", tostring(#request.body), "\r\n" }, 8
  for name, value in pairs(request.headers) do
    if name ~= "Host" then
      pieces[count + 1], pieces[count + 2], pieces[count + 3], pieces[count + 4] = name, ": ", value, "\r\n"
      count = count + 4
    end
  end
  pieces[count + 1], pieces[count + 2] = "\r\n", request.body
  return pieces
end

--- Sends the request and reads the head of its answer. -> { status, headers, body_reader }; nil, error, code
function Client:request(request)
  local sent, problem = set_time_left(self)
  if sent then sent, problem = self.socket:send(text_of(self, request)) end
  if not sent then return nil, problem end
  local status, headers, version = receive_final_head(self)
  if not status then return nil, headers, version end
  local reader, keeps, code = reader_for(self, status, headers, version)
  if not reader then return nil, keeps, code end
  self.is_kept = keeps
  return { status = status, headers = headers, body_reader = reader }
end

--- Keeps the connection for a later request, if the server does. Call it after the whole body was read.
function Client:set_keepalive(milliseconds)
  if not self.is_kept or self.rest ~= "" then return self:close() end
  return self.socket:setkeepalive(milliseconds)
end

function Client:close()
  return self.socket:close()
end

return http
