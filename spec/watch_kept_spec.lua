-- panel:watch with a name: orders stored in the ledger.
local raw = require "spec.support.raw"
local sandbox_support = require "spec.support.sandbox"
local smmpanel = require "smmpanel"
local system = require "spec.support.system"

describe("panel:watch with a name", function()
  local sandbox, directory, n = nil, nil, 0
  setup(function() sandbox, directory = sandbox_support.start { tls = false }, system.directory() end)
  teardown(function()
    sandbox.stop()
    os.execute("rm -rf " .. directory)
  end)

  local path
  before_each(function()
    n = n + 1
    path = directory .. "/" .. n .. ".db"
  end)

  local function panel(more)
    local given = more or {}
    given.ledger = smmpanel.ledger.sqlite(path)
    return sandbox.panel("", given)
  end

  local function notes()
    local list = {}
    return list, function(id, record, previous)
      list[#list + 1] = ("%s %s after %s"):format(id, record.status or record.code,
        tostring(previous and previous.status))
    end
  end

  it("continues after a restart from the last records, and reports nothing twice", function()
    local first, on_first = notes()
    local _, err = panel():watch({ 1, 100 }, { name = "mine", interval = 0.05, timeout = 2, on_change = on_first })
    assert.equal("timeout", err.code)
    table.sort(first)
    assert.same({ "1 Partial after nil", "100 In progress after nil" }, first)
    local again, on_again = notes()
    local last
    last, err = panel():watch(nil, { name = "mine", interval = 0.05, timeout = 2, on_change = on_again })
    assert.same({ {}, {} }, { again, last })
    assert.equal("timeout", err.code)
  end)

  it("reports a final state once, even if the program starts again with the same ids", function()
    local seen, on_change = notes()
    for _ = 1, 3 do
      panel():watch({ 1, 700001 }, { name = "mine", interval = 0.05, timeout = 3, on_change = on_change })
    end
    table.sort(seen)
    assert.same({ "1 Partial after nil", "700001 bad_order after nil" }, seen)
  end)

  it("sees no change if another process uses another form of money", function()
    local charge, seen = '"0.90"', {}
    local function watch(decimals)
      local one = smmpanel.new { url = "https://panel.example/api/v2", key = "k", decimals = decimals,
        ledger = smmpanel.ledger.sqlite(path),
        transport = function()
          return { status = 200, body = ('{"status":"In progress","charge":%s}'):format(charge) }
        end }
      one:watch({ 5 }, { name = "mine", interval = 0.05, timeout = 0.2, on_change = function(_, record, before)
        seen[#seen + 1] = { record.charge, before and before.charge }
      end })
    end
    watch "number"
    watch "string"
    charge = '"1.10"'
    watch "number"
    watch "string"
    assert.same({ { 0.9 }, { 1.1, 0.9 } }, seen)
  end)

  it("is a separate set for another panel or account", function()
    local seen = {}
    local function watch(which, more)
      local _, err = panel(more):watch({ 9 }, { name = "mine", interval = 0.05, timeout = 3,
        on_change = function(id) seen[#seen + 1] = which .. " " .. id end })
      return err
    end
    assert.is_nil(watch "first")
    local other = sandbox_support.start { tls = false }
    local there = smmpanel.new { url = other.url, key = other.key, ledger = smmpanel.ledger.sqlite(path) }
    there:watch({ 9 }, { name = "mine", interval = 0.05, timeout = 3,
      on_change = function(id) seen[#seen + 1] = "second " .. id end })
    other.stop()
    assert.same({ "first 9", "second 9" }, seen)
    local err = watch("other key", { key = sandbox.keys.second })
    assert.same({ "ledger", "other_account" }, { err.kind, err.code })
    assert.equal(2, #seen)
  end)

  it("lets others write to the ledger while it adds very many orders", function()
    local ids, watcher, buyer, is_placed = {}, panel(), panel(), false
    for i = 1, 20000 do ids[i] = 1000000 + i end
    local function count()
      local query = "sqlite3 %s 'SELECT COUNT(*) FROM smmpanel_watched' 2>/dev/null"
      return tonumber(system.output(query:format(path))) or 0
    end
    local seen
    smmpanel.all {
      function() watcher:watch(ids, { name = "mine", timeout = 0.001 }) end,
      function()
        is_placed = buyer:add({ service = 1, link = "https://example.com/between", quantity = 100 }, { ref = "r" })
        seen = count()
      end,
    }
    assert.truthy(is_placed)
    assert.is_true(seen < 20000, tostring(seen))
    assert.equal(20000, count())
  end)

  it("ends when all are final, and the next time at once", function()
    local seen, on_change = notes()
    assert.same({ {} }, { panel():watch({ 1, "700001" }, { name = "mine", interval = 0.05, on_change = on_change }) })
    assert.equal(2, #seen)
    assert.same({ {} }, { panel { name = "idle" }:watch(nil, { name = "mine" }) })
    assert.equal(0, sandbox.counts("idle").requests)
  end)

  it("reports again what it was reporting when on_change threw", function()
    assert.has_error(function()
      panel():watch({ 1 }, { name = "mine", interval = 0.05, on_change = function() error("thrown", 0) end })
    end, "thrown")
    local seen, on_change = notes()
    panel():watch(nil, { name = "mine", interval = 0.05, timeout = 2, on_change = on_change })
    assert.same({ "1 Partial after nil" }, seen)
  end)

  it("releases everything it had claimed when on_change threw, reported or not", function()
    local told = {}
    assert.has_error(function()
      panel():watch({ 1, 2, 3, 4 }, { name = "mine", interval = 0.05, on_change = function(id)
        if #told == 2 then error("thrown", 0) end
        told[#told + 1] = id
      end })
    end, "thrown")
    panel():watch(nil, { name = "mine", interval = 0.05, timeout = 1,
      on_change = function(id) told[#told + 1] = id end })
    table.sort(told)
    assert.same({ 1, 2, 3, 4 }, told)
  end)

  it("reports why polls fail, as an event and in its error", function()
    local failed = {}
    local broken = sandbox.panel("503", { retries = 0, on_event = function(event)
      if event.type == "poll_failed" then failed[#failed + 1] = event end
    end })
    local _, err = broken:watch({ 1, 2 }, { interval = 0.1, timeout = 1.5 })
    assert.equal("timeout", err.code)
    assert.truthy(err.message:find("the last poll failed: ", 1, true), err.message)
    assert.equal(503, err.cause.http_status)
    assert.is_true(#failed >= 2)
    assert.same({ "status", 2, 503 }, { failed[1].action, failed[1].ids, failed[1].err.http_status })
  end)

  -- The last request, which had no answer yet, hid why the earlier polls failed.
  it("reports no failed poll if its own deadline cut the last one short", function()
    local server, failed = raw.start(), {}
    finally(server.stop)
    local url = server.url { raw.answer("", "", "503 Service Unavailable"), raw.WAIT }
    local broken = smmpanel.new { url = url, key = "key", retries = 0, on_event = function(event)
      if event.type == "poll_failed" then failed[#failed + 1] = event.err.http_status end
    end }
    local _, err = broken:watch({ 1, 2 }, { interval = 0.1, timeout = 2 })
    assert.equal("timeout", err.code)
    assert.equal(503, err.cause.http_status, tostring(err))
    assert.same({ 503 }, failed)
  end)

  it("waits for orders that others add", function()
    local seen, on_change = notes()
    local watcher = panel()
    local _, errs = smmpanel.all {
      watch = function()
        return watcher:watch(nil, { name = "mine", interval = 0.05, timeout = 2, wait_for_more = true,
          on_change = on_change })
      end,
      add = function() panel():watch({ 1 }, { name = "mine", timeout = 0.001 }) end,
    }
    assert.equal("timeout", errs.watch.code)
    assert.same({ "1 Partial after nil" }, seen)
  end)

  it("explains what is missing", function()
    local function says(words, ...)
      local ok, message = pcall(...)
      assert.is_false(ok)
      assert.is_truthy(message:find(words, 1, true), message)
    end
    local without = sandbox.panel ""
    says("refs need a ledger", without.watch, without, { 1 }, { name = "mine" })
    says("wait_for_more needs a name", without.watch, without, { 1 }, { wait_for_more = true })
    says("panel:watch: an id must be", without.watch, without, nil, {})
    local own = require("spec.support.memory_store").new()
    local with_own = sandbox.panel("", { ledger = own })
    says("cannot store watched orders", with_own.watch, with_own, { 1 }, { name = "mine" })
  end)

  it("explains what is wrong with the file, and sends nothing", function()
    path = directory .. "/no/such/directory.db"
    local _, err = panel { name = "nowhere" }:watch({ 1 }, { name = "mine" })
    assert.equal("ledger", err.kind)
    assert.is_truthy(err.message:find(path, 1, true), err.message)
    assert.equal(0, sandbox.counts("nowhere").requests)
  end)
end)
