-- CR, LF and NUL in any text from a program are refused before anything is made of it, never truncated or sent. Values
-- from users' customers (links, comments) are escaped instead: fuzz/form.c.
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"

local FORBIDDEN = { CR = "\r", LF = "\n", ["CR LF"] = "\r\nX-Injected: yes", NUL = "\0", DEL = "\127" }

local function new(name, value)
  local given = { url = "http://127.0.0.1:1/", key = "key" }
  given[name] = value
  return smmpanel.new(given)
end

-- The options that may be strings, from the type annotations, so that a new one is tested here too.
local function string_options()
  local names, within = {}, false
  for line in io.lines "lua/smmpanel/options.lua" do
    within = within and line:find "^%-%-%-@field" or line:find "^%-%-%-@class smmpanel%.Options$"
    local name, type = line:match "^%-%-%-@field ([%w_]+)%?? (%S+)"
    if within and name and (type:find "string" or type:find '"') then names[#names + 1] = name end
  end
  return names
end

local panel = smmpanel.new { url = "http://127.0.0.1:1/", key = "key" }
local ORDER = { service = 1, link = "https://x.example", quantity = 1 }

-- The other texts that become part of a request, a file's name or a store's key.
local ELSEWHERE = {
  ["a header's name"] = function(text) new("headers", { ["X" .. text] = "a" }) end,
  ["a header's value"] = function(text) new("headers", { ["X-A"] = "a" .. text .. "b" }) end,
  ["a header as a line"] = function(text) new("headers", { "X-A: a" .. text .. "b" }) end,
  ["an action"] = function(text) panel:call("bal" .. text .. "ance") end,
  ["a field's name"] = function(text) panel:call("balance", { ["a" .. text] = 1 }) end,
  ["an order's field's name"] = function(text)
    panel:add { service = 1, link = "x", quantity = 1, ["a" .. text] = 1 }
  end,
  ["an id"] = function(text) panel:status("1" .. text .. "2") end,
  ["an id in a list"] = function(text) panel:status { 1, "2" .. text .. "3" } end,
  ["the ref of an order"] = function(text) panel:add(ORDER, { ref = "a" .. text .. "b" }) end,
  ["the cache of the services"] = function(text) panel:services { cache = "/tmp/a" .. text .. "b" } end,
  ["decimals of a call"] = function(text) panel:balance { decimals = "number" .. text } end,
  ["the path of a ledger"] = function(text) smmpanel.ledger.sqlite("/tmp/a" .. text .. "b") end,
  ["the prefix of a ledger"] = function(text) smmpanel.ledger.redis({}, { prefix = "a" .. text }) end,
  ["the name of a budget"] = function(text) smmpanel.limiter.redis({}, { name = "a" .. text, rate = 1 }) end,
}

describe("a control character", function()
  local names = string_options()

  it("is tested in every option that is a string", function()
    local known = table.concat(names, " ")
    for _, name in ipairs { "url", "key", "proxy", "ca_file", "crl_file", "user_agent", "headers", "decimals",
      "loop" } do
      assert.truthy((" " .. known .. " "):find(" " .. name .. " ", 1, true), name .. " is not among " .. known)
    end
  end)

  for what, text in pairs(FORBIDDEN) do
    for _, name in ipairs(names) do
      it(("(%s) in the option %s is refused, and the key is not told"):format(what, name), function()
        for _, value in ipairs { "http://127.0.0.1:1/S3CRET" .. text, text .. "x", "number" .. text } do
          local ok, message = pcall(new, name, value)
          assert.is_false(ok)
          assert.truthy(tostring(message):find(name, 1, true), tostring(message))
          if name == "key" then assert.is_nil(tostring(message):find("S3CRET", 1, true)) end
        end
      end)
    end
    for where, use in pairs(ELSEWHERE) do
      it(("(%s) in %s is refused"):format(what, where), function()
        local ok, message = pcall(use, text)
        assert.is_false(ok)
        assert.is_nil(tostring(message):find("X-Injected: yes\n", 1, true))
      end)
    end
  end

  it("in a value is escaped, so that it adds no field and does not end the request", function()
    local core = require "smmpanel.core"
    assert.equal("link=a%0D%0A%00%26key%3Dmine", core.form { "link", "a\r\n\0&key=mine" })
    assert.has_error(function() core.form { "li\nnk", "a" } end)
    assert.has_error(function() core.form { "", "a" } end)
  end)

  it("in a panel's text does not make two lines of an error", function()
    local server = raw.start()
    local _, err = smmpanel.new { url = server.url { raw.answer '{"error":"no\\r\\nroot: owned\\u0000\\u001b[2J"}' },
      key = "key", retries = 0 }:balance()
    server.stop()
    assert.is_nil(tostring(err):find "%c")
    assert.truthy(tostring(err):find "root: owned")
    assert.equal("no root: owned [2J", err.message)
  end)

  it("in a panel's text reaches no error's message, which has at most 1,000 bytes", function()
    local server = raw.start()
    local nasty = ("x\\n\\u001b[2J\\u009b\\u202e"):rep(300)
    for _, form in ipairs { '{"error":"%s"}', '{"errors":["%s"]}', '"%s"', '{"%s":1}', '{"balance":"%s"}', "%s" } do
      local asked = smmpanel.new { url = server.url { raw.answer(form:format(nasty)) }, key = "key", retries = 0 }
      local messages = { (select(2, asked:balance()) or {}).message, (select(2, asked:status(1)) or {}).message }
      for _, record in pairs(asked:status { 1, 2 } or {}) do messages[#messages + 1] = record.error end
      assert.is_true(#messages > 0, form)
      for _, message in ipairs(messages) do
        assert.is_true(#message <= 1000, form)
        assert.is_nil(message:find "%c" or message:find "\194\155" or message:find "\226\128\174", form)
      end
    end
    server.stop()
  end)
end)
