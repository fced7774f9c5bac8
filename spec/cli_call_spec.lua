-- `smmpanel call` against the sandbox: a known read is sent at once, every other action after confirmation or with
-- --yes.
local cjson = require "cjson"
local cli_sandbox = require "spec.support.cli_sandbox"
local smmpanel = require "smmpanel"

local ADD = "add service=1 link=https://example.com/c quantity=100"

describe("smmpanel call", function()
  local sandbox, home = cli_sandbox.one_home()

  -- Runs a line. Without an expected code it must succeed and write nothing to stderr.
  local function run(line, code, name)
    local out, err = home:expect("smmpanel call " .. line, code, { name = name })
    if not code then assert.equal("", err) end
    return out, err
  end

  it("sends an action and prints the answer", function()
    assert.equal("USD", cjson.decode((run "balance")).currency)
    local status = run "status order=1 --lua"
    assert.equal("Partial", assert((loadstring or load)(status))().status)
    assert.equal("number", type(cjson.decode((run(ADD .. " --yes"))).order))
    local _, err = run("nonsense -y", 3)
    assert.matches("^smmpanel: nonsense: Incorrect request %(panel, bad_request", err)
    _, err = run("balance key=x", 2)
    assert.matches("the field 'key' is reserved", err)
  end)

  it("needs --yes without a terminal for everything that is not a known read", function()
    for _, line in ipairs { ADD, "cancel orders=1", "refill order=1", "Balance", "'balance '", "orders limit=10",
      "status_all", "__index" } do
      local out, err = run(line, 2, "unasked")
      assert.equal("", out)
      local action = line:match "^'(.*)'$" or line:match "^%S+"
      assert.truthy(err:find(("not a terminal: pass --yes to send '%s'"):format(action), 1, true), err)
    end
    assert.equal(0, sandbox.counts "unasked".requests)
    for _, line in ipairs { "services", "status orders=1,2", "refill_status refill=1", "balance" } do
      home:expect("smmpanel call " .. line .. " >/dev/null; true", 0, { name = "reads" })
    end
    assert.equal(4, sandbox.counts "reads".requests)
  end)

  it("shows the action and its fields, and asks, on a terminal", function()
    local terminal = home:terminal { columns = 90, name = "asked" }
    finally(function() terminal:close() end)
    terminal:type("smmpanel call " .. ADD .. " comments=one comments=two; echo code $?")
    local screen = terminal:wait "Send this action%? %[y/N%] ?$"
    assert.matches("  action    add\n  comments  one, and 1 more\n  link      https://example.com/c\n"
      .. "  quantity  100\n  service   1\n", screen)
    terminal:type "n"
    terminal:wait "nothing was sent\n?.*code 1"
    assert.equal(0, sandbox.sent("asked", "add"))
    terminal:type("clear; smmpanel call " .. ADD .. "; echo code $?")
    terminal:wait "Send this action%? %[y/N%] ?$"
    terminal:type "y"
    terminal:wait '"order":.*code 0'
    assert.equal(1, sandbox.sent("asked", "add"))
    terminal:type "clear; smmpanel call balance; echo code $?"
    terminal:wait '"USD".*code 0'
  end)
end)

describe("smmpanel.is_read", function()
  it("is true for exactly the four reads of the API, and false for everything else", function()
    for _, action in ipairs { "services", "status", "refill_status", "balance" } do
      assert.is_true(smmpanel.is_read(action), action)
    end
    for _, action in ipairs { "add", "refill", "cancel", "Status", "status ", "orders", "", "__index", 1, false } do
      assert.is_false(smmpanel.is_read(action), tostring(action))
    end
    assert.is_false(smmpanel.is_read(nil))
  end)
end)
