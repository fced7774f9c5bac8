-- The socket that notifies nginx: in a directory that only the owner can access, removed once connected, and with no
-- data except the notification.
local child = require "spec.support.child"
local raw = require "spec.support.raw"

local GOOD = raw.answer '{"balance":"1.5","currency":"USD"}'

local COMMON = [[
  local core = require "smmpanel.core"
  local unix = require "socket.unix"
  local function output(command)
    local pipe = io.popen(command)
    local text = pipe:read "*a"
    pipe:close()
    return (text:gsub("%s+$", ""))
  end
]]

describe("the notification socket", function()
  local server
  setup(function() server = raw.start() end)
  teardown(function() server.stop() end)

  for _, early in ipairs { false, true } do
    it("is accessible only to its owner, not at all once it is connected, and reports news that came "
      .. (early and "before it" or "after it"), function()
      local said = child.run(COMMON .. ([[
        local client = core.client { url = %q, key = "S3CRET", max_body = 1e6, connect_timeout = 5, user_agent = "x" }
        local transfer = core.start(client, { action = "balance", deadline = core.now() + 20 })
        if %s then core.wait(20) end -- there is news already
        local path = assert(core.listen())
        local directory = path:match "^(.*)/"
        print(output("stat -c '%%a %%u' " .. directory), output("stat -c '%%a' " .. path))
        local peer = assert((unix.stream or unix)())
        assert(peer:connect(path))
        print(core.accept(), output("ls -d " .. directory .. " 2>&1 | grep -c 'No such'"))
        local result
        repeat
          peer:settimeout(20)
          local byte = peer:receive(1)
          assert(byte == "\0", "it says more than that there is news")
          core.step()
          result = transfer:result()
        until result
        print(result.code, result.value.balance, core.accept())
      ]]):format(server.url { 0.1, GOOD }, tostring(early)), "umask 0; ")
      local user = io.popen("id -u"):read "*n"
      assert.equal(("700 %d\t600\ntrue\t1\n\t1.5\tfalse\nexit 0\n"):format(user), said)
    end)
  end

  it("that another listen replaces, and one that nobody connected to, leave nothing behind", function()
    local said = child.run(COMMON .. [[
      local first = core.listen()
      local second = core.listen()
      print(first ~= second, io.open(first) == nil, output("ls -A $TMPDIR | wc -l"))
    ]], 'TMPDIR=$(mktemp -d); export TMPDIR; trap \'ls -A "$TMPDIR" | wc -l; rmdir "$TMPDIR"\' EXIT; ')
    assert.equal("true\ttrue\t1\nexit 0\n0\n", said)
  end)

  it("that cannot be created is an error", function()
    local said = child.run(COMMON .. "print(core.listen())", "TMPDIR=/no/such/directory")
    assert.equal("nil\tlisten\tNo such file or directory\nexit 0\n", said)
  end)

  it("is in /tmp if the path of TMPDIR is too long for a socket", function()
    local said = child.run(COMMON .. "print((core.listen():gsub('%w+/s$', 'XXXXXX/s')))",
      "TMPDIR=/tmp/" .. ("d"):rep(100))
    assert.equal("/tmp/smmpanel-XXXXXX/s\nexit 0\n", said)
  end)
end)
