-- smmpanel.catalog: find, search, cost, price, check, diff, save and load.
local catalog = require "smmpanel.catalog"
local system = require "spec.support.system"

local services = {
  { service = 1, name = "Followers", type = "Default", category = "First", rate = "0.90", min = 50,
    max = 10000, refill = true, cancel = true, dripfeed = true },
  { service = 2, name = "Comments", type = "Custom Comments", category = "First", rate = "8", min = 10,
    max = 1500, refill = false, cancel = false },
  { service = 3, name = "Starter Pack", type = "Package", category = "Packs", rate = "12.5", max = 1 },
  { service = 4, name = "Подписчики ИНСТАГРАМ", type = "default",
    category = "Instagram Türk", rate = 0.08011655652, min = 10, max = 500, step = 10, refill = "30 days" },
  { service = "ord-5", name = "Auto Likes", type = "Subscriptions", rate = "1.1e-5", min = 20,
    max = 5000 },
  { service = 6, name = "Replies", type = "comment_replies", rate = "11", min = 1, max = 500 },
  { service = 7, name = "No price", type = "Default", rate = "on request", min = 1, max = 5 },
  { service = 8, name = "Five comments", type = "Custom Comments Package", rate = "2.2" },
}
local list = catalog(services)

local function ids(found)
  local texts = {}
  for i, service in ipairs(found) do texts[i] = tostring(service.service) end
  return table.concat(texts, " ")
end

describe("catalog:find", function()
  it("accepts an id as a number, as digits, or as text", function()
    assert.equal("Followers", list:find(1).name)
    assert.equal("Followers", list:find("1").name)
    assert.equal("Followers", list:find(1.0).name)
    assert.equal("Auto Likes", list:find("ord-5").name)
    assert.is_nil(list:find(99))
  end)
end)

describe("catalog:search", function()
  it("finds words in any case, in any of the texts", function()
    assert.equal("1", ids(list:search { text = "follow FIRST" }))
    assert.equal("4", ids(list:search { text = "подписчики instagram" }))
    assert.equal("4", ids(list:search { text = "TÜRK" }))
    assert.equal("", ids(list:search { text = "followers packs" }))
    assert.equal("ord-5", ids(list:search { text = "ord-5" }))
  end)

  it("accepts types in any spelling, and categories by words", function()
    assert.equal("1 4 7", ids(list:search { type = "DEFAULT" }))
    assert.equal("6", ids(list:search { type = "Comment Replies" }))
    assert.equal("1 2", ids(list:search { category = "first" }))
  end)

  it("respects a range of prices, bounds included, exactly", function()
    assert.equal("1", ids(list:search { min_rate = "0.9", max_rate = "0.9" }))
    assert.equal("1 2 6 8", ids(list:search { min_rate = 0.9, max_rate = 11 }))
    local close = catalog { { service = 1, rate = "0.10000000000000000001" } }
    assert.equal("", ids(close:search { max_rate = "0.1" }))
  end)

  it("filters by refill, cancellation and quantity", function()
    assert.equal("1 4", ids(list:search { refill = true }))
    assert.equal("1", ids(list:search { cancel = true }))
    assert.equal("1", ids(list:search { dripfeed = true }))
    assert.equal("2 3 ord-5 6 7 8", ids(list:search { refill = false }))
    assert.equal("2 6", ids(list:search { quantity = 10, type = nil, min_rate = 1 }))
  end)

  it("sorts, with invalid prices last, and limits the number", function()
    assert.equal("ord-5 4 1 8 2 6 3 7", ids(list:search { sort = "rate" }))
    assert.equal("3 6 2", ids(list:search { sort = "rate", descending = true, min_rate = 0, limit = 3 }))
    assert.equal("1 2 3 4 6 7 8 ord-5", ids(list:search { sort = "service" }))
  end)

  it("explains a wrong option", function()
    local function refused(wanted, why)
      assert.error_matches(function() list:search(wanted) end, "catalog:search: " .. why, 1, true)
    end
    refused({ txt = "a" }, "unknown option 'txt'; did you mean 'text'?")
    refused({ sort = "price" }, "unknown sort 'price'")
    refused({ max_rate = "a" }, "max_rate must be a price")
    refused({ refill = 1 }, "refill must be a boolean, got 1")
  end)
end)

