-- panel:services { cache = …, max_age = … }: the catalogue in a file, over real HTTP; the server counts.
local catalog = require "smmpanel.catalog"
local sandboxes = require "spec.support.sandbox"
local system = require "spec.support.system"

describe("panel:services with a cache", function()
  local sandbox, path
  setup(function() sandbox = sandboxes.start() end)
  teardown(function() sandbox.stop() end)
  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  local function asked(name) return sandbox.counts(name).requests end

  -- As if it had been saved some time ago.
  local function age_by(seconds)
    local function earlier(at) return ('"saved":%.0f'):format(at - seconds) end
    system.write(path, (system.read(path):gsub('"saved":(%d+)', earlier)))
  end

  it("requests the services once, and returns exactly the same list", function()
    for _, decimals in ipairs { "number", "string" } do
      local panel = sandbox.panel("", { name = "once-" .. decimals, decimals = decimals })
      local first = assert(panel:services { cache = path })
      assert.same(first, assert(panel:services { cache = path }))
      assert.same(first, assert(panel:services()))
      assert.equal(2, asked("once-" .. decimals))
    end
  end)

  it("requests them again if the file is too old, or from the future", function()
    local panel = sandbox.panel("", { name = "old" })
    assert(panel:services { cache = path, max_age = 900 })
    age_by(800)
    assert(panel:services { cache = path, max_age = 900 })
    assert.equal(1, asked "old")
    age_by(200)
    assert(panel:services { cache = path, max_age = 900 })
    assert.equal(2, asked "old")
    age_by(-5000)
    assert(panel:services { cache = path })
    assert.equal(3, asked "old")
    assert(panel:services { cache = path, max_age = 0 })
    assert.equal(4, asked "old")
  end)

  it("reads no file of another panel, a damaged one, or one without the panel's digits", function()
    local panel = sandbox.panel("", { name = "mine" })
    assert(sandbox.panel("", { name = "other" }):services { cache = path })
    assert(panel:services { cache = path })
    assert.equal(1, asked "mine")
    local file = assert(io.open(path, "a"))
    file:write "}"
    file:close()
    assert(panel:services { cache = path })
    assert.equal(2, asked "mine")
    assert.equal("0.90", assert(panel:services { cache = path, decimals = "string" })[1].rate)
    assert.equal(3, asked "mine")
  end)

  it("reads no file of another account, and writes no part of the URL", function()
    assert(sandbox.panel("", { name = "token-in-url" }):services { cache = path })
    local second = sandbox.panel("", { name = "second", key = sandbox.keys.second })
    assert(second:services { cache = path })
    assert(second:services { cache = path })
    assert.equal(1, asked "second")
    assert(sandbox.panel("", { name = "token-in-url" }):services { cache = path })
    local text = system.read(path)
    for _, part in ipairs { "token-in-url", "127.0.0.1", "api/v2", sandbox.key } do
      assert.is_nil(text:find(part, 1, true), part)
    end
  end)

  it("protects the file from other users", function()
    os.remove(path)
    assert(sandbox.panel(""):services { cache = path })
    assert.equal("600", system.line("stat -c %a " .. path))
  end)

  it("removes the leftovers of killed saves, and nothing else", function()
    local function exists(suffix)
      local file = io.open(path .. suffix)
      return file ~= nil and file:close() ~= nil
    end
    local gone = system.line "sh -c 'echo $$'" -- a process that is gone when its pipe is closed
    local mine = ("%d"):format(require("smmpanel.core").pid())
    local left = { "." .. gone .. ".123.new", "." .. mine .. ".124.new" } -- the second is two hours old
    local others = { "." .. mine .. ".125.new", ".new", ".1.new", "." .. gone .. ".new", "." .. gone .. ".12.new.bak",
      "x." .. gone .. ".12.new" }
    for _, list in ipairs { left, others } do
      for _, suffix in ipairs(list) do assert(io.open(path .. suffix, "w")):close() end
    end
    os.execute(("touch -d '2 hours ago' %s%s"):format(path, left[2]))
    assert(catalog.new({ { service = 1, rate = "0.90" } }):save(path))
    for _, suffix in ipairs(left) do assert.is_false(exists(suffix), suffix) end
    for _, suffix in ipairs(others) do
      assert.is_true(exists(suffix), suffix)
      os.remove(path .. suffix)
    end
  end)

  it("returns the list even if it cannot be saved, and reports that", function()
    local list, err = sandbox.panel(""):services { cache = "/nonexistent/directory/file" }
    assert.equal("Followers", catalog(list):find(1).name)
    assert.equal("cache", err.kind)
    assert.matches("could not be saved", tostring(err))
  end)

  it("keeps the old file if the panel fails", function()
    assert(sandbox.panel(""):services { cache = path })
    local list, err = sandbox.panel("500-empty", { retries = 0 }):services { cache = path, max_age = 0 }
    assert.is_nil(list)
    assert.equal("http", err.kind)
    assert.truthy(catalog.load(path))
  end)

  it("explains what is wrong with the options", function()
    local panel = sandbox.panel ""
    local function refused(given, why)
      assert.error_matches(function() panel:services(given) end, "panel:services: " .. why, 1, true)
    end
    refused({ max_age = 5 }, "max_age needs the option cache")
    refused({ cache = "" }, "cache must be a string")
  end)

  it("is used with smmpanel.catalog", function()
    local smmpanel = require "smmpanel"
    assert.equal("Followers", smmpanel.catalog(assert(sandbox.panel(""):services())):find(1).name)
  end)

  -- LuaJIT hashes few bytes of a string: rows that begin and end alike, as strings, took minutes here, and all of nginx
  -- waited. Processor time, so that a busy machine does not count.
  it("is written in a moment, however alike the rows are", function()
    local list = {}
    for i = 1, 40000 do
      list[i] = { service = i, name = "Instagram Followers no " .. i, type = "Default", category = "Followers",
        rate = "0.90", min = 50, max = 10000, refill = true, cancel = true }
    end
    local begun = os.clock()
    assert(catalog.new(list):save(path))
    local seconds = os.clock() - begun
    assert.is_true(seconds < 15, seconds .. " s") -- 0.4 s
  end)

  it("refuses a file with more values than the limit, and names it", function()
    local row = '{"service":1' .. (',"a":1'):rep(9) .. "}"
    system.write(path, '{"smmpanel":1,"decimals":"string","saved":1,"owner":"","services":[', row,
      ("," .. row):rep(310000), "]}")
    local list, problem = catalog.load(path)
    assert.is_nil(list)
    assert.equal(path .. ": more values than max_body allows", problem)
  end)
end)
