-- PROTOCOL "add": the fields of an order; and PROTOCOL "Ids and values": the ids of the other calls.
local fields = require "smmpanel.api.form_fields"
local ids = require "smmpanel.api.ids"
local order = require "smmpanel.api.order_fields"

local function flat(given)
  local list, map = order.fields(given), {}
  for i = 1, #list, 2 do map[list[i]] = list[i + 1] end
  return map, list
end

local function refused(given, ...)
  local ok, message = pcall(order.fields, given)
  assert.is_false(ok)
  assert.is_truthy(message:find("panel:add: ", 1, true), message)
  for _, part in ipairs { ... } do assert.is_truthy(message:find(part, 1, true), message) end
end

local function with(more)
  local given = { service = 1, link = "https://x", quantity = 10 }
  for name, value in pairs(more) do given[name] = value end
  return given
end

describe("the fields of an order", function()
  it("are sent in a fixed order: the service, the documented ones, the others by name", function()
    local _, list = flat { zeta = 1, alpha = "a", quantity = 1000, link = "https://x", service = 1, runs = 2 }
    assert.same({ "service", "1", "link", "https://x", "quantity", "1000", "runs", "2", "alpha", "a",
      "zeta", "1" },
      list)
  end)
  it("an integral float is sent as an integer, a boolean as 1 or 0", function()
    local map = flat(with { quantity = 1000.0, is_test = true, dry = false, weight = 2.0, share = 0.5 })
    assert.same({ "1000", "1", "0", "2", 0.5 }, { map.quantity, map.is_test, map.dry, map.weight, map.share })
  end)
  it("digits stay digits", function()
    local map = flat(with { service = "92233720368547758079", quantity = "007" })
    assert.same({ "92233720368547758079", "007" }, { map.service, map.quantity })
  end)
  it("lists are trimmed and joined from their non-empty items", function()
    for _, name in ipairs { "keywords", "comments", "usernames", "hashtags", "groups" } do
      assert.same({ "a", "b c", "d" }, flat(with { [name] = { " a ", "", "b c\n", "\t", "d" } })[name])
      assert.same({ "a", "b c", "d" }, flat(with { [name] = "a\r\n\r\n b c \rd\n" })[name])
    end
    assert.same({ "5", "x" }, flat(with { usernames = { 5.0, "x" } }).usernames)
    assert.same({ "a", "b" }, flat(with { extra = { "a", "b" } }).extra)
  end)
  it("an empty list is not sent", function()
    for _, empty in ipairs { {}, { "" }, { " ", "\n" }, "", "\r\n \n" } do
      refused(with { comments = empty }, "comments must be a list with at least one item that is not empty")
    end
  end)
  it("a list with holes, names, tables or line breaks in an item throws", function()
    refused(with { comments = { "a", nil, "c" } }, "comments must be a list without holes")
    refused(with { comments = { a = "b" } }, "comments must be")
    refused(with { comments = { "a", {} } }, "comments[2] must be a string or a number, got an empty table")
    refused(with { comments = { "a\nb" } }, "comments[1] must be a string on one line")
    refused(with { comments = { "a\0b" } }, "comments[1]")
    refused(with { comments = "a\0b" }, "comments")
    refused(with { comments = 5 }, "comments must be a list of strings", "got 5")
  end)
  it("a value of the wrong type throws a message with the value and valid ones", function()
    refused(with { quantity = {} }, "quantity must be a whole number, got an empty table")
    refused(with { quantity = "1,000" }, "quantity must be a whole number, got '1,000'")
    refused(with { quantity = 1.5 }, "got 1.5")
    refused(with { quantity = 0 / 0 }, "quantity")
    refused(with { quantity = 1 / 0 }, "quantity")
    refused(with { quantity = true }, "quantity must be a whole number, got true")
    refused(with { quantity = print }, "got a function")
    refused(with { link = "" }, "link must be a string on one line")
    refused(with { link = "a\nb" }, "link")
    refused(with { link = 5 }, "got 5")
    refused(with { extra = { {} } }, "extra[1]")
    refused(with { extra = {} }, "extra")
    refused(with { extra = print }, "extra", "a function")
    refused(with { extra = 0 / 0 }, "extra must be a finite number")
    refused(with { extra = -1 / 0 }, "extra must be a finite number")
    refused(nil, "got nil")
    refused("service=1", "got 'service=1'")
  end)
  it("names are text without control characters, and not the client's own", function()
    for _, name in ipairs { "a\0b", "a\nb", "", 1, true } do refused(with { [name] = "x" },
      "a field's name must be") end
    refused(with { key = "x" }, "the field 'key' is reserved")
    refused(with { action = "x" }, "the field 'action' is reserved")
    -- PHP reads these as "action" too, and the last one counts: an order that is retried like a read.
    for _, name in ipairs { " action", "action[]", " key[x]" } do
      refused(with { [name] = "add" }, "is reserved")
    end
    assert.equal("x", flat(with { ["we ird{}"] = "x" })["we ird{}"])
  end)
  it("a service is required, and is an id", function()
    refused({ link = "x", quantity = 1 }, "the order has no service")
    for _, bad in ipairs { "", "1,2", "a b", 1.5, true, {} } do refused(with { service = bad }, "service") end
    assert.equal("srv_01HG", flat(with { service = "srv_01HG" }).service)
  end)
end)

