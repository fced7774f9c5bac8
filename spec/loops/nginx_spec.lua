-- The calls in a real nginx with one worker. nginx has its own Lua: these specs run once, with the 5.1 ABI.
-- luacheck: no max string line length
if _VERSION ~= "Lua 5.1" then return end

local http = require "spec.loops.support.http"
local nginx = require "spec.loops.support.nginx"
local sandbox_server = require "smmpanel.sandbox.server"

local LATENCY = 0.3

-- One location for each phase; all answer "USD" if the call worked.
local LOCATIONS = [[
  location = /content { content_by_lua_block { ngx.print(spec.currency()) } }
  location = /who { content_by_lua_block { ngx.print(spec.at_start, spec.currency(), ngx.worker.id()) } }
  location = /access { access_by_lua_block { ngx.ctx.said = spec.currency() } content_by_lua_block { ngx.print(ngx.ctx.said) } }
  location = /rewrite { rewrite_by_lua_block { ngx.ctx.said = spec.currency() } content_by_lua_block { ngx.print(ngx.ctx.said) } }
  location = /timer { content_by_lua_block {
    local done, said = require "ngx.semaphore".new()
    ngx.timer.at(0, function() said = spec.currency(); done:post() end)
    done:wait(20); ngx.print(said) } }
  location = /coroutine { content_by_lua_block {
    local co = coroutine.wrap(function() coroutine.yield(spec.currency()) end); ngx.print(co()) } }
  location = /in_process { content_by_lua_block {
    local sandbox, calls = spec.smmpanel.sandbox(), {}
    local panel = spec.smmpanel.new { url = sandbox:url_with "latency:0.1", key = "any", transport = sandbox }
    for i = 1, 8 do calls[i] = function() return panel:balance() end end
    local results = spec.smmpanel.all(calls)
    ngx.print(results[8].currency, " ", sandbox:stats().max_in_flight) } }
  location = /slow { content_by_lua_block { ngx.print(spec.currency(spec.slow)) } }
  location = /order { content_by_lua_block {
    local id = tonumber(ngx.var.arg_id)
    local record, err = spec.panel:status(id)
    ngx.print(err and err.code or "?", " ", id) } }
  location = /all { content_by_lua_block {
    local calls, begun = {}, ngx.now()
    for i = 1, 8 do calls[i] = function() return spec.slow:balance() end end
    local results = spec.smmpanel.all(calls)
    local count = 0
    for i = 1, 8 do count = count + (results[i] and results[i].currency == "USD" and 1 or 0) end
    ngx.update_time(); ngx.print(count, " ", ngx.now() - begun) } }
  location = /throws { content_by_lua_block {
    local ok, err = pcall(spec.smmpanel.all, { function() error "thrown" end, function() return spec.panel:balance() end })
    ngx.print(tostring(ok), " ", err) } }
  location = /batch { content_by_lua_block {
    local ids = {}
    for i = 1, 500 do ids[i] = 900000 + i end
    local many = spec.panel:status(ids, { batch_size = 20 })
    local count = 0
    for id, entry in pairs(many) do if entry.code then count = count + 1 end end
    ngx.print(count) } }
  location = /catalogue { content_by_lua_block { ngx.print(#assert(spec.big:services())) } }
  location = /log { return 200 ok; log_by_lua_block { spec.note("log", pcall(spec.currency)) } }
  location = /header { header_filter_by_lua_block { spec.note("header", pcall(spec.currency)) } return 200 ok; }
  location = /body { body_filter_by_lua_block { spec.note("body", pcall(spec.currency)) } return 200 ok; }
  location = /set { set_by_lua_block $x { spec.note("set", pcall(spec.currency)); return 1 } return 200 $x; }
  location = /through_c { content_by_lua_block { spec.note("c", pcall(string.gsub, "x", "x", function() return spec.currency() end)) ngx.print(spec.notes.c) } }
  location = /notes { content_by_lua_block { ngx.print(spec.notes[ngx.var.arg_of] or "none") } }
  location = /closed { content_by_lua_block {
    local panel = spec.new(spec.slow_url)
    ngx.timer.at(0.05, function() panel:close() end)
    local record, err = panel:balance()
    ngx.print(tostring(record), " ", err.code) } }
  location = /collected { content_by_lua_block {
    ngx.thread.spawn(function() ngx.print(spec.new(spec.slow_url):balance().currency) end)
    collectgarbage(); collectgarbage() } }
  location = /killed { content_by_lua_block {
    local thread = ngx.thread.spawn(function() return spec.slow:balance() end)
    ngx.sleep(0.05); ngx.thread.kill(thread); ngx.print(spec.currency()) } }
  location = /fork { content_by_lua_block {
    local posix, said = require "posix"
    local thread = ngx.thread.spawn(function() said = spec.slow:balance().currency end)
    ngx.sleep(0.05)
    local child = posix.fork()
    if child == 0 then
      local ok, record = pcall(function() return spec.new(spec.slow_url, "blocking"):balance() end)
      posix._exit(ok and record and record.currency == "USD" and 0 or 1)
    end
    local _, _, status = posix.wait(child)
    ngx.thread.wait(thread)
    ngx.print(said, " ", spec.currency(), " ", status) } }
  location = /blocking { content_by_lua_block {
    ngx.print(spec.currency(), spec.currency(spec.new(spec.slow_url, "blocking"))) } }
  location = /memory { content_by_lua_block {
    collectgarbage(); collectgarbage(); ngx.print(math.floor(collectgarbage "count")) } }
  location = /aborted { lua_check_client_abort on; content_by_lua_block { spec.currency(spec.slow) } }
]]

local function setup(sandbox)
  return ([[
    local smmpanel = require "smmpanel"
    spec = { smmpanel = smmpanel, notes = {}, slow_url = "%s" }
    function spec.new(url, host)
      return smmpanel.new { url = url, key = "%s", timeout = 20, loop = host }
    end
    spec.panel, spec.slow, spec.big = spec.new "%s", spec.new(spec.slow_url), spec.new "%s"
    function spec.currency(panel)
      local record, err = (panel or spec.panel):balance()
      return record and record.currency or tostring(err)
    end
    function spec.note(name, _, said) spec.notes[name] = tostring(said) end
  ]]):format(sandbox.url_with("latency:" .. LATENCY), sandbox.key, sandbox.url, sandbox.url)
end

local function times(count, path)
  local paths = {}
  for i = 1, count do paths[i] = path:gsub("#", i) end
  return paths
end

local function count_of(answers, body)
  local count = 0
  for _, answer in ipairs(answers) do
    if answer.status == 200 and answer.body == body then count = count + 1 end
  end
  return count
end

describe("in nginx", function()
  local sandbox, server

  lazy_setup(function()
    sandbox = assert(sandbox_server.start { tls = false, services = 10000 })
    server = nginx.start { locations = LOCATIONS, init = setup(sandbox) .. "spec.at_start = spec.currency()" }
  end)

  lazy_teardown(function()
    if server then server:stop() end
    if sandbox then sandbox.stop() end
  end)

  for _, phase in ipairs { "content", "access", "rewrite", "timer", "coroutine" } do
    it("a call works in " .. phase, function()
      assert.same({ 200, "USD" }, { server:get("/" .. phase) })
    end)
  end

  it("a sandbox in the process answers, its delays included", function()
    assert.same({ 200, "USD 8" }, { server:get "/in_process" })
  end)

  it("a fork in mid-flight harms neither the worker nor the child", function()
    assert.same({ 200, "USD USD 0" }, { server:get "/fork" })
  end)

  it("a client made in init_by_lua works in every worker, and calls there block", function()
    local several = nginx.start { workers = 3, init = setup(sandbox) .. "spec.at_start = spec.currency()",
      locations = LOCATIONS }
    finally(function() several:stop() end)
    local seen, count = {}, 0
    for _, answer in ipairs(several:at_once(times(200, "/who"))) do
      local id = answer.body:match "^USDUSD(%d)$"
      assert.truthy(id, answer.body)
      if not seen[id] then seen[id], count = true, count + 1 end
    end
    assert.is_true(count >= 2)
    assert.is_nil(several:log():find "%[alert%]")
  end)

  it("64 calls at once take about as long as one, and another request is not delayed", function()
    local longest = 0
    local answers, seconds = server:at_once(times(64, "/slow"), function()
      for _ = 1, 20 do
        local begun = http.now()
        assert.same({ 200, "pong" }, { server:get "/ping" })
        longest = math.max(longest, http.now() - begun)
        http.sleep(0.005)
      end
    end)
    assert.equal(64, count_of(answers, "USD"))
    assert.is_true(seconds < 64 * LATENCY / 8, ("64 took %.2f s"):format(seconds))
    assert.is_true(longest < LATENCY, ("a bystander waited %.3f s"):format(longest))
  end)

  it("every request gets its own answer", function()
    for i, answer in ipairs(server:at_once(times(100, "/order?id=70000#"))) do
      assert.equal("bad_order 70000" .. i, answer.body)
    end
  end)

  it("smmpanel.all runs several calls concurrently in one request", function()
    local _, body = server:get "/all"
    local count, seconds = body:match "^(%d+) (%S+)$"
    assert.equal("8", count)
    assert.is_true(tonumber(seconds) < 8 * LATENCY / 2, body)
    assert.matches("^false .*thrown$", select(2, server:get "/throws"))
  end)

  it("a batch and a big catalogue arrive whole", function()
    assert.same({ 200, "500" }, { server:get "/batch" })
    assert.same({ 200, "10000" }, { server:get "/catalogue" })
  end)

  for path, phase in pairs { log = "log", header = "header_filter", body = "body_filter", set = "set" } do
    it("in " .. phase .. "_by_lua a call says why it cannot be and what to do", function()
      server:get("/" .. path)
      local _, said = server:get("/notes?of=" .. path)
      assert.matches(phase .. "_by_lua", said, 1, true)
      assert.matches("ngx.timer.at", said, 1, true)
    end)
  end

  it("through a C function a call explains why it cannot wait, before anything is sent", function()
    assert.matches("inside a C function", select(2, server:get "/through_c"), 1, true)
  end)

  it("a panel closed meanwhile, a collected one, a killed thread: nothing is lost", function()
    assert.same({ 200, "nil cancelled" }, { server:get "/closed" })
    assert.same({ 200, "USD" }, { server:get "/collected" })
    assert.same({ 200, "USD" }, { server:get "/killed" })
  end)

  it("a client with loop = 'blocking' blocks, next to others that wait", function()
    assert.same({ 200, "USDUSD" }, { server:get "/blocking" })
  end)

  it("requests whose clients have gone leak nothing", function()
    local worker = server:worker()
    local before = server:holds(worker)
    for _ = 1, 30 do http.abandon(server.port, "/aborted", 0.01) end
    http.sleep(2 * LATENCY)
    assert.is_true(server:holds(worker) <= before + 2)
    assert.same({ 200, "USD" }, { server:get "/content" })
    assert.equal(worker, server:worker())
  end)

  it("descriptors, threads and memory are flat over thousands of requests", function()
    local worker = server:worker()
    local function burst(rounds)
      for _ = 1, rounds do assert.equal(100, count_of(server:at_once(times(100, "/content")), "USD")) end
    end
    server:at_once(times(100, "/slow")) -- as many connections to the panel as there will be
    burst(5)
    local descriptors, threads = server:holds(worker)
    local memory = tonumber((select(2, server:get "/memory")))
    burst(20)
    local descriptors_then, threads_then = server:holds(worker)
    assert.is_true(descriptors_then <= descriptors + 8, descriptors .. " -> " .. descriptors_then)
    assert.equal(threads, threads_then)
    assert.is_true(tonumber((select(2, server:get "/memory"))) < memory + 1000)
  end)

  it("reloads under load lose no request, and the old worker ends", function()
    local descriptors
    local leaving = {}
    for i = 1, 8 do
      local old = server:worker()
      local answers = server:at_once(times(20, "/slow"), function() server:signal "HUP" end)
      local answered = http.now()
      assert.equal(20, count_of(answers, "USD"))
      assert(nginx.wait_until(function() return not nginx.alive(old) end), "the old worker stays")
      leaving[i] = http.now() - answered
      assert.is_true(leaving[i] < 5)
      local now, threads = server:holds(server:master())
      descriptors = descriptors or now
      assert.is_true(now <= descriptors + 2, descriptors .. " -> " .. now)
      assert.is_true(threads <= 2)
    end
    table.sort(leaving) -- a busy machine may hold up one of them
    assert.is_true(leaving[4] < 1, ("they leave %.2f s after the last answer"):format(leaving[4]))
  end)

  it("a worker that is killed is replaced, and the new one works", function()
    local old = server:worker()
    server:signal("KILL", old)
    assert(nginx.wait_until(function()
      local ok, status, body = pcall(server.get, server, "/content")
      return ok and status == 200 and body == "USD"
    end))
    assert.not_equal(old, server:worker())
  end)

  it("works with lua_code_cache off, also with many calls at once", function()
    local uncached = nginx.start { http = "lua_code_cache off;", init = setup(sandbox), locations = LOCATIONS }
    finally(function() uncached:stop() end)
    assert.equal(20, count_of(uncached:at_once(times(20, "/slow")), "USD"))
    assert.same({ 200, "USD" }, { uncached:get "/timer" })
    for line in uncached:log():gmatch "[^\n]+" do
      local bad = (line:find "%[alert%]" or line:find "%[error%]") and not line:find "lua_code_cache is off"
      assert.is_falsy(bad, line)
    end
  end)

  it("leaves no alert in the error log", function()
    local log = server:log():gsub("[^\n]*worker process %d+ exited on signal 9[^\n]*", "")
    assert.is_nil(log:match "[^\n]*%[alert%][^\n]*")
    assert.is_nil(log:match "[^\n]*dispatcher[^\n]*")
  end)
end)
