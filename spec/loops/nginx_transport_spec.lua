-- The transport through nginx's own sockets: what must hold with each HTTP library under it. nginx has its own Lua:
-- these specs run once, with the 5.1 ABI.
-- luacheck: no max string line length
if _VERSION ~= "Lua 5.1" then return end

local nginx = require "spec.loops.support.nginx"
local raw = require "spec.support.raw"
local sandbox_support = require "spec.support.sandbox"

local CLIENT = [[
  local smmpanel, http = require "smmpanel", %s
  local function transport(options)
    options = options or {}
    options.http = http
    return require "smmpanel_cosockets" (options)
  end
  local shared = transport()
  -- a worker may not be allowed to read the file
  spec = { another = loadfile(package.searchpath("smmpanel_cosockets", package.path)) }
  function spec.panel(url, more)
    local options = more or {}
    options.url, options.key, options.retries, options.timeout = url, "K", 0, options.timeout or 0.5
    options.transport = options.transport or options.with and transport(options.with) or shared
    options.with = nil
    return smmpanel.new(options)
  end
  function spec.shared(url) return smmpanel.new { url = url, key = "K", retries = 0, transport = shared } end
  spec.order = { service = 1, link = "https://example.com/x", quantity = 100 }
  function spec.timed(call)
    local begun = ngx.now()
    local value, err = call()
    ngx.update_time()
    local text = value and "ok " .. tostring(value.order or value.balance) or
      err.code .. " " .. tostring(err.uncertain) .. " " .. tostring(err.sent)
    return text, ngx.now() - begun
  end
  function spec.say(call)
    local text, seconds = spec.timed(call)
    ngx.print(text, seconds > 3 and " late" or "")
  end
]]

