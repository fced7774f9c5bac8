-- The long run of spec/loops/nginx_spec.lua: 10,000 requests and 20 reloads. For the 5.1 ABI only.
local nginx = require "spec.loops.support.nginx"
local sandbox_server = require "smmpanel.sandbox.server"

local ROUNDS, AT_ONCE = 100, 100
local GO_SECONDS = 1 -- in which the old worker is to leave after its last answer, in most reloads

local SETUP = [[panel = require "smmpanel".new { url = "%s", key = "%s", timeout = 20 }]]

local LOCATIONS = [[location = /content { content_by_lua_block {
  local balance, err = panel:balance()
  ngx.print(balance and balance.currency or tostring(err))
} }]]

local paths = {}
for i = 1, AT_ONCE do paths[i] = "/content" end

local function middle(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

describe("nginx over 10,000 requests and 20 reloads", function()
  it("loses none, its old workers end, descriptors and threads are flat", function()
    local sandbox = assert(sandbox_server.start { tls = false })
    local server = nginx.start { locations = LOCATIONS, init = SETUP:format(sandbox.url, sandbox.key) }
    finally(function()
      server:stop()
      sandbox.stop()
    end)

    local function burst(meanwhile)
      for _, answer in ipairs(server:at_once(paths, meanwhile)) do
        assert.same({ status = 200, body = "USD" }, answer)
      end
    end

    local leaving, held = {}, nil
    for round = 1, ROUNDS do
      local old = round % 5 == 0 and server:worker()
      burst(old and function() server:signal "HUP" end)
      if old then
        leaving[#leaving + 1] = assert(nginx.wait_until(function() return not nginx.alive(old) end), "it stays")
        burst()
        -- The master inherits what a worker leaves behind; a worker has as many connections as it had concurrent calls.
        local descriptors = server:holds(server:master())
        held = held or descriptors
        assert.is_true(descriptors <= held + 2, held .. " -> " .. descriptors)
        local open, threads = server:holds(server:worker())
        assert.is_true(open <= 2 * AT_ONCE, open)
        assert.is_true(threads <= 3, threads)
      end
    end
    local typical = middle(leaving)
    print(("\nan old worker left %.2f s after its last answer, %.2f at most"):format(typical, leaving[#leaving]))
    assert.equal(20, #leaving)
    assert.is_true(typical < GO_SECONDS)
    assert.is_nil(server:log():match "[^\n]*%[alert%][^\n]*")
  end)
end)