describe("PROTOCOL 'add', by the service's type:", function()
  local values = {
    link = "https://x", quantity = 10, keywords = { "a" }, comments = { "a" }, usernames = { "a" },
      hashtags = { "a" },
    hashtag = "a", username = "a", media = "https://m", answer_number = 1, groups = { "a" }, min = 1, max = 2,
    delay = 5, country = "US", device = 1, type_of_traffic = 3,
  }
  local required = {
    ["Default"] = "link quantity", ["Package"] = "link", ["SEO"] = "link quantity keywords",
    ["Custom Comments"] = "link comments", ["Custom Comments Package"] = "link comments",
    ["Mentions"] = "link quantity usernames", ["Mentions with Hashtags"] = "link quantity usernames hashtags",
    ["Mentions Custom List"] = "link usernames", ["Mentions Hashtag"] = "link quantity hashtag",
    ["Mentions User Followers"] = "link quantity username", ["Mentions Media Likers"] = "link quantity media",
    ["Comment Likes"] = "link quantity username", ["Comment Replies"] = "link username comments",
    ["Poll"] = "link quantity answer_number", ["Invites from Groups"] = "link quantity groups",
    ["Subscriptions"] = "username min max delay",
    ["Web Traffic"] = "link quantity country device type_of_traffic",
  }
  for name, needed in pairs(required) do
    it(name, function()
      local given = { service = 1, type = name }
      for field in needed:gmatch "[%w_]+" do given[field] = values[field] end
      assert.is_nil(flat(given).type)
      for field in needed:gmatch "[%w_]+" do
        local value = given[field]
        given[field] = nil
        refused(given, "'" .. name .. "' needs " .. field)
        given[field] = value
      end
      for _, spelling in ipairs { name:lower(), name:upper(), (name:lower():gsub(" ", "_")) } do
        given.type = spelling
        flat(given)
      end
    end)
  end

  it("Web Traffic needs a keyword for type 1 and a URL for type 2", function()
    local function traffic(more)
      local given = with { type = "Web Traffic", country = "US", device = 1, type_of_traffic = 3 }
      for name, value in pairs(more) do given[name] = value end
      return given
    end
    refused(traffic { type_of_traffic = 1 }, "google_keyword")
    flat(traffic { type_of_traffic = 1, google_keyword = "k" })
    refused(traffic { type_of_traffic = "2" }, "referring_url")
    flat(traffic { type_of_traffic = "2", referring_url = "https://r" })
    flat(traffic {})
    refused(traffic { device = 6 }, "device must be from 1 to 5, got 6")
    refused(traffic { type_of_traffic = 0 }, "type_of_traffic must be from 1 to 3, got 0")
  end)
  it("an unknown type is not checked: it comes from the catalogue", function()
    for _, name in ipairs { "likes", "Special comments", "Auto Likes", "Limited Auto Views", "" } do
      flat(with { type = name })
    end
    refused(with { type = 5 }, "type must be the service's type", "5")
    refused(with { type = false }, "type must be the service's type", "false")
  end)
  it("a field that differs by one letter from a field of its type throws", function()
    refused(with { runss = 2 }, "unknown field 'runss': did you mean 'runs'?")
    refused(with { type = "Default", interva = 2 }, "'interval'")
    refused(with { type = "Custom Comments", comments = "a", coments = "b" }, "'comments'")
    refused(with { type = "Subscriptions", username = "u", min = 1, max = 2, delay = 0, expiri = "1/1/2030" },
      "'expiry'")
    refused(with { Quantity = 2, quantit = 3 }, "'quantity'")
    flat(with { coupon = "x", request_id = "r", is_test = 1, schedule_time = "now", tag = "t" })
    flat(with { type = "Default", media = "m", posts = 1 })
  end)
end)