-- /echo answers with the path of its request, /hosts with the request's Host and User-Agent headers.
local LOCATIONS = [[
  location /echo { content_by_lua_block {
    ngx.sleep(0.05)
    ngx.print('{"balance":"1","currency":"' .. ngx.var.request_uri .. '"}') } }
  location = /hosts { content_by_lua_block {
    local all = {}
    for line in ngx.req.raw_header():gmatch "[^\r\n]+" do
      if line:lower():find "^host:" or line:lower():find "^user.agent:" then all[#all + 1] = line end
    end
    table.sort(all)
    ngx.print('{"balance":"1","currency":"' .. table.concat(all, "; ") .. '"}') } }
  location = /balance { content_by_lua_block {
    spec.say(function() return spec.panel(ngx.unescape_uri(ngx.var.arg_url)):balance() end) } }
  location = /add { content_by_lua_block {
    spec.say(function() return spec.panel(ngx.unescape_uri(ngx.var.arg_url)):add(spec.order) end) } }
  location = /two_panels { content_by_lua_block {
    local base = "http://127.0.0.1:" .. ngx.var.server_port .. "/echo/"
    local function ask(name) return assert(spec.shared(base .. name):balance()).currency end
    local one, two = ngx.thread.spawn(ask, "one"), ngx.thread.spawn(ask, "two")
    local _, first = ngx.thread.wait(one)
    local _, second = ngx.thread.wait(two)
    ngx.print(first, " ", second) } }
  location = /own_headers { content_by_lua_block {
    local url = "http://127.0.0.1:" .. ngx.var.server_port .. "/hosts"
    local own = { host = "panel.example", ["user-agent"] = "me" }
    ngx.print(assert(spec.panel(url, { headers = own }):balance()).currency) } }
  location = /slow_connect { content_by_lua_block {
    local sent, wall, back = "nothing sent", ngx.now, 0
    local client = { set_timeout = function() end, close = function() end, get_reused_times = function() return 0 end }
    function client.connect()
      ngx.sleep(0.3)
      back = tonumber(ngx.var.arg_back)
      return true
    end
    function client.request() sent = "sent" return nil, "closed" end
    ngx.now = function() return wall() - back end
    local slow = spec.another()
    slow = slow { http = { new = function() return client end } }
    ngx.now = wall
    spec.say(function() return spec.panel("http://127.0.0.1/", { transport = slow, timeout = 0.2 }):add(spec.order) end)
    ngx.print(" ", sent) } }
  location = /kept_closed { content_by_lua_block {
    local made = 0
    local function new()
      made = made + 1
      local client, number = { set_timeout = function() end, close = function() end, connect = function() return true end }, made
      function client.get_reused_times() return number == 1 and 3 or 0 end
      function client.set_keepalive() error "kept among those for orders" end
      function client.request()
        if number == 1 then return nil, "closed" end
        local body = '{"balance":"1.5"}'
        return { status = 200, headers = {}, body_reader = function() local piece = body body = nil return piece end }
      end
      return client
    end
    local panel = spec.panel("http://127.0.0.1/", { transport = spec.another() { http = { new = new } } })
    spec.say(function() return panel[ngx.var.arg_action](panel, ngx.var.arg_action == "add" and spec.order or nil) end)
    ngx.print(" ", made) } }
  location = /proxy { content_by_lua_block {
    local url, with = "http://127.0.0.1:" .. ngx.var.server_port .. "/echo", { proxy_opts = { http_proxy = "http://127.0.0.1:1/" } }
    spec.say(function() return spec.panel(url, { with = with }):add(spec.order) end) } }
  location = /unchecked { content_by_lua_block {
    local url = ngx.unescape_uri(ngx.var.arg_url)
    spec.say(function() return spec.panel(url, { with = { ssl_verify = false } }):balance() end)
    ngx.print " "
    spec.say(function() return spec.panel(url):balance() end) } }
]]

local has_library = nginx.has_module "resty.http"

-- -> nginx with that library, and a panel that sends what the spec requests
local function start(module)
  return nginx.start { locations = LOCATIONS, init = CLIENT:format(("require %q"):format(module)) }, raw.start()
end

local function escaped(url)
  return (url:gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function ask(server, panel, what, steps)
  return (select(2, server:get(("/%s?url=%s"):format(what, escaped(panel.url(steps))))))
end

local function contract(module)
  local server, panel, sandbox

  lazy_setup(function()
    server, panel = start(module)
    sandbox = sandbox_support.start {}
  end)
  lazy_teardown(function()
    if server then server:stop() end
    if panel then panel.stop() end
    if sandbox then sandbox.stop() end
  end)

  it("sends each panel's request to that panel's path if two panels share one transport", function()
    assert.equal("/echo/one /echo/two", (select(2, server:get "/two_panels")))
  end)

  it("never takes the user's name in a URL for the host, which would get the key", function()
    local url = escaped(("http://127.0.0.1:%d@127.0.0.2:1/echo"):format(server.port))
    assert.equal("bad_url nil nil", (select(2, server:get("/balance?url=" .. url))))
    assert.equal("bad_url nil nil", (select(2, server:get("/add?url=" .. escaped "http://127.0.0.1:pw@127.0.0.2/"))))
  end)

  it("sends the user's header instead of its own, in any case of letters", function()
    assert.equal("host: panel.example; user-agent: me", (select(2, server:get "/own_headers")):lower())
  end)

  it("checks the certificate although another panel connected to the server without the check", function()
    local url = sandbox.tls_url:gsub("localhost", "127.0.0.1")
    local text = select(2, server:get("/unchecked?url=" .. escaped(url)))
    assert.matches("^%S+ %S+ .*tls nil nil$", text)
  end)

  it("reads an answer that ends with its connection", function()
    local body = '{"balance":"1.5"}'
    assert.equal("ok 7", ask(server, panel, "add", { 'HTTP/1.1 200 OK\r\n\r\n{"order":7}' }))
    assert.equal("ok 1.5", ask(server, panel, "balance", { "HTTP/1.0 200 OK\r\n\r\n" .. body:sub(1, 9), 0.1,
      body:sub(10) }))
  end)

  it("never takes an interim answer for the final one", function()
    local said = ask(server, panel, "add", { "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0.1,
      raw.answer '{"order":7}' })
    assert.equal(module == "resty.http" and "protocol true nil" or "ok 7", said)
  end)

  it("a read on a kept connection that the panel has closed is sent on a new one, an order never again", function()
    assert.equal("ok 1.5 2", (select(2, server:get "/kept_closed?action=balance")))
    assert.equal("reset true nil 1", (select(2, server:get "/kept_closed?action=add")))
  end)

  -- The look-up, the connection or the handshake may take all of the time.
  it("sends nothing after the deadline", function()
    assert.equal("timeout nil nil nothing sent", (select(2, server:get "/slow_connect?back=0")))
  end)

  it("sends nothing after the deadline, although the wall clock was set back", function()
    assert.equal("timeout nil nil nothing sent", (select(2, server:get "/slow_connect?back=3600")))
  end)
end

describe("the transport over lua-resty-http", function()
  if not has_library then return it("has the library", function() pending "lua-resty-http is not installed" end) end
  contract "resty.http"
end)

describe("the transport over the small client", function()
  contract "smmpanel_http"
  local server, panel

  lazy_setup(function() server, panel = start "smmpanel_http" end)
  lazy_teardown(function()
    if server then server:stop() end
    if panel then panel.stop() end
  end)

  it("gives up at the deadline, however slowly the bytes arrive", function()
    local slow = ("x"):rep(80)
    for _, before in ipairs { "", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "HTTP/1.1 200 OK\r\n\r\n" } do
      local drip = { drip = before == "" and "HTTP/1.1 200 OK\r\n" .. slow or slow, pause = 0.1 }
      assert.equal("timeout true nil", ask(server, panel, "add", { before, drip }), before)
    end
    local after_chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{"
    assert.equal("timeout true nil", ask(server, panel, "add", { after_chunk, { drip = "\r\r\r\r", pause = 0.3 } }))
  end)

  it("does not connect directly if a proxy was requested", function()
    assert.equal("connect nil nil", (select(2, server:get "/proxy")))
  end)
end)
