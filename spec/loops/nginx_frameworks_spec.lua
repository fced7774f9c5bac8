-- The code of docs/nginx-frameworks.md in plain nginx, loaded as Kong, APISIX and Lapis load it. nginx has its own Lua:
-- these specs run once, with the 5.1 ABI.
-- luacheck: no max string line length
if _VERSION ~= "Lua 5.1" then return end

local http = require "spec.loops.support.http"
local nginx = require "spec.loops.support.nginx"
local sandbox_support = require "spec.support.sandbox"
local system = require "spec.support.system"

local read = system.read

-- The functions of each framework that the code uses.
local INIT = [[
  package.path = "%s/?.lua;" .. package.path
  spec = { notes = {} }
  kong = { response = {}, service = { request = {} } }
  function kong.response.exit(status, body) ngx.status = status; ngx.print(require "cjson".encode(body)); ngx.exit(status) end
  function kong.service.request.set_header(name, value) ngx.req.set_header(name, value) end
  package.preload.lapis = function()
    return { Application = function() return { get = function(self, path, f) self[path] = f end } end }
  end
  spec.kong = require "kong.plugins.smm-balance.handler"
  spec.lapis = require "app"
]]

-- APISIX loads its plugins in init_worker.
local WORKER = [[
  spec.kong:init_worker()
  spec.apisix = require "apisix.plugins.smm-order"
  local panel = require "smmpanel".new { url = "%s", key = os.getenv "SMMPANEL_KEY" }
  spec.early = { pcall(panel.balance, panel) }
]]

local LOCATIONS = [[
  location = /kong {
    access_by_lua_block { spec.kong:access { least = 10 } }
    content_by_lua_block { ngx.print("services ", ngx.req.get_headers()["X-Services"]) } }
  location = /kong_low { access_by_lua_block { spec.kong:access { least = 1e6 } } content_by_lua_block { ngx.print "passed" } }
  location = /kong_delayed {
    access_by_lua_block { coroutine.wrap(spec.kong.access)(spec.kong, { least = 10 }) }
    content_by_lua_block { ngx.print "passed" } }
  location = /early { content_by_lua_block { ngx.print(spec.early[1], " ", spec.early[2]) } }
  location = /apisix { access_by_lua_block {
    local status, body = spec.apisix.access({}, { var = ngx.var })
    ngx.status = status; ngx.print(require "cjson".encode(body)); ngx.exit(status) } }
  location = /lapis { content_by_lua_block {
    local co = coroutine.create(function()
      local answer = spec.lapis["/orders/:id"]({ params = { id = ngx.var.arg_id } })
      coroutine.yield(answer) end)
    local _, answer = coroutine.resume(co)
    ngx.status = answer.status; ngx.print(require "cjson".encode(answer.json)) } }
]]

describe("in nginx, as documented,", function()
  local sandbox, server, dir

  local function start(directives)
    local worker = WORKER:format(sandbox.url_with("", "early"))
    return nginx.start { workers = 2, main = ("env SMMPANEL_KEY=%s;"):format(sandbox.key), locations = LOCATIONS,
      http = ("%s init_worker_by_lua_block {%s}"):format(directives, worker), init = INIT:format(dir) }
  end

  lazy_setup(function()
    sandbox, dir = sandbox_support.start { tls = false }, system.directory()
    os.execute("chmod 755 '" .. dir .. "'") -- the workers run as another user
    local url = sandbox.url_with("latency:0.1", "frameworks"):gsub("%%", "%%%%")
    for block in read "docs/nginx-frameworks.md":gmatch "```lua\n(.-)```" do
      local path = dir .. "/" .. block:match "^%-%- (%S+)"
      os.execute("mkdir -p $(dirname '" .. path .. "')")
      system.write(path, (block:gsub("https://panel.example/api/v2", url)))
    end
    server = start ""
  end)

  lazy_teardown(function()
    if server then server:stop() end
    if sandbox then sandbox.stop() end
    os.execute("rm -rf '" .. dir .. "'")
  end)

  it("Kong: access waits for the panel, init_worker fetches in a timer", function()
    assert(nginx.wait_until(function()
      local status, body = server:get "/kong"
      return status == 200 and tonumber(body:match "services (%d+)") > 0
    end))
    assert.same({ 503, '{"message":"the panel\'s funds are low"}' }, { server:get "/kong_low" })
  end)

  -- Kong does so while a plugin has delayed the response.
  it("Kong: access waits in a separate coroutine", function()
    assert.same({ 200, "passed" }, { server:get "/kong_delayed" })
  end)

  it("a call in init_worker throws, and nothing is sent", function()
    assert.matches("^false .*init_worker_by_lua, which cannot yield", select(2, server:get "/early"))
    assert.equal(0, sandbox.counts("early").requests)
  end)

  it("APISIX: access answers with a list", function()
    local status, body = server:get "/apisix?ids=1,100"
    assert.equal(200, status)
    assert.matches('^%[{.*"order":"1".*"order":"100".*}%]$', body)
  end)

  it("Lapis: a handler in a separate coroutine waits", function()
    local status, body = server:get "/lapis?id=100"
    assert.equal(200, status)
    assert.matches('"status":"In progress"', body, 1, true)
    assert.equal(502, (server:get "/lapis?id=999999"))
  end)

  it("Lapis: its development mode loads all code for each request", function()
    local uncached = start "lua_code_cache off;"
    finally(function() uncached:stop() end)
    local paths = {}
    for i = 1, 20 do paths[i] = "/lapis?id=100" end
    for _, answer in ipairs(uncached:at_once(paths)) do assert.equal(200, answer.status) end
    local log = uncached:log():gsub("[^\n]*lua_code_cache is off[^\n]*", "")
    assert.is_nil(log:match "[^\n]*%[alert%][^\n]*")
  end)

  it("many requests share the worker's panel, concurrently", function()
    local paths = {}
    for i = 1, 60 do paths[i] = i % 2 == 0 and "/kong" or "/lapis?id=100" end
    for _, answer in ipairs(http.at_once(server.port, paths)) do assert.equal(200, answer.status) end
    assert.is_true(sandbox.counts("frameworks").max_in_flight > 8)
    assert.is_nil(server:log():match "[^\n]*%[alert%][^\n]*")
  end)
end)