describe("catalog:cost", function()
  it("is exact to the last decimal: per 1,000, for a Package per one", function()
    assert.equal("0.9", list:cost(1, 1000))
    assert.equal("0.0009", list:cost(1, 1))
    assert.equal("0.00008011655652", list:cost(4, 1))
    assert.equal("0.000000011", list:cost("ord-5", 1))
    assert.equal("12.5", list:cost(3, 1))
    assert.equal("6.6", list:cost(8, 3))
    assert.equal("9", list:cost(1, 1000, 10))
    assert.equal("8106479329266.8928", list:cost(1, "9007199254740992"))
  end)

  it("explains why there is none", function()
    assert.same({ nil, "the catalogue has no service 99" }, { list:cost(99, 1) })
    assert.same({ nil, "the rate of service 7 is not a price: on request" }, { list:cost(7, 1) })
    assert.error_matches(function() list:cost(1, 1.5) end, "cost: quantity must be a whole number", 1, true)
    assert.error_matches(function() list:cost(1, 1, -1) end, "cost: runs must be a whole number", 1, true)
  end)

  -- bc is the reference. The numbers come from a generator of our own: the same ones on every Lua.
  it("agrees with bc on 10,000 random rates and quantities", function()
    local seed = 20240229
    local function random(n)
      seed = (seed * 16807) % 2147483647
      return seed % n
    end
    local function digits(n)
      local text = {}
      for i = 1, n do text[i] = random(10) end
      return table.concat(text)
    end
    local rates, questions = {}, {}
    for i = 1, 10000 do
      local rate = digits(random(4) + 1) .. "." .. digits(random(12) + 1)
      local quantity = ("%.0f"):format(random(2 ^ (random(31) + 1)))
      rates[i] = { rate, quantity }
      questions[i] = rate .. " * " .. quantity .. " * 0.001"
    end
    local name = os.tmpname()
    system.write(name, "scale = 40\n", table.concat(questions, "\n"), "\n")
    local pipe = assert(io.popen("BC_LINE_LENGTH=0 bc " .. name))
    for i, case in ipairs(rates) do
      local expected = pipe:read "*l":gsub("0+$", ""):gsub("%.$", ""):gsub("^%.", "0.")
      expected = expected == "" and "0" or expected
      assert.equal(expected, catalog { { service = i, rate = case[1] } }:cost(i, case[2]), questions[i])
    end
    pipe:close()
    os.remove(name)
  end)
end)

describe("catalog:price", function()
  it("counts as the service's type requires", function()
    assert.equal("1.8", list:price { service = 1, quantity = 2000 })
    assert.equal("5.4", list:price { service = 1, quantity = 2000, runs = 3 })
    assert.equal("1.8", list:price { service = 1, quantity = 2000, runs = 0 }) -- no drip-feed is not free
    assert.equal("0.016", list:price { service = 2, comments = { "a", " ", "b" } })
    assert.equal("0.016", list:price { service = 2, comments = "a\r\n\r\nb\n" })
    assert.equal("0.011", list:price { service = 6, comments = "only one", username = "x" })
    assert.equal("12.5", list:price { service = 3, link = "https://example.com" })
    assert.equal("2.2", list:price { service = 8, comments = "a\nb\nc" })
  end)

  it("explains why there is none", function()
    assert.same({ nil, "the order has no quantity" }, { list:price { service = 1 } })
    assert.same({ nil, "runs must be a whole number, got -3" }, { list:price { service = 1, quantity = 9, runs = -3 } })
    assert.same({ nil, "a subscription is charged post by post" }, { list:price { service = "ord-5" } })
    assert.same({ nil, "a subscription is charged post by post" },
      { list:price { service = "ord-5", quantity = 1000, max = 1000 } })
  end)

  it("is the most that a subscription with a number of posts can cost", function()
    assert.equal("0.00011", list:price { service = "ord-5", username = "x", min = 10, max = 1000, posts = 10 })
    assert.equal("0.00022",
      list:price { service = "ord-5", username = "x", min = 10, max = 1000, posts = 10, old_posts = "10" })
  end)

  it("reports a rate that is not a number, and never reads it as 0", function()
    for _, rate in ipairs { "", " ", "free", "1,500", "0.5 USD", "-1", 0 / 0, 1 / 0, -1, true, false, {}, "nan" } do
      local odd = catalog { { service = 1, rate = rate } }
      local cost, problem = odd:cost(1, 1000)
      assert.is_nil(cost)
      assert.truthy(problem:find("the rate of service 1 is not a price: ", 1, true))
      assert.is_nil((odd:price { service = 1, quantity = 1000 }))
    end
    assert.same({ nil, "the rate of service 1 is not a price: nil" }, { catalog { { service = 1 } }:cost(1, 1000) })
  end)
end)

