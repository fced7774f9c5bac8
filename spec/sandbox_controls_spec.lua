-- The sandbox's controls over real HTTP, and what a browser on the same machine may not do with them.
local faults = require "smmpanel.sandbox.faults"
local http = require "spec.support.sandbox_http"
local system = require "spec.support.system"

local KEY, BALANCE, ADD = http.KEY, http.BALANCE, http.ADD
local ask, control, count_of, curl = http.ask, http.control, http.count_of, http.curl
local output, read = system.output, system.read
local sandbox = http.sandbox()

describe("a control", function()
  it("advances the clock", function()
    ask(nil, ADD .. "x")
    assert.truthy(ask(nil, "action=status&order=23501").body:find "Pending")
    assert.equal('{"ok":true}\n', control("/advance?seconds=30"))
    assert.truthy(ask(nil, "action=status&order=23501").body:find "Completed")
    assert.truthy(control("/advance"):find "advance needs seconds")
  end)

  it("sets a balance and faults for all, and restores the initial state", function()
    assert.equal('{"ok":true}\n', control("/balance?account=main&balance=12345678901.2345"))
    assert.equal('{"balance":"12345678901.2345","currency":"USD"}', ask().body)
    assert.truthy(control("/balance?account=nobody&balance=1"):find "no such account")
    control("/faults?fault=503&on=balance")
    assert.equal(503, ask().status)
    assert.equal(200, ask(nil, "action=status&order=1").status)
    assert.truthy(control("/faults?fault=nosuch"):find "unknown fault nosuch")
    control("/reset")
    assert.equal(BALANCE, ask().body)
  end)

  it("counts by name", function()
    local url = sandbox.url .. "?name=mine"
    ask(nil, ADD .. "a", nil, url)
    ask(nil, ADD .. "b", nil, url)
    ask()
    assert.same({ 2, 2, 2, 0, 1 }, { count_of("mine", "requests"), count_of("mine", "made"),
      count_of("mine", "connections"), count_of("mine", "in_flight"), count_of("mine", "max_in_flight") })
    assert.truthy(control("/stats?name=mine"):find('"actions":{"add":2}', 1, true))
    assert.truthy(control("/stats"):find('^{"requests":3,"made":2,'))
    output(("curl -sS -d key=%s %s '%s' '%s'"):format(KEY, "-d action=balance", url, url))
    assert.equal(3, count_of("mine", "connections"))
  end)

  it("counts the requests in flight", function()
    local each = ("curl -sS -o /dev/null -d 'key=%s&action=balance' '%s?fault=latency:0.5&name=crowd' & ")
      :format(KEY, sandbox.url)
    os.execute(each:rep(5) .. "wait")
    assert.same({ 5, 5, 0 }, { count_of("crowd", "requests"), count_of("crowd", "max_in_flight"),
      count_of("crowd", "in_flight") })
  end)

  it("counts wrong keys, and keys in wrong places", function()
    curl(sandbox.url, "key=wrong&action=balance")
    ask(nil, nil, "-H 'X-Token: " .. KEY .. "'")
    ask(nil, nil, nil, sandbox.url .. "?name=" .. KEY)
    local stats = control "/stats"
    assert.truthy(stats:find('"key_elsewhere":2', 1, true))
    assert.truthy(stats:find('"wrong_keys":1', 1, true))
  end)

  it("lists the orders for a link", function()
    ask(nil, ADD .. "one")
    ask(nil, ADD .. "two")
    assert.equal('[{"order":"23501","service":1,"link":"one","quantity":50}]\n', control "/orders?link=one")
    assert.equal("[]\n", control "/orders?link=three")
  end)

  it("is listed in the README, and by the controls", function()
    local help, readme = control "", read "lua/smmpanel/sandbox/README.md"
    local controls, count = help:match "^Controls\n(.-)\n\n", 0
    for usage in ("\n" .. controls):gmatch "\n  (%S+)" do
      assert.truthy(readme:find("`" .. usage .. "`", 1, true), usage)
      count = count + 1
    end
    assert.equal(6, count)
    for _, entry in ipairs(faults.list) do
      assert.truthy(help:find(entry.name, 1, true), entry.name)
    end
    assert.truthy(control("/nosuch"):find "lists them")
  end)

  -- The requests that a page in a browser on this machine can send: a form, an image, a host name that resolves here.
  it("is refused without POST, the token and the loopback address", function()
    local base = sandbox.control:match "^(.*/control)/%x+$"
    local function status(what) return output("curl -sS -g -m 20 -o /dev/null -w '%{http_code}' " .. what) end
    assert.equal("200", status("-X POST " .. sandbox.control .. "/stats"))
    assert.equal("405", status(sandbox.control .. "/stats"))
    assert.equal("405", status("-X PUT " .. sandbox.control .. "/reset"))
    for _, path in ipairs { "", "/", "/reset", "/0123456789abcdef0123456789abcdef/reset", "/control/reset" } do
      assert.equal("403", status("-X POST " .. base .. path), path)
    end
    for _, host in ipairs { "evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example" } do
      assert.equal("403", status("-X POST -H 'Host: " .. host .. "' " .. sandbox.control .. "/stats"), host)
    end
    for _, host in ipairs { "localhost", "localhost:8080", "127.0.0.1" } do
      assert.equal("200", status("-X POST -H 'Host: " .. host .. "' " .. sandbox.control .. "/stats"), host)
    end
  end)
end)

describe("a browser on this machine", function()
  it("must run nothing and guess no type", function()
    for _, path in ipairs { "/api/v2?fault=html", "/api/v2?fault=500-html", "/nosuch", "/maintenance" } do
      local head = output(("curl -sS -D - -o /dev/null '%s%s'"):format(sandbox.url:match "^(.-)/api", path)):lower()
      assert.truthy(head:find("x-content-type-options: nosniff", 1, true), path)
      assert.truthy(head:find("content-security-policy: sandbox; default-src 'none'", 1, true), path)
    end
  end)

  it("gets no page with text from the link", function()
    local head = output(("curl -sS -g -D - '%s?fault=type,body:<script>'"):format(sandbox.url)):lower()
    assert.truthy(head:find("content-type: text/plain", 1, true), head)
    assert.is_nil(head:find("text/html", 1, true))
  end)

  it("cannot request more than this machine's memory holds", function()
    for fault, limit in pairs { ["debug-page"] = "67108864", bomb = "17179869184", ["bomb-nested"] = "17179869184",
                                deep = "10000000", ["deep-objects"] = "10000000" } do
      local said = output(("curl -sS -g '%s?fault=%s:99999999999'"):format(sandbox.url, fault))
      assert.truthy(said:find("99999999999 is too large: at most " .. limit .. "\n", 1, true), said)
    end
  end)
end)
