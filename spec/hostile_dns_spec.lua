-- Name servers that never answer, or answer late: the deadline holds, and nothing waits for the lookup afterwards. A
-- libcurl with a synchronous resolver cannot do that; the error says so. The spec needs its own name server, and for
-- that root and a mount namespace.
local child = require "spec.support.child"
local core = require "smmpanel.core"

-- Its own: the same spec may run concurrently, on another Lua.
local SERVER = ("127.0.%d.%d"):format(1 + math.floor(core.random() * 250), 1 + math.floor(core.random() * 250))
local ALONE = ([[unshare -m sh -c 'printf "nameserver %s\noptions timeout:30 attempts:5\n" >"$1" &&
  mount --bind "$1" /etc/resolv.conf && shift && exec "$@"' sh]]):format(SERVER)

local PREPARED = [[
  local core, smmpanel, socket = require "smmpanel.core", require "smmpanel", require "socket"
  smmpanel.new { url = "http://127.0.0.1:1/", key = "key", retries = 0 }:balance() -- opens libcurl
  local asynchronous = core.libcurl().asynchronous_names
  local silent = socket.udp()
  assert(silent:setsockname("]] .. SERVER .. [[", 53))
]]

local function can_be_alone(file)
  return not os.getenv "SANITIZER_PRELOAD" and child.run("print 'here'", ALONE .. " " .. file):find "^here\n"
end

-- Returns what a chunk prints in a process with this name server; nil if there is none here.
local function prints(chunk)
  local file = os.tmpname()
  local alone = can_be_alone(file)
  local said = alone and child.run(PREPARED .. chunk, ("timeout 20 %s %s"):format(ALONE, file)) -- a lookup lasts 150 s
  os.remove(file)
  return said
end

describe("a name server", function()
  it("that never answers ends a call at its deadline, certain that nothing was sent, and delays no exit", function()
    local said = prints [[
      if not asynchronous then os.exit(print "synchronous") end
      local panel = smmpanel.new { url = "http://panel.example/", key = "key", retries = 2, timeout = 1 }
      local order = { service = 1, link = "https://x.example", quantity = 1 }
      for _, call in ipairs { "balance", "add" } do
        local before = core.now()
        local value, err = panel[call](panel, call == "add" and order or nil)
        local seconds = core.now() - before
        print(value, err.kind, err.code, err.uncertain, seconds > 0.9 and seconds < 9, core.in_flight())
      end
      silent:settimeout(0)
      print(silent:receive() and "asked" or "never asked")
    ]]
    if not said then return pending "needs root and unshare" end
    if said:find "^synchronous" then return pending "this libcurl has a synchronous resolver" end
    local line = "nil\ttimeout\ttimeout\tnil\ttrue\t0\n"
    assert.equal(line .. line .. "asked\nexit 0\n", said)
  end)

  it("that answers late holds up a libcurl with a synchronous resolver, and the error says so", function()
    local said = prints [[
      if asynchronous then os.exit(print "asynchronous") end
      local client = core.client { url = "http://panel.example:1/", key = "key", max_body = 1e6, connect_timeout = 5 }
      local transfer = core.start(client, { action = "balance", deadline = core.now() + 0.3 })
      for _ = 1, 2 do -- of IPv4 and of IPv6
        local query, host, port = silent:receivefrom()
        socket.sleep(0.5)
        local is_ipv4 = query:sub(-4, -3) == "\0\1"
        silent:sendto(query:sub(1, 2) .. "\129\128\0\1\0" .. (is_ipv4 and "\1" or "\0") .. "\0\0\0\0" .. query:sub(13)
          .. (is_ipv4 and "\192\12\0\1\0\1\0\0\0\0\0\4\127\0\0\1" or ""), host, port)
      end
      local result
      repeat
        core.wait(5)
        core.step()
        result = transfer:result()
      until result
      print(result.code, result.text)
    ]]
    if not said then return pending "needs root and unshare" end
    if said:find "^asynchronous" then return pending "this libcurl's resolver is asynchronous" end
    assert.matches("^timeout\tit timed out; this libcurl has a synchronous resolver", said)
  end)
end)
