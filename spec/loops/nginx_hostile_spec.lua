-- Broken and hostile panels, byte for byte, for the small client over nginx's own sockets: each call ends within its
-- deadline with the same kind and code as over the engine, and the worker answers its other requests meanwhile. nginx
-- has its own Lua: these specs run once, with the 5.1 ABI.
-- luacheck: no max string line length
if _VERSION ~= "Lua 5.1" then return end

local hostile = require "spec.support.hostile"
local nginx = require "spec.loops.support.nginx"
local raw = require "spec.support.raw"

local CLIENT = [[
  local smmpanel, urls = require "smmpanel", dofile "%s"
  local transport = require "smmpanel_cosockets" { http = require "smmpanel_http" }
  function balance(url)
    local panel = smmpanel.new { url = url, key = "K", transport = transport, retries = 0, timeout = 0.6, max_body = 256 * 1024 }
    local begun = ngx.now()
    local value, err = panel:balance()
    ngx.update_time()
    ngx.print(value and ("ok " .. tostring(value.balance)) or (err.kind .. " " .. err.code), " ", ngx.now() - begun)
  end
  function case(number) return balance(urls[tonumber(number)]) end
]]

-- No compressed body is requested, so a compressed one is an error.
local PACKED = { "gzip of endless blocks without content", "gzip of 64 MB of spaces",
  "gzip behind an interim answer that has gzip too", "gzip that is cut", "gzip with bytes behind it" }
local OTHERWISE = {}
for _, name in ipairs(PACKED) do OTHERWISE[name] = { "response", "encoding" } end

describe("through nginx's own sockets, a panel that sends", function()
  local server, bad, file
  local cases = {}
  for _, list in ipairs { hostile.CASES, hostile.BOMBS } do
    for _, case in ipairs(list) do cases[#cases + 1] = case end
  end

  lazy_setup(function()
    bad = raw.start()
    file = hostile.write_urls(bad, bad, cases)
    server = nginx.start { locations = [[
      location = /case { content_by_lua_block { case(ngx.var.arg_n) } }
      location = /flood { content_by_lua_block {
        local ticks, over = 0, false
        local ticker = ngx.thread.spawn(function()
          while not over do
            ngx.sleep(0.001)
            ticks = ticks + 1
          end
        end)
        case(ngx.var.arg_n)
        over = true
        ngx.thread.wait(ticker)
        ngx.print(" ", ticks) } }
    ]], init = CLIENT:format(file) }
  end)
  lazy_teardown(function()
    if server then server:stop() end
    if bad then bad.stop() end
    os.remove(file)
  end)

  it("endless chunks of one byte does not stall the worker's other requests", function()
    local flood
    for number, case in ipairs(cases) do flood = case[1] == "endless chunks of one byte" and number or flood end
    local status, text = server:get("/flood?n=" .. flood)
    assert.equal(200, status)
    assert.is_true(tonumber(text:match "%d+$") > 20, text)
  end)

  for number, case in ipairs(cases) do
    it(case[1], function()
      local wanted = OTHERWISE[case[1]] or { case[3], case[4] }
      local status, text = server:get("/case?n=" .. number)
      assert.equal(200, status)
      local kind, code = text:match "^(%S+) (%S+)"
      if wanted[1] then assert.equal(wanted[1], kind, text) end
      if wanted[2] then assert.equal(wanted[2], code, text) end
    end)
  end
end)
