-- A transport over lua-resty-http, for OpenResty: nginx's resolver, certificates and connection pools, with smmpanel's
-- decoder, batches, ledger and verdicts.
--
--     local transport = require "smmpanel_resty_http" { ssl_verify = true }
--     local panel = smmpanel.new { url = ..., key = ..., transport = transport }
--
-- Use it if all traffic must pass through nginx's own sockets (its resolver, lua_ssl_trusted_certificate, its
-- metrics), or if the worker's processor time matters most. Otherwise use the default: DNS lookups, TLS and
-- decompression then run outside the worker, so a large answer delays no other request.
local http = require "resty.http"

local ngx_now, update_time = ngx.now, ngx.update_time

local READS = { services = true, status = true, refill_status = true, balance = true }
local KEEP_MILLISECONDS = 30 * 1000
local PIECE = 16 * 1024

local function now()
  update_time()
  return ngx_now()
end

local function failure(code, message, sent)
  return nil, { code = code, message = message, sent = sent }
end

local function code_of(problem, otherwise)
  return tostring(problem):find "timeout" and "timeout" or otherwise
end

-- A write uses a new connection: the panel may close a kept one at that moment, and then the outcome of the order is
-- unknown.
local function connect(client, url, options, is_write)
  local scheme, host, port = unpack(url)
  local tls = scheme == "https"
  return client:connect {
    scheme = scheme, host = host, port = port, ssl_server_name = tls and host or nil,
    ssl_verify = tls and options.ssl_verify ~= false, proxy_opts = options.proxy_opts,
    pool = is_write and ("smmpanel-write-%s:%s"):format(host, port) or nil,
  }
end

local function connect_failure(problem)
  local text = tostring(problem)
  local code = text:find "resolve" and "resolve" or (text:find "handshake" or text:find "certificate") and "tls"
    or "connect"
  return failure(code_of(text, code), text, false)
end

-- Reads the body; computes the remaining time again before each piece.
local function read_body(client, response, ends_at)
  local reader, pieces = response.body_reader, {}
  if not reader then return "" end
  while true do
    local left = ends_at - now()
    if left <= 0 then return nil, "timeout", table.concat(pieces) end
    client:set_timeout(left * 1000)
    local piece, problem = reader(PIECE)
    if problem then return nil, problem, table.concat(pieces) end
    if not piece then return table.concat(pieces) end
    pieces[#pieces + 1] = piece
  end
end

local function finish(client, is_write)
  if is_write then client:close() else client:set_keepalive(KEEP_MILLISECONDS) end
end

local function exchange(client, request, path, ends_at, is_write)
  client:set_timeout(math.max(1, (ends_at - now()) * 1000))
  local response, problem = client:request {
    path = path, method = request.method, headers = request.headers, body = request.body,
  }
  if not response then
    client:close()
    return failure(code_of(problem, "reset"), tostring(problem))
  end
  local body, why, part = read_body(client, response, ends_at)
  if body then
    finish(client, is_write)
    return { status = response.status, headers = response.headers, body = body }
  end
  client:close()
  local _, failed = failure(code_of(why, "cut"), tostring(why))
  failed.status, failed.headers, failed.body = response.status, response.headers, part
  return nil, failed
end

---@param options? { ssl_verify: boolean?, proxy_opts: table? } for lua-resty-http; ssl_verify is true by default
---@return fun(request: table): table?, table? transport
return function(options)
  options = options or {}
  return function(request)
    local client, is_write = http.new(), not READS[request.action]
    local ends_at = now() + request.timeout
    local url, problem = client:parse_uri(request.url)
    if not url then return failure("connect", tostring(problem), false) end
    client:set_timeout(math.max(1, request.timeout * 1000))
    local connected, why = connect(client, url, options, is_write)
    if not connected then return connect_failure(why) end
    return exchange(client, request, url[4], ends_at, is_write)
  end
end