describe("catalog:check", function()
  local function problems(order)
    local ok, wrong = list:check(order)
    return ok or tostring(wrong), wrong
  end

  it("accepts a correct order", function()
    assert.is_true(list:check { service = 1, link = "https://example.com", quantity = 50 })
    assert.is_true(list:check { service = "1", link = "https://example.com", quantity = "10000" })
    assert.is_true(list:check { service = 3, link = "https://example.com" })
    assert.is_true(list:check { service = "ord-5", username = "a", min = 20, max = 30, delay = 0 })
  end)

  it("names the fields that the type requires", function()
    local text, wrong = problems { service = 2, comments = {} }
    local needs = "an order of type 'Custom Comments' needs "
    assert.equal(needs .. "link; " .. needs .. "comments", text)
    assert.equal("link", wrong[1].field)
    assert.equal("missing", wrong[1].code)
    assert.equal("an order of type 'Comment Replies' needs username",
      (problems { service = 6, link = "l", comments = "a" }))
  end)

  it("checks the limits and the step", function()
    local function of(service, quantity)
      return (problems { service = service, link = "l", quantity = quantity })
    end
    assert.equal("service 1 takes at least 50, not 49", of(1, 49))
    assert.equal("service 1 takes at most 10000, not 10001", of(1, 10001))
    assert.equal("service 4 takes multiples of 10, not 25", of(4, 25))
    assert.equal("quantity must be a whole number, got 'ten'", of(1, "ten"))
    assert.equal("service 2 takes at least 10, not 2",
      (problems { service = 2, link = "l", comments = "a\nb" }))
    assert.equal("service ord-5 takes at least 20, not 1",
      (problems { service = "ord-5", username = "a", min = 1, max = 30, delay = 0 }))
    assert.equal("the catalogue has no service 99", of(99, 1))
  end)
end)

