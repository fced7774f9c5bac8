-- The key is in the request's body and nowhere else.
local sandboxes = require "spec.support.sandbox"
local smmpanel = require "smmpanel"

local KEY = "S3CRET-key/odd=chars"

describe("the key", function()
  local sandbox
  setup(function() sandbox = sandboxes.start { key = KEY } end)
  teardown(function() sandbox.stop() end)

  local function texts_of(value, seen, out)
    if type(value) == "string" then
      out[#out + 1] = value
    elseif type(value) == "table" and not seen[value] then
      seen[value] = true
      for key, item in pairs(value) do
        texts_of(key, seen, out)
        texts_of(item, seen, out)
      end
      texts_of(getmetatable(value), seen, out)
    end
    out[#out + 1] = tostring(value)
    return out
  end

  local function assert_clean(value)
    for _, text in ipairs(texts_of(value, {}, {})) do
      assert.is_nil(text:find("S3CRET", 1, true), "the key is in: " .. text)
    end
  end

  it("is in no error, event, record or tostring", function()
    local events = {}
    local faults = { "", "500", "502-html", "html", "lost", "cut:5", "null", "empty", "redirect", "429:1",
      "error:Invalid%20API%20key%20S3CRET-key/odd%3Dchars", "latency:2" }
    for _, fault in ipairs(faults) do
      local panel = sandbox.panel(fault, { retries = 1, timeout = 0.5, on_event = function(event)
        events[#events + 1] = event
      end })
      assert_clean(panel)
      for _, action in ipairs { "balance", "services" } do
        local value, err = panel[action](panel)
        assert_clean(value)
        assert_clean(err)
      end
      local made, err = panel:add { service = 1, link = "https://example.com/", quantity = 50 }
      assert_clean(made)
      assert_clean(err)
      local many, first = panel:status { 1, 2, 3 }
      assert_clean(many)
      assert_clean(first)
      panel:close()
      assert_clean(panel)
    end
    assert.is_true(#events > 20)
    assert_clean(events)
  end)

  it("is in no message of a wrong argument", function()
    for _, options in ipairs {
      { url = "ftp://x/", key = KEY }, { url = sandbox.url, key = KEY .. "\n" },
      { url = sandbox.url, key = { KEY } },
      { url = sandbox.url, key = KEY, timeot = 1 },
    } do
      local ok, message = pcall(smmpanel.new, options)
      assert.is_false(ok)
      assert_clean(message)
    end
  end)

  it("is in neither the URL nor a header, as the server saw it", function()
    assert(sandbox.panel(""):balance())
    local counts = sandbox.counts()
    assert.equal(0, counts.key_elsewhere)
  end)
end)
