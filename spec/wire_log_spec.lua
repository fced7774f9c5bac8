-- The wire log: what `record` writes, what `smmpanel.replay` answers from it, and that it never has the key.
local core = require "smmpanel.core"
local json = require "smmpanel.util.json"
local smmpanel = require "smmpanel"
local support = require "spec.support.sandbox"
local system = require "spec.support.system"

local KEY = "S3CRET/key +ü\"0123456789"
local ORDER = { service = 1, link = "https://example.com/p/1", quantity = 1000 }

local function temporary()
  local path = os.tmpname()
  os.remove(path)
  return path
end

local read = system.read

local function lines_of(path)
  local lines = {}
  for line in read(path):gmatch "[^\n]+" do lines[#lines + 1] = json.decode(line) end
  return lines
end

-- Returns the outcome of a call without what differs between runs.
local function outcome_of(panel, action, ...)
  local value, err = panel[action](panel, ...)
  local seen = { value = value }
  for _, entry in pairs(type(value) == "table" and value or {}) do
    if type(entry) == "table" then entry.cause = nil end -- the error below
  end
  for _, name in ipairs { "kind", "code", "http_status", "uncertain", "retry_after" } do
    seen[name] = err and err[name]
  end
  -- libcurl's sentences count milliseconds and bytes
  seen.message = err and err.kind ~= "network" and err.kind ~= "timeout" and err.message or nil
  return seen
end

-- The requests to the sandbox: each of its faults and shapes, with small waits and sizes.
local SMALL = {
  latency = "latency:0.01", jitter = "jitter:0.01", late = "late:0.01", trickle = "trickle:1000000", drip = "drip:0.05",
  huge = "huge:400000", ["huge-string"] = "huge-string:400000", ["huge-list"] = "huge-list:400000",
  bomb = "bomb:400000", ["bomb-nested"] = "bomb-nested:400000", deep = "deep:300",
  ["deep-objects"] = "deep-objects:300", CODE = "500", ["CODE-html"] = "503-html", ["CODE-empty"] = "502-empty",
  status = "status:201", set = "set:remains=1.5",
  drop = "drop:charge", rename = "rename:charge=cost", id = "id:abc", state = "state:Done", language = "language:tr",
  error = "error:Not%20enough%20funds", body = "body:%257B%257D", ["429"] = "429:7", ["429-date"] = "429-date:600",
  ["debug-page"] = "debug-page:3000", ["rate-limit"] = "rate-limit:2/60",
}
local NEVER_ANSWERS = { stall = true, drip = true }

local function all_faults()
  local names = { "" }
  for _, list in ipairs { require "smmpanel.sandbox.faults".list, require "smmpanel.sandbox.shapes".list } do
    for _, entry in ipairs(list) do names[#names + 1] = entry.name:match "^[^:]+" end
  end
  return names
end

local unpack = table.unpack or unpack -- luacheck: ignore 143 113

describe("a recording", function()
  local sandbox, path
  setup(function() sandbox = support.start { key = KEY, keys = {} } end)
  teardown(function() sandbox.stop() end)
  before_each(function() path = temporary() end)
  after_each(function() os.remove(path) end)

  it("has a line for each exchange, in the form of recorded.jsonl", function()
    local panel = sandbox.panel("503-html@1", { name = "recorded", record = path })
    assert(panel:balance())
    local lines = lines_of(path)
    assert.equal(2, #lines)
    assert.same({ "key=K&action=balance", "balance", 1, 503 },
      { lines[1].request, lines[1].action, lines[1].attempt, lines[1].status })
    assert.is_truthy(lines[1].body:find("<title>503 Service Unavailable</title>", 1, true))
    assert.same({ 2, 200, "application/json" }, { lines[2].attempt, lines[2].status, lines[2].content_type })
    assert.equal('{"balance":"100.84292","currency":"USD"}', lines[2].body)
  end)

  it("has the headers that concern the next request", function()
    sandbox.panel("429:7", { record = path, retries = 0 }):balance()
    sandbox.panel("redirect", { record = path }):balance()
    local lines = lines_of(path)
    assert.equal("7", lines[1].retry_after)
    assert.matches("/maintenance$", lines[2].location)
  end)

  it("has a failed transfer with the data that came before", function()
    sandbox.panel("cut:5", { record = path, retries = 0 }):balance()
    sandbox.panel("lost", { record = path, retries = 0 }):balance()
    local lines = lines_of(path)
    assert.same({ "cut", true, '{"bal' }, { lines[1].error.code, lines[1].error.sent, lines[1].body })
    assert.same({ "reset", true }, { lines[2].error.code, lines[2].error.sent })
  end)

  it("stores bytes that are not UTF-8", function()
    sandbox.panel("body:%25FF%25FE", { record = path }):balance()
    assert.equal("//4=", lines_of(path)[1].body_base64)
  end)

  it("is readable only by its owner", function()
    sandbox.panel("", { record = path }):balance()
    assert.equal("600\n", system.output("stat -c %a " .. path))
  end)

  it("can go to a function as tables", function()
    local seen = {}
    sandbox.panel("", { record = function(line) seen[#seen + 1] = line end }):balance()
    assert.same({ "balance", 200 }, { seen[1].action, seen[1].status })
  end)

  it("that cannot be written loses no answer: stderr has the error, once", function()
    local panel = sandbox.panel("", { record = "/nowhere/panel.jsonl" })
    local stderr, said = io.stderr, {}
    io.stderr = { write = function(_, text) said[#said + 1] = text end } -- luacheck: ignore 122
    local ok = panel:balance() and panel:balance()
    io.stderr = stderr -- luacheck: ignore 122
    assert.is_truthy(ok)
    assert.equal(1, #said)
    assert.is_truthy(said[1]:find("/nowhere/panel.jsonl", 1, true))
  end)

  it("of several processes has whole lines", function()
    local line = '"' .. ("x"):rep(200000) .. '"\n'
    local script = ("for i in 1 2 3 4; do %s -e 'local core = require \"smmpanel.core\" for i = 1, 20 do " ..
      "assert(core.append(\"%s\", (%q):rep(200000) .. string.char(10))) end' & done; wait")
    os.execute(script:format(require "spec.support.process".lua(), path, "x"))
    local count = 0
    for text in read(path):gmatch "[^\n]*\n" do
      count = count + 1
      assert.equal(#line - 2, #text)
    end
    assert.equal(80, count)
  end)

  it("goes to no symbolic link and to no device", function()
    local link = temporary()
    os.execute(("touch %s; ln -s %s %s"):format(path, path, link))
    assert.is_nil((core.append(link, "x\n")))
    assert.is_nil((core.append("/dev/null", "x\n")))
    os.remove(link)
  end)

  it("has the key in no encoding", function()
    for _, body in ipairs {
      "key " .. KEY, 'S3CRET\\/key +\\u00fc\\"0123456789', "S3CRET%2Fkey+%2B%C3%BC%220123456789",
      "S3CRET%2fkey%20%2b%c3%bc%220123456789", 'S3CRET/key +ü&quot;0123456789', "cut S3CRET/key",
    } do
      sandbox.panel(support.answering(body), { record = path, retries = 0 }):balance()
    end
    local text = read(path)
    assert.is_nil(text:find("S3CRET", 1, true), text)
    assert.equal(6, select(2, text:gsub("%*%*%*", "")))
  end)

  local CALLS = { { "balance" }, { "services" }, { "status", 1 }, { "status", { 1, 2, 100 } }, { "add", ORDER },
    { "refill", 1 }, { "refill_status", 1 }, { "cancel", { 1, 9 } } }

  -- Returns the outcomes of the calls on a panel.
  local function outcomes(panel, calls)
    local list = {}
    for i, call in ipairs(calls) do
      list[i] = outcome_of(panel, unpack(call))
      list[i].retry_after = nil -- of a date it shrinks by the second
    end
    return list
  end

  it("replays the same outcomes, whatever the panel answered", function()
    for _, name in ipairs(all_faults()) do
      os.remove(path)
      local fault, calls = SMALL[name] or name, NEVER_ANSWERS[name] and { CALLS[1], CALLS[5] } or CALLS
      local live = sandbox.panel(fault, { name = "replay-" .. name, record = path, retries = 0, max_body = 2e5,
        timeout = NEVER_ANSWERS[name] and 0.2 or 20 })
      local before = outcomes(live, calls)
      local again = smmpanel.new { url = sandbox.url, key = "another", retries = 0, max_body = 2e5,
        transport = smmpanel.replay(path) }
      assert.same(before, outcomes(again, calls), fault)
      assert.is_nil(read(path):find("S3CRET", 1, true), fault)
    end
  end)
end)

describe("smmpanel.replay", function()
  local path
  before_each(function() path = temporary() end)
  after_each(function() os.remove(path) end)

  local function write(lines)
    local file = assert(io.open(path, "w"))
    for _, line in ipairs(lines) do file:write(json.encode(line), "\n") end
    file:close()
  end

  local function balance(transport)
    local record, err = smmpanel.new { url = "http://panel.invalid/", key = "any", transport = transport, retries = 0 }
      :balance()
    return record and record.balance or err.code
  end

  local function line(action, body)
    return { request = "key=K&action=" .. action, status = 200, body = body }
  end

  it("answers equal requests one after the other, then repeats the last answer", function()
    write { line("balance", '{"balance":"1"}'), line("services", "[]"), line("balance", '{"balance":"2"}') }
    local transport = smmpanel.replay(path)
    assert.same({ 1, 2, 2 }, { balance(transport), balance(transport), balance(transport) })
  end)

  it("fails as unreachable if the recording has no answer", function()
    write { line("services", "[]") }
    assert.equal("connect", balance(smmpanel.replay(path)))
  end)

  it("returns the lines in order on request", function()
    write { line("services", '{"balance":"7"}'), line("balance", '{"balance":"8"}') }
    local transport = smmpanel.replay(path, { in_order = true })
    assert.same({ 7, 8, "connect" }, { balance(transport), balance(transport), balance(transport) })
  end)

  it("throws if the file cannot be read or has no exchange", function()
    assert.is_false(pcall(smmpanel.replay, "/nowhere/at-all.jsonl"))
    system.write(path, '{"request":"key=K&action=balance","status":200,"body":"{}"}\n{"status":200}\n')
    local ok, message = pcall(smmpanel.replay, path)
    assert.is_false(ok)
    assert.is_truthy(message:find("line 2: no recorded exchange", 1, true))
  end)

  it("answers from the recordings of real panels", function()
    local transport = smmpanel.replay "spec/data/recorded.jsonl"
    assert.is_function(transport)
  end)
end)
