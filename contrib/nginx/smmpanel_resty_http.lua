--- A transport through nginx's own sockets, for OpenResty and nginx with its Lua module: nginx's resolver, certificates
-- and connection pools, with smmpanel's decoder, batches, ledger and verdicts. The HTTP is lua-resty-http's or, without
-- that library, that of smmpanel_http beside this file.
--
--     local transport = require "smmpanel_resty_http" {}
--     local transport = require "smmpanel_resty_http" { http = require "smmpanel_http" }
--     local panel = smmpanel.new { url = ..., key = ..., transport = transport }
--
-- Use it if all traffic must pass through nginx (its resolver, lua_ssl_trusted_certificate, its metrics), or if the
-- machine's processor time matters most. Otherwise use the default, which works outside the worker: a worker's own
-- requests then wait less.
local ngx_now, update_time = ngx.now, ngx.update_time

local READS = { services = true, status = true, refill_status = true, balance = true }
local KEEP_MILLISECONDS = 30 * 1000
local POOL_SIZE = 1024 -- idle connections that a worker keeps to one server
local PIECE = 16 * 1024
local HOLD_SECONDS = 0.002 -- after so long without a wait, nginx's other requests have their turn

local function now()
  update_time()
  return ngx_now()
end

local function failure(code, problem, sent)
  local text = tostring(problem)
  code = text:find "timeout" and "timeout" or code == "cut" and text:find "reset" and "reset" or code
  return { code = code, message = text, sent = sent }
end

-- A write uses a new connection: the panel may close a kept one at that moment, and then the outcome of the order is
-- unknown.
local function connect(client, url, options, is_write)
  local scheme, host, port = unpack(url)
  local tls = scheme == "https"
  return client:connect {
    scheme = scheme, host = host, port = port, ssl_server_name = tls and host or nil,
    ssl_verify = tls and options.ssl_verify ~= false, proxy_opts = options.proxy_opts,
    pool = is_write and ("smmpanel-write-%s:%s"):format(host, port) or nil, pool_size = POOL_SIZE,
  }
end

-- Nothing was sent yet. lua-resty-core 0.1.25 throws after some failed TLS handshakes.
local function connect_failure(problem, has_thrown)
  local text = tostring(problem)
  local is_tls = has_thrown or text:find "handshake" or text:find "certificate"
  return failure(text:find "resolve" and "resolve" or is_tls and "tls" or "connect", text, false)
end

-- The next piece, or the reason why there is none. -> piece; nil; nil, failure
local function next_piece(client, reader, ends_at)
  local left = ends_at - now()
  if left <= 0 then return nil, failure("timeout", "timeout") end
  client:set_timeout(left * 1000)
  local piece, problem, code = reader(PIECE)
  if problem then return nil, failure(code or "cut", problem) end
  return piece
end

-- Returns a function that returns the body's pieces, and ends the connection after the last one.
local function body_of(client, response, request, ends_at, is_write)
  local reader, left, resumed_at = response.body_reader, request.max_body, now()
  return function()
    if not reader then return nil end
    if now() - resumed_at > HOLD_SECONDS then
      ngx.sleep(0)
      resumed_at = now()
    end
    local piece, failed = next_piece(client, reader, ends_at)
    left = left - (piece and #piece or 0)
    if piece and left >= 0 then return piece end
    reader = nil
    if piece or failed or is_write then client:close() else client:set_keepalive(KEEP_MILLISECONDS) end
    return piece, failed
  end
end

local PLAIN = { [""] = true, identity = true, none = true, ["utf-8"] = true, utf8 = true }

-- Why the body cannot be read. No compression was requested.
local function unreadable(response, request)
  local coding, length = response.headers["content-encoding"], response.headers["content-length"]
  if not PLAIN[tostring(coding or ""):lower()] then
    return failure("encoding", "the answer has the Content-Encoding " .. tostring(coding))
  end
  if (tonumber(length) or 0) > request.max_body then
    return failure("too_large", "the answer is larger than max_body")
  end
end

local function exchange(client, request, path, ends_at, is_write)
  client:set_timeout(math.max(1, (ends_at - now()) * 1000))
  local response, problem, code = client:request {
    path = path, method = request.method, headers = request.headers, body = request.body,
  }
  if not response then
    client:close()
    return nil, failure(code or "reset", problem)
  end
  local refused = unreadable(response, request)
  if refused then
    client:close()
    refused.status, refused.headers = response.status, response.headers
    return nil, refused
  end
  return { status = response.status, headers = response.headers,
    body = body_of(client, response, request, ends_at, is_write) }
end

---@class smmpanel.RestyHttpOptions
---@field http? table `require "smmpanel_http"`, if lua-resty-http is not installed
---@field ssl_verify? boolean whether the panel's certificate is checked (true)
---@field proxy_opts? table for lua-resty-http

---@param options? smmpanel.RestyHttpOptions
---@return fun(request: table): table?, table? transport
return function(options)
  options = options or {}
  local http, known, url = options.http or require "resty.http", nil, nil
  return function(request)
    local client, is_write, ends_at = http.new(), not READS[request.action], now() + request.timeout
    if request.url ~= known then
      local parsed, why = client:parse_uri(request.url)
      if not parsed then return nil, failure("bad_url", why, false) end
      known, url = request.url, parsed
    end
    client:set_timeout(math.max(1, request.timeout * 1000))
    local ok, connected, problem = pcall(connect, client, url, options, is_write)
    if not (ok and connected) then return nil, connect_failure(ok and problem or connected, not ok) end
    return exchange(client, request, url[4], ends_at, is_write)
  end
end
