-- Name servers that never answer: the deadline holds, and nothing waits for the lookup afterwards. Needs its own name
-- server, so root and a mount namespace.
local child = require "spec.support.child"
local core = require "smmpanel.core"

-- Its own: the same spec may run concurrently, on another Lua.
local SERVER = ("127.0.%d.%d"):format(1 + math.floor(core.random() * 250), 1 + math.floor(core.random() * 250))
local ALONE = ([[unshare -m sh -c 'printf "nameserver %s\noptions timeout:30 attempts:5\n" >"$1" &&
  mount --bind "$1" /etc/resolv.conf && shift && exec "$@"' sh]]):format(SERVER)

local function can_be_alone(file)
  return not os.getenv "SANITIZER_PRELOAD" and child.run("print 'here'", ALONE .. " " .. file):find "^here\n"
end

describe("a name server that never answers", function()
  it("ends a call at its deadline, certain that nothing was sent, and does not delay the end of the program", function()
    local file = os.tmpname()
    if not can_be_alone(file) then
      os.remove(file)
      return pending "needs root and unshare"
    end
    local said = child.run([[
      local core, smmpanel, socket = require "smmpanel.core", require "smmpanel", require "socket"
      local silent = socket.udp()
      assert(silent:setsockname("]] .. SERVER .. [[", 53))
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
    ]], ("timeout 20 %s %s"):format(ALONE, file)) -- the lookup itself would continue for 150 s
    os.remove(file)
    local line = "nil\ttimeout\ttimeout\tnil\ttrue\t0\n"
    assert.equal(line .. line .. "asked\nexit 0\n", said)
  end)
end)
