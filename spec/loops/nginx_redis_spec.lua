-- The ledger and the limiter in a real nginx, over its own Redis client (lua-resty-redis; Debian calls it
-- nginx.redis). nginx has its own Lua: these specs run once, with the 5.1 ABI.
if _VERSION ~= "Lua 5.1" then return end

local http = require "spec.loops.support.http"
local nginx = require "spec.loops.support.nginx"
local redis_server = require "spec.support.redis"
local sandbox_support = require "spec.support.sandbox"
local system = require "spec.support.system"

local LOCATIONS = [[
  location = /place { content_by_lua_block {
    local panel = ngx.var.arg_ledger == "sqlite" and spec.sqlite or spec.panel
    local made, err = panel:add({ service = 1, link = "https://example.com/" .. ngx.var.arg_ref, quantity = 100 },
      { ref = ngx.var.arg_ref })
    ngx.print(made and made.order or tostring(err)) } }
  location = /impatient { lua_check_client_abort on; content_by_lua_block {
    spec.panel:add({ service = 1, link = "https://example.com/" .. ngx.var.arg_ref, quantity = 100 },
      { ref = ngx.var.arg_ref })
    spec.outlived = true } }
  location = /outlived { content_by_lua_block { ngx.print(tostring(spec.outlived)) } }
  location = /pending { content_by_lua_block {
    local refs, panel = {}, ngx.var.arg_ledger == "sqlite" and spec.sqlite or spec.panel
    for i, entry in ipairs(assert(panel:pending())) do refs[i] = entry.ref end
    ngx.print(table.concat(refs, " ")) } }
  location = /balance { content_by_lua_block {
    local record, err = spec.limited:balance()
    ngx.print(record and record.currency or tostring(err)) } }
  location = /watch { content_by_lua_block {
    local seen = {}
    local _, err = spec.panel:watch({ 1, 700001 }, { name = "few", interval = 0.05,
      on_change = function(id, record) seen[id] = record.status or record.code end })
    ngx.print(seen[1], " ", seen[700001], " ", tostring(err)) } }
]]

local CLIENTS = [[
  local smmpanel, redis = require "smmpanel", require "nginx.redis"
  local function connect()
    local client = redis:new()
    client:set_timeout(%d)
    local ok, err = client:connect("127.0.0.1", %d)
    if not ok then return nil, err end
    return client
  end
  spec = {}
  spec.panel = smmpanel.new { url = "%s", key = "%s", ledger = smmpanel.ledger.redis(connect), retries = 0 }
  spec.sqlite = smmpanel.new { url = "%s", key = "%s", ledger = smmpanel.ledger.sqlite "%s/ledger.db", retries = 0 }
  spec.limited = smmpanel.new { url = "%s", key = "%s",
    limiter = smmpanel.limiter.redis(connect, { name = "nginx", rate = 20 }) }
]]

local function paths_to(count, path)
  local paths = {}
  for i = 1, count do paths[i] = path:gsub("#", i) end
  return paths
end

describe("in nginx, over its Redis client,", function()
  local redis, sandbox, server, directory

  lazy_setup(function()
    redis, sandbox = redis_server.start(), sandbox_support.start { tls = false }
    directory = system.directory()
    os.execute("chmod 777 " .. directory) -- nginx's workers may run as another user
    local placed, limited = sandbox.url_with("latency:0.1", "placed"), sandbox.url_with("", "limited")
    server = nginx.start { locations = LOCATIONS, init = CLIENTS:format(2000, redis.port, placed, sandbox.key,
      placed, sandbox.key, directory, limited, sandbox.key) }
  end)

  lazy_teardown(function()
    if server then server:stop() end
    if sandbox then sandbox.stop() end
    if redis then redis:stop() end
    if directory then os.execute("rm -rf " .. directory) end
  end)

  -- While all of them wait for Redis and the panel, one worker still answers other requests at once.
  local function bystander_of(paths)
    local longest = 0
    local answers, seconds = server:at_once(paths, function()
      for _ = 1, 20 do
        local begun = http.now()
        assert.same({ 200, "pong" }, { server:get "/ping" })
        longest = math.max(longest, http.now() - begun)
      end
    end)
    return answers, seconds, longest
  end

  for _, ledger in ipairs { "redis", "sqlite" } do
    it("the same ref in 40 concurrent requests is one order, whose id all get, with a ledger in " .. ledger, function()
      local before = sandbox.counts("placed").actions.add or 0
      local answers = server:at_once(paths_to(40, "/place?ref=same&ledger=" .. ledger))
      local order = tonumber(answers[1].body)
      assert.is_number(order, answers[1].body)
      for _, answer in ipairs(answers) do assert.equal(order, tonumber(answer.body), answer.body) end
      assert.equal(1, sandbox.counts("placed").actions.add - before)
      assert.equal("", (select(2, server:get("/pending?ledger=" .. ledger))))
    end)
  end

  it("an order whose client has gone is nevertheless placed and stored", function()
    local before = sandbox.counts("placed").actions.add
    os.execute(("curl -s --max-time 0.05 'http://127.0.0.1:%d/impatient?ref=impatient'"):format(server.port))
    assert.truthy(nginx.wait_until(function() return select(2, server:get "/pending") == "" end))
    assert.equal("nil", (select(2, server:get "/outlived")))
    assert.is_number(tonumber((select(2, server:get "/place?ref=impatient"))))
    assert.equal(1, sandbox.counts("placed").actions.add - before)
  end)

  it("40 refs at once are placed concurrently, without delaying the worker", function()
    local before = sandbox.counts("placed").actions.add
    local answers, seconds, longest = bystander_of(paths_to(40, "/place?ref=order-#"))
    for _, answer in ipairs(answers) do assert.is_number(tonumber(answer.body), answer.body) end
    assert.equal(40, sandbox.counts("placed").actions.add - before)
    assert.is_true(longest < seconds)
  end)

  it("a rate limit makes requests wait for their slot, and delays nothing else", function()
    local answers, seconds, longest = bystander_of(paths_to(40, "/balance"))
    for _, answer in ipairs(answers) do assert.equal("USD", answer.body) end
    assert.is_true(seconds >= 0.9, seconds)
    assert.is_true(longest < seconds / 2)
  end)

  it("orders stored under a name are watched", function()
    assert.same({ 200, "Partial bad_order nil" }, { server:get "/watch" })
    assert.same({ 200, "nil nil nil" }, { server:get "/watch" }) -- both are final, and known to be
  end)

  it("a Redis that does not answer stops the order, and nothing else", function()
    local before = sandbox.counts("placed").actions.add
    redis:signal "STOP"
    finally(function() redis:signal "CONT" end)
    local answers, seconds, longest = bystander_of(paths_to(4, "/place?ref=stopped-#"))
    for _, answer in ipairs(answers) do
      assert.is_truthy(answer.body:find("the request to Redis failed: timeout", 1, true), answer.body)
    end
    assert.is_true(longest < seconds / 2)
    assert.equal(before, sandbox.counts("placed").actions.add)
  end)
end)
