-- Each action over real HTTP: the documented answer becomes exactly the documented table, and each shape seen on real
-- panels becomes its value or its error.
local sandboxes = require "spec.support.sandbox"

describe("PROTOCOL, action by action:", function()
  local sandbox, order
  setup(function()
    sandbox = sandboxes.start()
    order = assert(sandbox.panel(""):add { service = 1, link = "https://e.com/", quantity = 1000 }).order
    sandbox.ask("advance?seconds=604800")
    assert(sandbox.panel(""):refill(order))
  end)
  teardown(function() sandbox.stop() end)

  local function new_order() return { service = 1, link = "https://e.com/p", quantity = 50 } end

  describe("'balance'", function()
    it("as documented", function()
      local fresh = sandboxes.start()
      assert.same({ balance = 100.84292, currency = "USD" }, fresh.panel(""):balance())
      fresh.stop()
    end)
    it("as a number, with a status, without a currency", function()
      assert.equal("number", type(assert(sandbox.panel("numbers"):balance()).balance))
      assert.equal("success", assert(sandbox.panel("success"):balance()).status)
      assert.is_nil(assert(sandbox.panel("no-currency"):balance()).currency)
      assert.is_nil(select(2, sandbox.panel("error-null"):balance()))
    end)
    for _, fault in ipairs { "bom", "space", "notice", "notice-text", "debug-page:300000", "gzip", "identity",
      "type:text%2Fhtml", "cookie", "pretty", "utf8", "status:201" } do
      it("behind " .. fault, function()
        assert.equal("USD", assert(sandbox.panel(fault):balance()).currency)
      end)
    end
    it("not with text after the JSON", function()
      assert.equal("not_json", select(2, sandbox.panel("tail", { retries = 0 }):balance()).code)
    end)
  end)

  describe("'services'", function()
    it("as documented", function()
      local first = assert(sandbox.panel(""):services())[1]
      assert.equal(1, first.service)
      assert.equal("Default", first.type)
      assert.equal(0.9, first.rate)
      assert.equal(50, first.min)
      assert.equal(10000, first.max)
      assert.is_true(first.refill)
      assert.is_true(first.cancel)
    end)
    it("has every type of service", function()
      local types = {}
      for _, service in ipairs(assert(sandbox.panel(""):services())) do types[service.type] = true end
      for _, name in ipairs { "Default", "Package", "SEO", "Custom Comments", "Custom Comments Package",
        "Mentions", "Mentions with Hashtags", "Mentions Custom List", "Mentions Hashtag",
        "Mentions User Followers",
        "Mentions Media Likers", "Comment Likes", "Comment Replies", "Poll", "Invites from Groups",
        "Subscriptions", "Web Traffic" } do
        assert.is_true(types[name], name)
      end
    end)
    it("wrapped", function()
      assert.equal(1, assert(sandbox.panel("services-wrapped"):services())[1].service)
    end)
    for _, shape in ipairs { "services-empty-data", "services-empty-list", "services-empty-object" } do
      it(shape, function() assert.same({}, sandbox.panel(shape):services()) end)
    end
  end)

  describe("'add'", function()
    for _, shape in ipairs { "", "add-text", "add-extra", "add-100", "add-order_id", "add-id" } do
      it("returns the order: " .. (shape == "" and "as documented" or shape), function()
        local made, err = sandbox.panel(shape):add(new_order())
        assert.is_nil(err)
        assert.is_true(made.order > 23000)
        if shape == "" then assert.same({ order = made.order }, made) end
      end)
    end
    it("a success without an order id is a success", function()
      local made, err = sandbox.panel("add-no-id"):add(new_order())
      assert.is_nil(err)
      assert.is_nil(made.order)
    end)
    it("a comma, a line break, an umlaut and a plus arrive unchanged", function()
      local link = "https://e.com/ä?a=b+c,d&e=%2B"
      local made = assert(sandbox.panel(""):add {
        service = 2, type = "custom_comments", link = link,
        comments = { " a, b ", "", "ü + 1", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l" },
      })
      assert.is_truthy(made.order)
      local last = sandbox.counts().last
      local fields = last[#last].fields
      assert.equal(link, fields.link)
      assert.equal("a, b\nü + 1\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl", fields.comments)
      assert.is_nil(fields.type)
    end)
  end)

  describe("'status'", function()
    it("as documented", function()
      local record = assert(sandbox.panel(""):status(order))
      assert.same({ charge = 0.9, start_count = record.start_count, status = "Completed", remains = 0,
        currency = "USD" }, record)
    end)
    it("several ids, one with an error", function()
      local many = assert(sandbox.panel(""):status { order, 999999 })
      assert.equal("Completed", many[order].status)
      assert.same({ error = "Incorrect order ID", code = "bad_order" },
        { error = many[999999].error, code = many[999999].code })
    end)
    for _, shape in ipairs { "status-bare", "status-list", "status-php" } do
      it("several ids, " .. shape, function()
        local many, err = sandbox.panel(shape):status { order, 999999 }
        assert.is_nil(err)
        assert.equal("Completed", many[order].status)
        assert.equal("bad_order", many[999999].code)
      end)
    end
    it("several ids, none of them known", function()
      assert.equal("missing", sandbox.panel("status-none"):status({ order, 999999 })[order].code)
    end)
    it("counts that are not numbers stay text, empty ones are absent", function()
      assert.equal("+12", assert(sandbox.panel("counts:%252B12"):status(order)).remains)
      assert.equal("Unknown", assert(sandbox.panel("counts:Unknown"):status(order)).start_count)
      assert.equal(-12, assert(sandbox.panel("counts:-12"):status(order)).remains)
      assert.is_nil(assert(sandbox.panel("counts:"):status(order)).remains)
      assert.is_nil(assert(sandbox.panel("nulls"):status(order)).charge)
      assert.equal(1.5, assert(sandbox.panel("set:remains=1.5"):status(order)).remains)
    end)
    it("an order whose own state is Error is a record", function()
      assert.equal("Error", assert(sandbox.panel('set:status="Error"'):status(order)).status)
    end)
    it("an unknown id", function()
      local record, err = sandbox.panel(""):status(999999)
      assert.is_nil(record)
      assert.equal("panel", err.kind)
      assert.equal("bad_order", err.code)
      assert.equal("Incorrect order ID", err.message)
    end)
  end)

  describe("'refill', 'refill_status', 'cancel'", function()
    it("refill of one and of several", function()
      local fresh = assert(sandbox.panel(""):add(new_order())).order
      local refused = select(2, sandbox.panel(""):refill(fresh))
      assert.equal("not_refillable", refused.code)
      assert.equal("not_refillable", select(2, sandbox.panel("refill-nested-error"):refill(fresh)).code)
      local many = assert(sandbox.panel(""):refill { fresh, 999999 })
      assert.equal("not_refillable", many[fresh].code)
      assert.equal(999999, many[999999].order)
      assert.equal("bad_order", many[999999].code)
    end)
    for _, shape in ipairs { "", "refill_status-list", "refill_status-prefix" } do
      it("refill_status of one, " .. shape, function()
        local record = assert(sandbox.panel(shape):refill_status(1))
        assert.equal(1, record.refill)
        assert.equal("string", type(record.status))
      end)
    end
    for _, shape in ipairs { "", "refill_status-keyed" } do
      it("refill_status of several, " .. shape, function()
        local many = assert(sandbox.panel(shape):refill_status { 1, 999999 })
        assert.equal("string", type(many[1].status))
        assert.equal("bad_refill", many[999999].code)
      end)
    end
    it("refill_status with a nested error", function()
      local _, err = sandbox.panel("refill_status-nested-error"):refill_status(999999)
      assert.equal("bad_refill", err.code)
    end)
    for _, shape in ipairs { "", "cancel-keyed" } do
      it("cancel " .. shape, function()
        local fresh = assert(sandbox.panel(""):add(new_order())).order
        local many, err = sandbox.panel(shape):cancel { fresh, 999999 }
        assert.is_nil(err)
        assert.is_truthy(many[fresh].cancel)
        assert.equal(fresh, many[fresh].order)
        assert.equal("bad_order", many[999999].code)
      end)
    end
    for _, shape in ipairs { "cancel-rows", "cancel-zero" } do
      it("a failure as " .. shape, function()
        local many = assert(sandbox.panel(shape):cancel { 999999 })
        assert.is_truthy(many[999999].error)
      end)
    end
    it("a panel that knows none of these actions", function()
      local _, err = sandbox.panel("unsupported"):refill(order)
      assert.equal("bad_request", err.code)
    end)
  end)

  describe("'Errors'", function()
    for _, shape in ipairs { "error-msg", "error-message", "error-reason", "error-code", "error-status",
      "error-errors", "error-in-list" } do
      it(shape, function()
        local record, err = sandbox.panel(shape):status(999999)
        assert.is_nil(record)
        assert.equal("panel", err.kind)
        assert.equal("bad_order", err.code)
      end)
    end
    it("in another language, with the panel's text", function()
      local _, err = sandbox.panel("localised"):status(999999)
      assert.equal("panel", err.kind)
      assert.equal("bad_order", err.code)
      assert.is_true(#err.message > 3)
    end)
    for _, code in ipairs { 400, 401, 402, 403, 404, 405, 422, 500, 502, 503 } do
      it(code .. " with JSON and with HTML", function()
        local _, json = sandbox.panel(tostring(code), { retries = 0 }):balance()
        assert.equal(code, json.http_status)
        assert.equal(code < 500 and "panel" or "http", json.kind) -- the sandbox says the standard's reason
        local _, html = sandbox.panel(code .. "-html", { retries = 0 }):balance()
        assert.equal(code, html.http_status)
        assert.equal("http", html.kind)
      end)
    end
    it("a redirect is not followed", function()
      local _, err = sandbox.panel("redirect", { retries = 0 }):balance()
      assert.equal("http", err.kind)
      assert.equal(303, err.http_status)
      assert.equal(0, sandbox.counts().maintenance or 0)
    end)
  end)
end)
