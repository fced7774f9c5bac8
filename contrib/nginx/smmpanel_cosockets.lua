--- A transport through nginx's own sockets, for OpenResty and nginx with its Lua module. It uses nginx's resolver,
-- certificates and connection pools, and smmpanel's decoder, batches, ledger and errors. The HTTP client is
-- smmpanel_http beside this file, or lua-resty-http, which supports proxies. But if a panel sends slowly, byte by byte,
-- lua-resty-http reads for longer than the call's timeout, and it does not limit the length of a header.
--
--     local transport = require "smmpanel_cosockets" {}
--     local transport = require "smmpanel_cosockets" { http = require "resty.http", proxy_opts = ... }
--     local panel = smmpanel.new { url = ..., key = ..., transport = transport }
--
-- Use it if all traffic must pass through nginx (its resolver, lua_ssl_trusted_certificate, its metrics), or if the
-- machine's processor time matters most. Otherwise use the default, which works outside the worker, so that other
-- requests of the worker wait less. docs/event-loops.md says which settings of nginx it needs.
local now = require("smmpanel.core").now -- not ngx.now, the wall clock: setting it back would move the deadlines
local smmpanel = require "smmpanel"

local KEEP_MILLISECONDS = 30 * 1000
local POOL_SIZE = 1024 -- idle connections that a worker keeps to one server
local PIECE = 16 * 1024
local HOLD_SECONDS = 0.002 -- the longest time without a wait, after which nginx's other requests have their turn

-- Refuses a URL with a user's name, which lua-resty-http would take for the host.
-- -> { url, scheme, host, port, path }, or nil
local function parse(url)
  local scheme, host, port, path = url:match "^(%a+)://(%[[%x:.]+%]):?(%d*)(.*)$"
  if not scheme then scheme, host, port, path = url:match "^(%a+)://([^/:?#@%[%]]+):?(%d*)(.*)$" end
  if not scheme or path:find "#" or not path:find "^[/?]" and path ~= "" then return nil end
  scheme = scheme:lower()
  port = tonumber(port) or (scheme == "https" and 443 or 80)
  return { url = url, scheme = scheme, host = host, port = port, path = path:find "^/" and path or "/" .. path }
end

local function failure(code, problem, sent)
  local text = tostring(problem)
  code = text:find "timeout" and "timeout" or code == "cut" and text:find "reset" and "reset" or code
  return { code = code, message = text, sent = sent }
end

-- The options for the client's `connect`; the same table while the URL is the same. A write uses a new connection: the
-- panel may close a kept one just then, and the outcome of the order would be unknown.
local function connect_options(target, options, is_write)
  local host, port, tls = target.host, target.port, target.scheme == "https"
  return {
    scheme = target.scheme, host = host, port = port, ssl_server_name = tls and host or nil,
    ssl_verify = tls and options.ssl_verify ~= false, proxy_opts = options.proxy_opts,
    pool = is_write and ("smmpanel-write-%s:%s"):format(host, port) or nil, pool_size = POOL_SIZE,
  }
end

-- nginx takes 0 milliseconds to mean its default timeout. -> whether there is time left
local function set_time_left(client, ends_at)
  local left = ends_at - now()
  if left <= 0 then return false end
  client:set_timeout(math.max(1, left * 1000), ends_at)
  return true
end

-- Nothing was sent yet. lua-resty-core 0.1.25 throws after some failed TLS handshakes.
local function connect_failure(problem, has_thrown)
  local text = tostring(problem)
  local is_tls = has_thrown or text:find "handshake" or text:find "certificate"
  return failure(text:find "resolve" and "resolve" or is_tls and "tls" or "connect", text, false)
end

-- The next piece, or the reason why there is none. lua-resty-http returns "closed" with the last piece of a body that
-- ends with its connection. -> piece; nil; nil, failure
local function next_piece(client, reader, ends_at)
  if not set_time_left(client, ends_at) then return nil, failure("timeout", "timeout") end
  local piece, problem, code = reader(PIECE)
  if problem and not (piece and problem == "closed") then return nil, failure(code or "cut", problem) end
  return piece
end

-- A connection with unread bytes cannot be kept, and nginx does not close it by itself.
local function end_connection(client, may_be_kept)
  if not (may_be_kept and client:set_keepalive(KEEP_MILLISECONDS)) then client:close() end
end

-- Returns a function that returns the body's pieces, and ends the connection after the last one.
local function body_of(client, response, request, ends_at, is_write)
  local reader, left, resumed_at = response.body_reader, request.max_body, now()
  return function()
    if not reader then return nil end
    if now() - resumed_at > HOLD_SECONDS then
      ngx.update_time() -- for the timers of other requests
      ngx.sleep(0)
      resumed_at = now()
    end
    local piece, failed = next_piece(client, reader, ends_at)
    left = left - (piece and #piece or 0)
    if piece and left >= 0 then return piece end
    reader = nil
    end_connection(client, not (piece or failed or is_write))
    return piece, failed
  end
end

local PLAIN = { [""] = true, identity = true, none = true, ["utf-8"] = true, utf8 = true }

-- Returns why the body cannot be read, or nil. No compression was requested. lua-resty-http takes an interim answer for
-- the final one.
local function unreadable(response, request)
  if response.status < 200 and response.status ~= 101 then
    return failure("protocol", "an interim answer came in place of the final one")
  end
  local coding, length = response.headers["content-encoding"], response.headers["content-length"]
  if not PLAIN[tostring(coding or ""):lower()] then
    return failure("encoding", "the answer has the Content-Encoding " .. tostring(coding))
  end
  if (tonumber(length) or 0) > request.max_body then
    return failure("too_large", "the answer is larger than max_body")
  end
end

-- Sends nothing after the deadline: the look-up, the connection or the handshake may have taken all of the time.
local function exchange(client, request, path, ends_at, is_write)
  if not set_time_left(client, ends_at) then
    client:close()
    return nil, failure("timeout", "the deadline passed before the request was sent", false)
  end
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

---@class smmpanel.CosocketOptions
---@field http? table `require "resty.http"` for proxies (`require "smmpanel_http"`)
---@field ssl_verify? boolean whether the panel's certificate is checked (true)
---@field proxy_opts? table for lua-resty-http

---@param options? smmpanel.CosocketOptions
---@return fun(request: table): table?, table? transport
return function(options)
  options = options or {}
  local http, last = options.http or require "smmpanel_http", {}
  -- -> answer; nil, failure, whether a kept connection was used
  local function send(target, request, ends_at, is_new)
    local client = http.new()
    set_time_left(client, ends_at)
    local ok, connected, problem = pcall(client.connect, client, is_new and target.write or target.read)
    if not (ok and connected) then return nil, connect_failure(ok and problem or connected, not ok) end
    local was_kept = (client:get_reused_times() or 0) > 0
    local answer, failed = exchange(client, request, target.path, ends_at, is_new)
    return answer, failed, was_kept
  end
  return function(request)
    local target, is_write, ends_at = last, not smmpanel.is_read(request.action), now() + request.timeout
    if target.url ~= request.url then
      target = parse(request.url)
      if not target then return nil, failure("bad_url", "the transport cannot use the URL " .. request.url, false) end
      target.read, target.write = connect_options(target, options, false), connect_options(target, options, true)
      last = target
    end
    local answer, failed, was_kept = send(target, request, ends_at, is_write)
    -- The panel may close a kept connection while a read is sent on it. A write is never sent again.
    if failed and was_kept and failed.code == "reset" and not is_write then
      answer, failed = send(target, request, ends_at, true)
    end
    return answer, failed
  end
end
