-- The form body, byte for byte, in any locale; and headers without a value.
local core = require "smmpanel.core"
local decimal = require "smmpanel.util.decimal"
local json = require "smmpanel.util.json"
local socket = require "socket"

-- Runs a function in a locale; pending if it is not installed.
local function in_locale(name, f)
  local before = os.setlocale(nil)
  if not os.setlocale(name) then return pending(name .. " is not installed here") end
  local ok, thrown = pcall(f)
  os.setlocale(before)
  if not ok then error(thrown, 0) end
end

describe("a number", function()
  for _, name in ipairs { "C", "de_DE.UTF-8", "ps_AF.UTF-8" } do
    it("was sent with two points if the locale's point has two bytes: " .. name, function()
      in_locale(name, function()
        assert.equal("a=1.5&b=-0.25&c=1e%2B300&d=1.5e-07&e=3", core.form { "a", 1.5, "b", -0.25, "c", 1e300,
          "d", 1.5e-7, "e", 3.0 })
        assert.equal("1.5", decimal.shortest(1.5))
        assert.equal(1.5, decimal.approximate "1.5")
        assert.equal('{"rate":0.5}', json.encode { rate = 0.5 })
      end)
    end)
  end
end)

describe("a header without a value", function()
  it("was silently not sent", function()
    local server = assert(socket.bind("127.0.0.1", 0))
    server:settimeout(20)
    local client = core.client { url = ("http://127.0.0.1:%d/"):format(select(2, server:getsockname())), key = "k",
      max_body = 1000, connect_timeout = 5, user_agent = "x", headers = { "X-Empty: ", "X-Full: a", "X-Bare:" } }
    local transfer = core.start(client, { action = "balance", deadline = core.now() + 20 })
    local peer, lines = assert(server:accept()), {}
    peer:settimeout(20)
    repeat
      lines[#lines + 1] = assert(peer:receive "*l")
    until lines[#lines] == ""
    local head = table.concat(lines, "\n") .. "\n"
    peer:close()
    server:close()
    transfer:cancel()
    repeat core.wait(5) until core.step()
    assert.truthy(head:find("\nX-Empty:\n", 1, true), head)
    assert.truthy(head:find("\nX-Bare:\n", 1, true), head)
    assert.truthy(head:find("\nX-Full: a\n", 1, true), head)
    assert.is_nil(head:find("Expect", 1, true), head)
  end)
end)