describe("an id", function()
  local function message_of(id)
    local ok, message = pcall(ids.read, "panel:status", id)
    assert.is_false(ok)
    assert.is_truthy(message:find("panel:status: ", 1, true), message)
    return message
  end

  it("is an integer, an integral float or a text", function()
    assert.equal("23501", ids.text("x", 23501))
    assert.equal("23501", ids.text("x", 23501.0))
    assert.equal("0", ids.text("x", -0.0))
    assert.equal("9007199254740992", ids.text("x", 2 ^ 53))
    assert.equal("ord_01HG", ids.text("x", "ord_01HG"))
    assert.equal("92233720368547758079", ids.text("x", "92233720368547758079"))
  end)
  it("is nothing else", function()
    for _, bad in ipairs { 1.5, 0 / 0, 1 / 0, 2 ^ 60, "", "1,2", "1 2", "1\n", "\0", " ", true, print } do
      message_of(bad)
      message_of { 1, bad }
    end
    assert.is_truthy(message_of(nil):find("got nil", 1, true))
    assert.is_truthy(message_of(2 ^ 60):find("as a string", 1, true))
    assert.is_truthy(message_of({ order = 5 }):find("with the key 'order'", 1, true))
    assert.is_truthy(message_of({ 1, nil, 3 }):find("holes", 1, true))
    assert.is_truthy(message_of({ { 1 } }):find("got a table", 1, true))
  end)
  it("requested twice is sent once, and answered under each of its keys", function()
    local asked = ids.read("x", { 7, "7", 8, 7, "a" })
    assert.is_false(asked.single)
    assert.same({ "7", "8", "a" }, asked.texts)
    assert.same({ 7, "7", 7 }, asked.keys["7"])
    assert.is_true(ids.read("x", "a").single)
    assert.same({}, ids.read("x", {}).texts)
  end)
  it("is an integer in a record if that loses no digit", function()
    assert.equal(23501, ids.value "23501")
    assert.equal(-5, ids.value "-5")
    for _, stays in ipairs { "007", "92233720368547758079", "ord_1", "1e3", "0x10", "+5", "1.0" } do
      assert.equal(stays, ids.value(stays))
    end
    local big = math.type and math.tointeger and 9007199254740993 or "9007199254740993"
    assert.equal(big, ids.value "9007199254740993")
  end)
end)

describe("a list of fields", function()
  it("is sorted by name", function()
    assert.same({ "a", 1, "b", 2 }, fields.flat { b = 2, a = 1 })
    assert.same({ "b", 2, "a", 1 }, fields.flat({ b = 2, a = 1 }, { "x", "b" }))
  end)
end)
