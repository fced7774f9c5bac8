-- A server that sends exactly the given bytes, as slowly and as brokenly as requested.
-- `lua raw_server.lua [CERTIFICATE KEY ALPN SCRIPT]` prints its port. The script of an answer is in the
-- request's path (see raw.lua), or the one given here answers whatever arrives, once something did. Without a
-- certificate it does not use TLS.
local socket = require "socket"

local IDLE_SECONDS = 60
local certificate, key, alpn, given_script = arg[1], arg[2], arg[3], arg[4]
local ssl = certificate and certificate ~= "" and require "ssl"

local function unhex(s)
  return (s:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- Each step: function(peer) -> nil to continue, seconds to wait before, or "over".
local function repeated(argument)
  local count, hex = argument:match "^(%d+):(%x*)$"
  local left, piece = tonumber(count), unhex(hex)
  local many = math.max(1, math.floor(65536 / math.max(1, #piece)))
  local block = piece:rep(math.min(left, many))
  return function(peer)
    local now = math.min(left, many)
    if not peer:send(block, 1, now * #piece) then return "over" end
    left = left - now
    return left > 0 and "again" or nil
  end
end

local function dripped(argument)
  local pause, hex = argument:match "^([%d.]+):(%x*)$"
  local bytes, at = unhex(hex), 0
  return function(peer)
    at = at + 1
    if not peer:send(bytes:sub(at, at)) then return "over" end
    return at < #bytes and "again" or nil, tonumber(pause)
  end
end

local makers = {
  s = function(hex)
    return function(peer) return not peer:send(unhex(hex)) and "over" or nil end
  end,
  x = repeated,
  d = dripped,
  p = function(seconds)
    return function() return nil, tonumber(seconds) end
  end,
  r = function()
    return function(peer)
      peer:setoption("linger", { on = true, timeout = 0 })
      return "over"
    end
  end,
  h = function()
    return function(peer) peer:shutdown "send" end
  end,
  w = function()
    return function() return nil, IDLE_SECONDS end
  end,
}

local function steps_of(script)
  local steps = {}
  for letter, argument in script:gmatch "([a-z])([%x:.]*)" do steps[#steps + 1] = makers[letter](argument) end
  return steps
end

-- The whole request is read first, so that closing does not reset the connection.
local function read_request(peer)
  local script = (peer:receive "*l" or ""):match "^%u+ %S*/%-([%w:.,]*)"
  local length = 0
  repeat
    local line = peer:receive "*l"
    length = tonumber(line and line:lower():match "^content%-length: (%d+)") or length
  until not line or line == ""
  if length > 0 then peer:receive(length) end
  return script
end

local function wrap(peer)
  if not ssl then return peer end
  local secured = ssl.wrap(peer, {
    mode = "server", protocol = "any", certificate = certificate, key = key,
    alpn = alpn ~= "" and function(offered)
      for _, name in ipairs(offered) do
        if name == alpn then return name end
      end
    end or nil,
  })
  if not secured then return nil end
  secured:settimeout(3)
  if secured:dohandshake() then return secured end
  secured:close()
end

local function open(peer)
  peer:settimeout(3)
  peer = wrap(peer)
  if not peer then return nil end
  local script = given_script
  if script and script ~= "" then
    peer:receive(24) -- HTTP/2's preface
  else
    script = read_request(peer)
  end
  if not script then
    peer:close()
    return nil
  end
  return { peer = peer, steps = steps_of(script), at = 1, due = 0 }
end

local function run(c, now)
  while c.at <= #c.steps and c.due <= now do
    local what, pause = c.steps[c.at](c.peer)
    if what == "over" then return false end
    if what ~= "again" then c.at = c.at + 1 end
    if pause then c.due = now + pause end
    if what == "again" then break end
  end
  return c.at <= #c.steps or c.due > now
end

local server = assert(socket.bind("127.0.0.1", 0, 128))
io.write(select(2, server:getsockname()), "\n")
io.flush()

local open_ones, last = {}, socket.gettime()
while socket.gettime() - last < IDLE_SECONDS do
  local busy = next(open_ones) and 0.01 or IDLE_SECONDS
  if #socket.select({ server }, nil, busy) > 0 then
    last = socket.gettime()
    local peer = server:accept()
    local c = peer and open(peer)
    if c then open_ones[c] = true end
  end
  local now = socket.gettime()
  for c in pairs(open_ones) do
    if not run(c, now) then
      open_ones[c] = nil
      c.peer:close()
    end
  end
end
