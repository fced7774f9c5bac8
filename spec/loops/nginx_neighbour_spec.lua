-- In an nginx worker one thread serves all panels: one panel's data must not delay the calls to another, or the worker.
-- nginx has its own Lua: these specs run once, with the 5.1 ABI.
if _VERSION ~= "Lua 5.1" then return end

local hostile = require "spec.support.hostile"
local nginx = require "spec.loops.support.nginx"
local raw = require "spec.support.raw"

local BUSY = 2 -- seconds that a busy machine may add; what this looks for took 7 and more

-- Returns the longest of 50 calls to the healthy panel, while eight to the other one are in flight.
local LOCATION = [[
  location = /beside { content_by_lua_block {
    local smmpanel, urls = require "smmpanel", dofile(URLS)
    local healthy = smmpanel.new { url = urls.good, key = "k", timeout = 30, retries = 0 }
    local hostile = smmpanel.new { url = urls[tonumber(ngx.var.arg_case)], key = "k", timeout = 20, retries = 0 }
    local threads = {}
    for i = 1, 8 do threads[i] = ngx.thread.spawn(function() hostile:balance() end) end
    local longest = 0
    for i = 1, 50 do
      ngx.update_time()
      local before = ngx.now()
      assert(healthy:balance())
      ngx.update_time()
      longest = math.max(longest, ngx.now() - before)
    end
    hostile:close()
    for i = 1, 8 do ngx.thread.wait(threads[i]) end
    ngx.print(longest)
  } }
]]

describe("in nginx, a healthy panel next to one that sends", function()
  local bad, good, server, urls
  lazy_setup(function()
    bad, good = raw.start(), raw.start()
    urls = hostile.write_urls(good, bad, hostile.BOMBS)
    server = nginx.start { locations = (LOCATION:gsub("URLS", function() return ("%q"):format(urls) end)) }
  end)
  lazy_teardown(function()
    server:stop()
    bad.stop()
    good.stop()
    os.remove(urls)
  end)

  for i, case in ipairs(hostile.BOMBS) do
    it(case[1], function()
      local status, said = server:get("/beside?case=" .. i)
      if type(status) == "table" then status, said = status[1], status[2] end
      assert.equal(200, status, said .. server:log())
      assert.is_true(tonumber(said) < BUSY, said)
    end)
  end
end)
