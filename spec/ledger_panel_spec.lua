-- Orders with a ref over real HTTP, by the panel's own count.
local memory_store = require "spec.support.memory_store"
local process = require "spec.support.process"
local redis_server = require "spec.support.redis"
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"
local system = require "spec.support.system"

local sandbox, server, directory, n = nil, nil, nil, 0

local LEDGERS = {
  sqlite = function(name) return smmpanel.ledger.sqlite(directory .. "/" .. name .. ".db") end,
  redis = function(name) return smmpanel.ledger.redis(server:connect(1), { prefix = name .. ":" }) end,
}

setup(function()
  sandbox, server = sandboxes.start { balance = "1000000" }, redis_server.start()
  directory = system.directory()
end)

teardown(function()
  sandbox.stop()
  server:stop()
  os.execute("rm -rf " .. directory)
end)

local function order(name, more)
  local made = { service = 1, link = "https://example.com/" .. name, quantity = 100 }
  for key, value in pairs(more or {}) do made[key] = value end
  return made
end

for kind, new in pairs(LEDGERS) do
  describe("panel:add with a ref and a ledger in " .. kind, function()
    local name, ledger
    before_each(function()
      n = n + 1
      name = kind .. n
      ledger = new(name)
    end)

    local function panel(fault, more)
      local options = { ledger = ledger, name = name, timeout = 2 }
      for key, value in pairs(more or {}) do options[key] = value end
      return sandbox.panel(fault, options)
    end

    local function made() return sandbox.counts(name).made end

    it("places one order for one ref", function()
      local first = assert(panel():add(order(name), { ref = "a" }))
      local second = assert(panel("500"):add(order(name), { ref = "a" }))
      assert.same(first, second)
      assert.equal(1, made())
      assert.equal(1, sandbox.counts(name).requests)
      assert.same({}, panel():pending())
    end)

    it("returns money as the panel wrote it, whatever the first call requested", function()
      local function add(ref, body, decimals)
        local panel_here = smmpanel.new { url = "https://panel.example/api/v2", key = "k", ledger = ledger,
          transport = function() return { status = 200, body = body } end }
        return assert(panel_here:add(order(name), { ref = ref, decimals = decimals }))
      end
      assert.same({ order = 7, charge = 0.9 }, add("a", '{"order":7,"charge":"0.90"}'))
      assert.same({ order = 7, charge = "0.90" }, add("a", "{}", "string"))
      assert.same({ order = 7, charge = 0.9 }, add("a", "{}"))
      assert.same({ order = 8, charge = "0.10000000000000000001" },
        add("b", '{"order":8,"charge":0.10000000000000000001}', "string"))
      assert.same({ order = 8, charge = "0.10000000000000000001" }, add("b", "{}", "string"))
    end)

    it("refuses another order under the same ref, and sends nothing", function()
      assert(panel():add(order(name), { ref = "a" }))
      local again, err = panel():add(order(name, { quantity = 101 }), { ref = "a" })
      assert.is_nil(again)
      assert.same({ "ledger", "mismatch" }, { err.kind, err.code })
      assert.equal(1, sandbox.counts(name).requests)
      assert(panel():add(order(name, { quantity = "100" }), { ref = "a" })) -- the same on the wire
      assert.equal(1, sandbox.counts(name).requests)
    end)

    it("frees the ref when the panel refuses the order", function()
      local _, err = panel():add(order(name, { quantity = 1 }), { ref = "a" })
      assert.equal("bad_quantity", err.code)
      assert.same({}, panel():pending())
      assert(panel():add(order(name), { ref = "a" }))
      assert.equal(1, made())
    end)

    it("frees the ref if nothing can have reached the panel", function()
      local away = smmpanel.new { url = "http://127.0.0.1:1/", key = "k", ledger = ledger, retries = 0 }
      local _, err = away:add(order(name), { ref = "a" })
      assert.equal("connect", err.code)
      assert.same({}, panel():pending())
    end)

    local uncertain = { "lost", "lost-reset", "cut:5", "made,502-html", "made,empty", "latency:5", "late:3" }
    for _, fault in ipairs(uncertain) do
      it("lists a ref as pending if its answer is uncertain: " .. fault, function()
        local _, err = panel(fault, { timeout = 0.5 }):add(order(name), { ref = "a" })
        assert.is_true(err.uncertain)
        assert.equal("a", err.ref)
        local pending = assert(panel():pending())
        assert.equal(1, #pending)
        assert.same({ "a", "uncertain", "https://example.com/" .. name },
          { pending[1].ref, pending[1].state, pending[1].order.link })
        local again
        again, err = panel():add(order(name), { ref = "a" })
        assert.is_nil(again)
        assert.same({ "ledger", "uncertain", true }, { err.kind, err.code, err.uncertain })
        assert.equal(1, sandbox.counts(name).requests)
      end)
    end

    it("continues as it was settled: made", function()
      panel("lost", { timeout = 0.5 }):add(order(name), { ref = "a" })
      local found = sandbox.ask("orders?link=https://example.com/" .. name)
      assert.is_true(panel():resolve("a", found[1].order))
      assert.same({}, panel():pending())
      assert.equal(tonumber(found[1].order), panel():add(order(name), { ref = "a" }).order)
      assert.equal(1, made())
    end)

    it("continues as it was settled: not made", function()
      panel("500", { timeout = 0.5 }):add(order(name), { ref = "a" })
      assert.equal(0, made())
      local _, err = panel():resolve("a", false)
      assert.equal("too_early", err.code)
      assert.is_true(panel():resolve("a", false, { force = true, attempt = 1 }))
      assert(panel():add(order(name), { ref = "a" }))
      assert.equal(1, made())
    end)

    it("sends one request if processes use a ref at once, and all get its answer", function()
      local where = kind == "sqlite" and directory .. "/" .. name .. ".db"
        or ("%d %s:"):format(server.port, name)
      local command = ("%s spec/support/once_worker.lua '%s' %s %s %s"):format(process.lua(),
        sandbox.url_with("jitter:0.2", name), sandbox.key, kind, where)
      local pipes, answers, placed = {}, {}, 0
      for i = 1, 4 do pipes[i] = assert(io.popen(command)) end
      for i, pipe in ipairs(pipes) do
        for line in pipe:lines() do
          answers[i] = (answers[i] or 0) + 1
          if line:find "^order" then placed = placed + 1 end
          assert.truthy(line:find "^order %d+$", line)
        end
        pipe:close()
      end
      assert.same({ 25, 25, 25, 25 }, answers)
      assert.equal(25, made())
      assert.equal(25, sandbox.counts(name).requests)
      assert.equal(100, placed)
    end)
  end)
end

describe("panel:add with a ref", function()
  it("throws without a ledger, and if the ref is wrong", function()
    local panel = sandbox.panel()
    local function thrown(f) return select(2, pcall(f)) end
    local calls = {
      function() panel:add(order "x", { ref = "a" }) end,
      function() panel:pending() end,
      function() panel:resolve("a", 1) end,
    }
    for _, call in ipairs(calls) do assert.truthy(thrown(call):find("refs need a ledger", 1, true)) end
    panel = sandbox.panel("", { ledger = smmpanel.ledger.sqlite(directory .. "/wrong.db") })
    for _, ref in ipairs { "", 5.5, "a\nb", " a", "a ", ("x"):rep(257) } do
      local said = thrown(function() panel:add(order "x", { ref = ref }) end)
      assert.truthy(said:find("ref must be a string of 1 to 256 bytes", 1, true), said)
    end
    local said = thrown(function() panel:add({ service = 1, ref = "a" }) end)
    assert.truthy(said:find("panel:add(order, { ref = 'a' })", 1, true), said)
    assert.truthy(thrown(function() panel:add({ link = "x" }, { ref = "a" }) end):find("no service", 1, true))
    assert.same({}, panel:pending())
  end)

  it("sends nothing if the ledger cannot take the ref", function()
    local away = redis_server.start()
    local ledgers = {
      smmpanel.ledger.sqlite(directory .. "/no/such/directory.db"),
      smmpanel.ledger.redis(away:connect(0.2)),
    }
    away:stop()
    for _, ledger in ipairs(ledgers) do
      local made, err = sandbox.panel("", { ledger = ledger, name = "untaken" }):add(order "u", { ref = "a" })
      assert.is_nil(made)
      assert.same({ "ledger", "unavailable" }, { err.kind, err.code })
      assert.truthy(tostring(err):find("nothing was sent", 1, true))
    end
    assert.equal(0, sandbox.counts("untaken").requests)
  end)

  it("writes the key to no ledger and no error of one", function()
    local path = directory .. "/key.db"
    local panel = sandbox.panel("lost", { ledger = smmpanel.ledger.sqlite(path), timeout = 0.5 })
    local _, err = panel:add(order "key", { ref = "a" })
    assert.is_nil(tostring(err):find(sandbox.key, 1, true))
    for _, suffix in ipairs { "", "-wal" } do
      local file = assert(io.open(path .. suffix, "rb"))
      assert.is_nil(file:read("*a"):find(sandbox.key, 1, true))
      file:close()
    end
  end)

  it("accepts an integer as a ref, as its text", function()
    local panel = sandbox.panel("", { ledger = smmpanel.ledger.sqlite(directory .. "/integer.db"), name = "integer" })
    local first = assert(panel:add(order "i", { ref = 5 }))
    assert.same(first, panel:add(order "i", { ref = "5" }))
    assert.equal(1, sandbox.counts("integer").made)
  end)

  it("is stored when Redis comes back a second later", function()
    local gone = redis_server.start()
    local ledger = smmpanel.ledger.redis(gone:connect(0.3))
    local panel, made, err = sandbox.panel("latency:0.5", { ledger = ledger, name = "gone" }), nil, nil
    assert(sandbox.panel():balance()) -- the first connection is there, and no other request waits for it
    smmpanel.all {
      function() made, err = panel:add(order "gone", { ref = "a" }) end,
      function()
        sandbox.panel("latency:0.2"):balance()
        gone:kill()
        sandbox.panel("latency:1"):balance()
        gone:start()
      end,
    }
    assert.is_nil(err)
    assert.equal(1, sandbox.counts("gone").made)
    assert.equal(sandbox.ask("orders?link=https://example.com/gone")[1].order, tostring(made.order))
    assert.same(made, panel:add(order "gone", { ref = "a" }))
    gone:stop()
  end)

  it("reports an order only after it was stored", function()
    local ledger = smmpanel.ledger.sqlite(directory .. "/events.db")
    local heard
    local panel = sandbox.panel("", { ledger = ledger, name = "events", on_event = function()
      heard = #ledger.connection:rows("SELECT 1 FROM smmpanel_orders WHERE state = 'made'", {}, { "one" })
    end })
    assert(panel:add(order "e", { ref = "a" }))
    assert.equal(1, heard)
  end)

  it("sends nothing if the panel is closed while the ledger takes the ref", function()
    local in_process = smmpanel.sandbox { key = sandbox.key }
    for _, transport in ipairs { in_process, false } do
      local ledger, panel = memory_store.new(), nil
      local take = ledger.take
      function ledger.take(...)
        panel:close()
        return take(...)
      end
      local function new()
        return smmpanel.new { url = sandbox.url_with("", "closed"), key = sandbox.key, ledger = ledger,
          transport = transport or nil }
      end
      panel = new()
      local _, err = panel:add(order "closed", { ref = "a" })
      assert.same({ "cancelled", "closed", 0 }, { err.kind, err.code, err.attempts })
      assert.equal("new", new():lookup("a").state)
    end
    assert.equal(0, in_process:stats().requests)
    assert.equal(0, sandbox.counts("closed").requests)
  end)

  it("is refused under another key of the panel, until the key is adopted", function()
    local ledger = smmpanel.ledger.sqlite(directory .. "/keys.db")
    local function panel(key, account)
      return smmpanel.new { url = sandbox.url_with("", "keys"), key = key, ledger = ledger, account = account }
    end
    local made = assert(panel(sandbox.key):add(order "k", { ref = "a" }))
    local _, err = panel("another-key"):add(order "k", { ref = "a" })
    assert.same({ "ledger", "other_account" }, { err.kind, err.code })
    _, err = panel(sandbox.key, "shop"):add(order "k", { ref = "a" })
    assert.equal("other_account", err.code)
    assert.equal(1, panel("another-key"):adopt_account())
    assert.same(made, panel("another-key"):add(order "k", { ref = "a" }))
    assert.equal(1, sandbox.counts("keys").requests)
  end)
end)
