-- PROTOCOL "Errors": the codes, how an error prints, and that it never has the key.
local classify = require "smmpanel.api.classify"
local errors = require "smmpanel.errors"
local redactor = require "smmpanel.util.redact"
local text = require "smmpanel.util.text"

local KNOWN = {
  invalid_key = { "Invalid API key", "The api key field is required.", "API key is incorrect",
    "Incorrect API key",
    "The selected key is invalid." },
  account = { "Your account is inactive", "Your account has been suspended", "error.account_banned",
    "API is Disable for this user or User Not Found! Contact the Support" },
  bad_request = { "Incorrect request", "The action field is required.", "Invalid action",
    "This action is Invalid",
    "You must fill in the required fields.",
    "There are missing required parameters. Please check your API Manual" },
  bad_service = { "Incorrect service ID", "error.incorrect_service_id", "Invalid service ID",
    "Service ID does not exists", "Service ID does not exist", "Disabled service",
    "Service is inactive or not found" },
  no_funds = { "Not enough funds on balance", "You don't have enough funds", "error.not_enough_funds",
    "You have insufficient balance", "insufficient_balance", "You do not have sufficient balance" },
  bad_quantity = { "The quantity field is required.", "Quantity is required",
    "You did not meet the minimum number.",
    "The maximum number has been exceeded.", "Quantity less than minimal 10", "Quantity more than maximum 10",
    "error.min_quantity", "error.max_quantity",
    "Quantity must to be greater than or equal to minimum amount 50" },
  bad_link = { "Bad Link", "The link field is required.", "error.invalid_link", "error.link_not_found",
    "error.link" },
  active_order = { "You have active order with this link. Please wait until order being completed.",
    "There is already an active order", "error.link_duplicate" },
  bad_order = { "Incorrect order ID", "error.incorrect_order_id", "Order not found.",
    "The order id is invalid" },
  bad_refill = { "Refill not found", "error.incorrect_refill_id" },
  not_refillable = { "Refill is disabled", "Order not completed", "Refill was requested 2 hours ago",
    "Refill days are over", "Order is not eligible for refill", "Not eligible to send refill" },
  not_cancellable = { "Order is not eligible to cancel", "Not eligible for cancellation",
    "Cannot cancel this order",
    "This order can't be canceled", "Service does not support cancellation" },
  rate_limited = { "Rate limit exceeded", "Too many requests", "Too Many Attempts." },
  unknown = { "Your balance is 10", "Insufficient permissions", "", "Something went wrong" },
}

describe("PROTOCOL 'Errors', codes:", function()
  for code, texts in pairs(KNOWN) do
    it(code, function()
      for _, said in ipairs(texts) do
        assert.equal(code .. ": " .. said, (classify.code(said)) .. ": " .. said)
        assert.equal(code, (classify.code(text.lower(said))))
      end
    end)
  end
end)

describe("an error", function()
  local function make(more)
    local fields = { kind = "panel", code = "no_funds", action = "add", message = "Not enough funds",
      attempts = 1 }
    for name, value in pairs(more or {}) do fields[name] = value end
    return errors.new(fields)
  end

  it("prints as one line", function()
    assert.equal("smmpanel: add: Not enough funds (panel, no_funds)", tostring(make()))
    local long = tostring(make { message = "a\r\nb\0c\27" .. ("x"):rep(5000), http_status = 503,
      retry_after = 7,
      attempts = 3, uncertain = true })
    assert.is_nil(long:find "[%c]")
    assert.is_true(#long < 700)
    for _, part in ipairs { "a b c", "HTTP 503", "retry after 7 s", "3 attempts",
      "may have been carried out" } do
      assert.is_truthy(long:find(part, 1, true), part)
    end
  end)
  it("is distinguished from other tables", function()
    assert.is_true(errors.is(make()))
    assert.is_false(errors.is { kind = "panel" })
    assert.is_false(errors.is "panel")
  end)
  it("splits no character", function()
    assert.equal("aé...", text.one_line("aéé", 4))
    assert.equal("aéé", text.one_line("aéé", 5))
    assert.equal("a...", text.one_line("a🔥🔥", 4))
  end)
  it("has the kind of the transfer's failure", function()
    for word, kind in pairs { resolve = "network", connect = "network", tls = "network", reset = "network",
      cut = "network", timeout = "timeout", cancelled = "cancelled", too_large = "response",
      encoding = "response" } do
      assert.equal(kind, errors.kind_of(word))
    end
  end)
  it("has a stable word for a status without a usable body", function()
    for status, code in pairs { [301] = "redirect", [303] = "redirect", [400] = "status", [401] = "forbidden",
      [403] = "forbidden", [404] = "not_found", [429] = "rate_limited", [500] = "server_error",
      [503] = "server_error" } do
      assert.equal(code, errors.http_code(status))
    end
  end)
end)

describe("the key", function()
  local redact = redactor "s3cret/key +ü"

  it("is hidden in every form encoding", function()
    for _, seen in ipairs { "s3cret/key +ü", "s3cret%2Fkey+%2B%C3%BC", "s3cret%2Fkey%20%2B%C3%BC",
      "s3cret%2fkey%20%2b%c3%bc" } do
      assert.equal("[***] and ***", redact("[" .. seen .. "] and " .. seen))
    end
  end)
  it("is hidden in every encoding of JSON and HTML", function()
    local hide = redactor 's3/k"e<y>&ü😀'
    for _, seen in ipairs {
      's3/k\\"e<y>&ü😀', 's3\\/k\\"e<y>&\\u00fc\\ud83d\\ude00', 's3/k\\"e<y>&\\u00FC\\uD83D\\uDE00',
      's3\\/k\\"e\\u003cy\\u003e\\u0026\\u00fc\\ud83d\\ude00', "s3/k&quot;e&lt;y&gt;&amp;ü😀",
    } do
      assert.equal("a *** b", hide("a " .. seen .. " b"))
      assert.equal("a ***", hide("a " .. seen:sub(1, 9)))
    end
  end)
  it("is hidden if the end of an excerpt cut it", function()
    assert.equal("got ***", redact "got s3cret/ke")
    assert.equal("got s3c", redact "got s3c")
  end)
  it("is hidden at every occurrence", function()
    assert.equal(("***"):rep(1000), redact(("s3cret/key +ü"):rep(1000)))
  end)
  it("damages no text if it is too short to be a key", function()
    assert.equal("a Key", redactor "K" "a Key")
  end)
end)
