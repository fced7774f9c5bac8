-- The transport over lua-resty-http, in nginx. Where that library is missing, over plain cosockets with the same
-- functions. nginx has its own Lua: these specs run once, with the 5.1 ABI.
-- luacheck: no max string line length
if _VERSION ~= "Lua 5.1" then return end

local nginx = require "spec.loops.support.nginx"
local sandbox_support = require "spec.support.sandbox"

local CLIENT = [[
  local root = "%s"
  package.path = root .. "/contrib/nginx/?.lua;" .. package.path
  if %s then package.path = root .. "/spec/loops/support/?.lua;" .. package.path end
  local smmpanel = require "smmpanel"
  local transport = require "smmpanel_resty_http" {}
  spec = {}
  function spec.panel(fault, more)
    local options = more or {}
    options.url = options.url or "%s" .. "?fault=" .. fault .. "&name=" .. ngx.var.arg_name
    options.key, options.transport, options.retries = "%s", transport, 0
    return smmpanel.new(options)
  end
  function spec.say(record, err)
    if record then return ngx.print(record.currency or record.order) end
    ngx.print(err.code, " ", tostring(err.uncertain))
  end
  spec.order = { service = 1, link = "https://example.com/x", quantity = 100 }
]]

local LOCATIONS = [[
  location = /balance { content_by_lua_block { spec.say(spec.panel(ngx.var.arg_fault):balance()) } }
  location = /add { content_by_lua_block { spec.say(spec.panel(ngx.var.arg_fault):add(spec.order)) } }
  location = /late { content_by_lua_block { spec.say(spec.panel("latency:5", { timeout = 0.3 }):add(spec.order)) } }
  location = /nobody { content_by_lua_block { spec.say(spec.panel("", { url = "http://127.0.0.1:1/" }):add(spec.order)) } }
  location = /many { content_by_lua_block {
    local ids, count = {}, 0
    for i = 1, 100 do ids[i] = 900000 + i end
    local many = assert(spec.panel("latency:0.1"):status(ids, { batch_size = 5, concurrency = 20 }))
    for _, entry in pairs(many) do count = count + (entry.code == "bad_order" and 1 or 0) end
    ngx.print(count) } }
  location = /services { content_by_lua_block { ngx.print(#assert(spec.panel(""):services())) } }
]]

local has_library = nginx.has_module "resty.http"

local function contract(stand_in)
  local sandbox, server

  lazy_setup(function()
    sandbox = sandbox_support.start { tls = false, services = 2000 }
    local pipe = io.popen "pwd"
    local root = pipe:read "*l"
    pipe:close()
    local client = CLIENT:format(root, tostring(stand_in), sandbox.url, sandbox.key)
    server = nginx.start { locations = LOCATIONS, http = "init_by_lua_block {" .. client .. "}" }
  end)
  lazy_teardown(function()
    if server then server:stop() end
    if sandbox then sandbox.stop() end
  end)

  it("reads, writes, batches and a large answer arrive whole", function()
    assert.same({ 200, "USD" }, { server:get "/balance?name=balance&fault=" })
    assert.is_number(tonumber((select(2, server:get "/add?name=add&fault="))))
    assert.same({ 200, "100" }, { server:get "/many?name=many" })
    assert.same({ 200, "2000" }, { server:get "/services?name=services" })
    assert.is_true(sandbox.counts("many").max_in_flight > 4)
  end)

  it("a read uses a kept connection, a write never one", function()
    for _ = 1, 5 do assert.same({ 200, "USD" }, { server:get "/balance?name=kept&fault=" }) end
    for _ = 1, 5 do server:get "/add?name=fresh&fault=" end
    assert.is_true(sandbox.counts("kept").connections < 5)
    assert.equal(5, sandbox.counts("fresh").connections)
  end)

  it("nothing was sent where no connection could be made", function()
    assert.same({ 200, "connect nil" }, { server:get "/nobody?name=nobody" })
  end)

  it("a write whose answer is late, cut or lost is uncertain", function()
    assert.same({ 200, "timeout true" }, { server:get "/late?name=late" })
    assert.same({ 200, "cut true" }, { server:get "/add?name=cut&fault=cut:5" })
    assert.matches(" true$", select(2, server:get "/add?name=lost&fault=lost"))
  end)
end

describe("the transport over lua-resty-http", function()
  if not has_library then return it("has the library", function() pending "lua-resty-http is not installed" end) end
  contract(false)
end)

describe("the transport over plain cosockets", function() contract(true) end)
