-- Wrong arguments to the C half throw and leave nothing in flight. The Lua half checks before it, but a mistake there
-- must not become a wrong request.
local core = require "smmpanel.core"

local function client(more)
  local options = { url = "http://127.0.0.1:1/", key = "S3CRET", max_body = 1e6, connect_timeout = 5, user_agent = "x" }
  for name, value in pairs(more or {}) do options[name] = value end
  return core.client(options)
end

describe("the core", function()
  local function throws(words, f, ...)
    local ok, why = pcall(f, ...)
    assert.is_false(ok)
    assert.truthy(tostring(why):find(words, 1, true), tostring(why))
    assert.is_nil(tostring(why):find("S3CRET", 1, true))
    assert.equal(0, core.in_flight())
  end

  it("requires a client's numbers as numbers, its texts as strings", function()
    throws("max_body must be a number", client, { max_body = "1" })
    throws("connect_timeout must be a number", client, { connect_timeout = false })
    for _, name in ipairs { "url", "user_agent", "proxy", "ca_file", "crl_file" } do
      local request = { action = "balance", deadline = core.now() + 5 }
      throws(name .. " must be a string", core.start, client { [name] = 5 }, request)
    end
    throws("string expected", client, { key = {} })
  end)

  it("requires an action and a timeout", function()
    throws("action must be a string", core.start, client(), { deadline = core.now() + 5 })
    throws("deadline must be a number", core.start, client(), { action = "balance" })
  end)

  it("sends texts, numbers and booleans, and lists of them", function()
    assert.equal("a=1&b=0&c=x%0A2%0A1&d=", core.form { "a", true, "b", false, "c", { "x", 2, true }, "d", {} })
    assert.equal("c=1%2C2", core.form({ "c", { 1, 2 } }, ","))
    throws("a function cannot be sent", core.form, { "a", print })
    throws("a table cannot be sent", core.form, { "a", { {} } })
    throws("no control character", core.form, { "a\0", "b" })
  end)

  it("does not reveal a client's key, and accepts no closed client", function()
    local one = client()
    assert.equal("smmpanel.client (open)", tostring(one))
    one:close()
    one:close()
    assert.equal("smmpanel.client (closed)", tostring(one))
    throws("the panel is closed", core.start, one, { action = "balance", deadline = core.now() + 5 })
  end)

  it("accepts only its own objects", function()
    throws("smmpanel.client", core.start, io.stdout, {})
    throws("smmpanel.client", core.start, {}, {})
    local transfer = core.start(client(), { action = "balance", deadline = core.now() + 5 })
    repeat core.wait(5) until core.step()
    throws("smmpanel.transfer", transfer.cancel, io.stdout)
    throws("smmpanel.transfer", transfer.result, client())
  end)
end)
