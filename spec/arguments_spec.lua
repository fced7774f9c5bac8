-- A wrong argument throws a message with the function's name, the given value, and the valid ones.
local smmpanel = require "smmpanel"

describe("a wrong argument throws:", function()
  local URL, KEY = "http://127.0.0.1:1/api/v2", "key"
  local function new(more)
    local given = { url = URL, key = KEY }
    for name, value in pairs(more) do given[name] = value end
    return smmpanel.new(given)
  end
  local panel = new {}

  local function says(words, f, ...)
    local ok, message = pcall(f, ...)
    assert.is_false(ok)
    for _, word in ipairs(words) do
      assert.is_truthy(tostring(message):find(word, 1, true), ("%q is not in: %s"):format(word, message))
    end
  end

  it("quantity = {}", function()
    says({ "add", "quantity", "table" }, panel.add, panel, { service = 1, link = "x", quantity = {} })
  end)
  it("an unknown option, with the most similar known one", function()
    says({ "smmpanel.new", "timeot", "timeout" }, new, { timeot = 1 })
    says({ "status", "timeot", "timeout" }, panel.status, panel, 1, { timeot = 1 })
  end)
  it("an ill-typed option", function()
    says({ "timeout", "soon" }, new, { timeout = "soon" })
    says({ "retries" }, new, { retries = -1 })
    says({ "retries" }, new, { retries = 1.5 })
    says({ "decimals", "number", "string" }, new, { decimals = "float" })
    says({ "on_event", "function" }, new, { on_event = 1 })
  end)
  it("an id with a comma, an invalid id, no id", function()
    says({ "status", "comma", "1,2" }, panel.status, panel, "1,2")
    says({ "status", "1.5" }, panel.status, panel, 1.5)
    says({ "cancel" }, panel.cancel, panel, "")
    says({ "refill" }, panel.refill, panel, nil)
    says({ "status" }, panel.status, panel, { 1, "2,3" })
    says({ "status" }, panel.status, panel, { 1, {} })
  end)
  it("a URL with a scheme other than http or https", function()
    says({ "url", "http", "ftp://x/" }, new, { url = "ftp://x/" })
    says({ "url" }, new, { url = "panel.example/api/v2" })
    says({ "url" }, new, { url = "http://" })
    says({ "url" }, new, { url = 5 })
  end)
  it("a line break in an option that becomes a header", function()
    says({ "user_agent" }, new, { user_agent = "a\r\nX: y" })
    says({ "headers" }, new, { headers = { ["X-A"] = "b\nc" } })
    says({ "url" }, new, { url = "http://x/\r\nfoo" })
    says({ "key" }, new, { key = "a\nb" })
    says({ "proxy" }, new, { proxy = "http://p\0q" })
  end)
  it("an order without its service, or without a field that its type requires", function()
    says({ "service" }, panel.add, panel, { link = "x", quantity = 1 })
    says({ "Poll", "answer_number" }, panel.add, panel,
      { service = 1, type = "poll", link = "x", quantity = 1 })
    says({ "type", "5" }, panel.add, panel, { service = 1, type = 5, link = "x" })
    says({ "runss", "did you mean 'runs'" }, panel.add, panel, { service = 1, link = "x", runss = 2 })
    says({ "google_keyword" }, panel.add, panel, { service = 1, type = "Web Traffic", link = "x",
      quantity = 1, country = "US", device = 1, type_of_traffic = 1 })
  end)
  it("a method called with a dot, or after close", function()
    says({ "colon" }, panel.balance)
    says({ "smmpanel.new", "dot" }, smmpanel.new, smmpanel, { url = URL, key = KEY })
    local closed = new {}
    closed:close()
    says({ "closed" }, closed.balance, closed)
  end)
end)