describe("catalog:diff", function()
  it("reports new, gone and changed services; 0.90 and 0.9 are one price", function()
    local now = catalog {
      { service = 1, name = "Followers", rate = 0.9, min = 50, max = 10000 },
      { service = 2, name = "Likes", rate = "1.10", min = 10, max = 2000 },
      { service = 4, name = "New", rate = "1" },
    }
    local before = catalog {
      { service = 1, name = "Followers", rate = "0.90", min = 50, max = 10000 },
      { service = 2, name = "Likes", rate = "1.20", min = 20, max = 2000 },
      { service = 3, name = "Gone", rate = "1" },
    }
    local difference = now:diff(before)
    assert.equal("4", ids(difference.new))
    assert.equal("3", ids(difference.gone))
    assert.equal(1, #difference.changed)
    assert.same({
      { field = "rate", before = "1.20", after = "1.10" }, { field = "min", before = 20, after = 10 },
    }, difference.changed[1].changes)
    assert.same({ new = {}, gone = {}, changed = {} }, now:diff(now))
    assert.error_matches(function() now:diff {} end, "catalog:diff: needs a catalogue", 1, true)
  end)
end)

describe("catalog:save and load", function()
  local path
  before_each(function() path = os.tmpname() end)
  after_each(function() os.remove(path) end)

  it("restores every value unchanged", function()
    local odd = {
      { service = 9007199254740991, name = "a \"b\"\n\tc \\ é 🔥 \127", rate = 0.30000000000000004, min = 1,
        max = 2147483648, refill = 3, cancel = false, more = { 1, "x", { y = 0.1 } }, note = "" },
      { service = "92233720368547758079", rate = 1e-7, min = "+12", refill = "30 days" },
    }
    for _, each in ipairs { odd, { { service = 1, rate = "0.90" }, { service = 2, rate = "1e-5" } } } do
      assert(catalog(each):save(path))
      local loaded = assert(catalog.load(path))
      assert.same(each, loaded.list)
      assert.is_true(math.abs(loaded.saved - os.time()) < 600)
    end
  end)

  it("saves all or nothing", function()
    assert(list:save(path))
    local broken = catalog { services[1], { service = 2, name = print } }
    local saved, why = broken:save(path)
    assert.is_nil(saved)
    assert.matches("a function cannot be written as JSON", why)
    assert.equal(#services, #assert(catalog.load(path)).list)
    assert.is_nil(system.first_line("ls " .. path .. ".* 2>/dev/null"))
    local ok, problem = list:save "/nonexistent/directory/file"
    assert.is_nil(ok)
    assert.matches("No such file", problem)
  end)

  it("explains what is wrong with a file", function()
    local function load(text)
      system.write(path, text)
      return select(2, catalog.load(path))
    end
    assert.matches("not a catalogue", load "")
    assert.matches("not a catalogue", load "[1,2]")
    assert(list:save(path))
    local whole = io.open(path):read "*a"
    assert.matches("damaged", load(whole:sub(1, -20)))
    assert.matches("No such file", select(2, catalog.load "/nonexistent/file"))
  end)

  it("a maximum of 0 means no limit", function()
    local open = catalog.new { { service = 1, name = "x", type = "Default", rate = 1, min = 0, max = 0 } }
    assert.is_true(open:check { service = 1, link = "x", quantity = 1000 })
  end)
end)

describe("catalog:form", function()
  it("lists the required, optional and counted fields of an order", function()
    local forms = catalog {
      { service = 1, type = "Default", dripfeed = true, min = 50, max = 10000 },
      { service = 2, type = "custom_comments" },
      { service = 3, type = "Subscriptions", dripfeed = true },
      { service = 4, type = "Custom Comments Package" },
      { service = 5, type = "A type of its own" },
    }
    assert.same({ type = "Default", required = { "link", "quantity" }, optional = { "runs", "interval" },
      counted = "quantity", min = 50, max = 10000 }, forms:form(1))
    assert.same({ type = "Custom Comments", required = { "link", "comments" }, optional = { "quantity" },
      counted = "comments" }, forms:form "2")
    assert.same({ type = "Subscriptions", required = { "username", "min", "max", "delay" },
      optional = { "posts", "old_posts", "expiry" } }, forms:form(3))
    assert.is_nil(forms:form(4).counted)
    assert.same({ required = {}, optional = {}, counted = "quantity" }, forms:form(5))
    assert.same({ nil, "the catalogue has no service 9" }, { forms:form(9) })
  end)

  it("returns new lists each time", function()
    table.insert(list:form(1).required, "mine")
    assert.same({ "link", "quantity" }, list:form(1).required)
  end)
end)

describe("catalog.sent", function()
  it("has the fields as add sends them, in their order", function()
    assert.same({ { name = "service", value = "1" }, { name = "link", value = "https://e.com/p" },
      { name = "comments", value = { "a", "b" } }, { name = "own", value = "x" } },
      catalog.sent { own = "x", comments = "a\nb\n", link = "https://e.com/p", service = 1, type = "Custom Comments" })
  end)

  it("throws where add would", function()
    local ok, thrown = pcall(catalog.sent, { service = 1, quantity = 0.5 })
    assert.is_false(ok)
    assert.equal("quantity", require("smmpanel").argument_error(thrown).field)
  end)
end)

describe("catalog.FIELDS", function()
  it("has every field of every type", function()
    local known = {}
    for _, name in ipairs(catalog.FIELDS) do known[name] = true end
    for _, each in ipairs(catalog.TYPES) do
      for _, names in ipairs { each.required, each.optional } do
        for _, name in ipairs(names) do assert.is_true(known[name], name) end
      end
    end
  end)
end)
