-- The transport through nginx's own sockets: over lua-resty-http where that library is installed, and over the small
-- client beside it. nginx has its own Lua: these specs run once, with the 5.1 ABI.
-- luacheck: no max string line length
if _VERSION ~= "Lua 5.1" then return end

local nginx = require "spec.loops.support.nginx"
local process = require "spec.support.process"
local sandbox_support = require "spec.support.sandbox"

local CLIENT = [[
  local smmpanel = require "smmpanel"
  local transport = require "smmpanel_cosockets" { http = %s }
  spec = {}
  function spec.panel(fault, more)
    local options = more or {}
    options.url = options.url or "%s" .. "?fault=" .. fault .. "&name=" .. ngx.var.arg_name
    options.key, options.transport, options.retries = "%s", options.transport or transport, 0
    return smmpanel.new(options)
  end
  function spec.say(record, err)
    if record then return ngx.print(record.currency or record.order) end
    ngx.print(err.code, " ", tostring(err.uncertain))
  end
  function spec.that_throws()
    local client = {}
    function client.set_timeout() end
    function client.connect() error "assertion failed!" end
    local http = { new = function() return client end }
    return spec.panel("", { transport = require "smmpanel_cosockets" { http = http } })
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
  location = /throws { content_by_lua_block { spec.say(spec.that_throws():add(spec.order)) } }
  location = /tls { content_by_lua_block { spec.say(spec.panel("", { url = "https://" .. ngx.var.arg_at }):balance()) } }
  location = /services { content_by_lua_block { ngx.print(#assert(spec.panel(""):services())) } }
]]

local has_library = nginx.has_module "resty.http"

local function contract(module)
  local sandbox, server, names, tls_port, tls_path

  lazy_setup(function()
    sandbox = sandbox_support.start { services = 2000 }
    tls_port, tls_path = sandbox.tls_url:match "^https://[^/:]+:(%d+)/(.*)$"
    names = process.start(process.lua() .. " spec/support/dns_server.lua")
    local client = CLIENT:format(("require %q"):format(module), sandbox.url, sandbox.key)
    local https = ("resolver 127.0.0.1:%s; lua_ssl_trusted_certificate %s; lua_ssl_verify_depth 3;"):format(names.line,
      sandbox.ca_file)
    server = nginx.start { locations = LOCATIONS, http = https, init = client }
  end)
  lazy_teardown(function()
    if server then server:stop() end
    if sandbox then sandbox.stop() end
    if names then names.stop() end
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

  it("TLS: the panel's certificate is checked, with nginx's resolver and certificates", function()
    assert.same({ 200, "USD" }, { server:get("/tls?at=localhost:" .. tls_port .. "/" .. tls_path) })
    assert.same({ 200, "tls nil" }, { server:get("/tls?at=example.com:" .. tls_port .. "/" .. tls_path) })
  end)

  it("nothing was sent where no connection could be made", function()
    assert.same({ 200, "connect nil" }, { server:get "/nobody?name=nobody" })
  end)

  -- As lua-resty-core 0.1.25 sometimes does after a failed TLS handshake.
  it("an order is not uncertain if the client threw before it was sent", function()
    assert.same({ 200, "tls nil" }, { server:get "/throws?name=throws" })
  end)

  it("a write whose answer is late, cut or lost is uncertain", function()
    assert.same({ 200, "timeout true" }, { server:get "/late?name=late" })
    assert.same({ 200, "cut true" }, { server:get "/add?name=cut&fault=cut:5" })
    assert.matches(" true$", select(2, server:get "/add?name=lost&fault=lost"))
  end)
end

describe("the transport over lua-resty-http", function()
  if not has_library then return it("has the library", function() pending "lua-resty-http is not installed" end) end
  contract "resty.http"
end)

describe("the transport over the small client", function() contract "smmpanel_http" end)
