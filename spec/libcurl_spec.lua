-- libcurl is opened by the engine's thread for the first request: what a program without one pays, and what a program
-- with an unusable libcurl is told.
local process = require "spec.support.process"
local raw = require "spec.support.raw"
local system = require "spec.support.system"

local function output(command) return system.output(command .. " 2>&1") end

describe("libcurl", function()
  if not io.open "/proc/self/maps" or os.getenv "LINK_CURL" then
    return it("is linked on this system", function() pending "needs /proc, and a build that opens libcurl itself" end)
  end

  local directory = system.directory()
  local server
  setup(function() server = raw.start() end)
  teardown(function()
    server.stop()
    output("rm -r " .. directory)
  end)

  -- Returns what a chunk prints in a separate process, in which libraries of the directory come first.
  local function run(chunk, variables, after)
    system.write(directory .. "/run.lua", chunk)
    return output(("(env %s %s%s %s/run.lua%s)"):format(variables or "", process.sanitized(), process.lua(), directory,
      after or ""))
  end

  local function in_its_place(name, make)
    local folder = ("%s/%s"):format(directory, name)
    local copy = "cp libcurl.so.4 libcurl-gnutls.so.4"
    assert.equal("", output(("mkdir %s && cd %s && %s && %s"):format(folder, folder, make, copy)))
    return run([[
      local core = require "smmpanel.core"
      local options = { url = "http://127.0.0.1:1/", key = "key", max_body = 1e6, connect_timeout = 5 }
      local transfer = core.start(core.client(options), { action = "add", deadline = core.now() + 5, write = true })
      local outcome
      repeat
        core.wait(5)
        core.step()
        outcome = transfer:result()
      until outcome
      print(outcome.code, outcome.sent, outcome.text)
      local panel = require "smmpanel".new { url = "http://127.0.0.1:1/", key = "key" }
      local balance, err = panel:balance()
      print(balance, err.kind, err.code)
      os.exit(0, true)]], "LD_LIBRARY_PATH=" .. folder)
  end

  local function stub(flags)
    local source = output("pwd"):match "[^\n]+" .. "/spec/support/libcurl.c"
    return ("cc -shared -fPIC %s -o libcurl.so.4 %s"):format(flags, source)
  end

  it("is not opened by require, by new, or by what needs no request", function()
    assert.equal("nil\nlibcurl\n", run(([[
      local function loaded()
        local file = io.open "/proc/self/maps"
        local text = file:read "*a"
        file:close()
        return text:match "libcurl" or text:match "libssl"
      end
      local smmpanel = require "smmpanel"
      local panel = smmpanel.new { url = %q, key = "key" }
      pcall(panel.add, panel, { service = {} })
      local answers = smmpanel.new { url = "https://panel.invalid", key = "key",
        transport = function() return { status = 200, body = '{"balance":"1"}' } end }
      assert(answers:balance())
      print(loaded())
      assert(panel:balance())
      print(loaded())]]):format(server.url { raw.answer '{"balance":"1"}' })))
  end)

  it("that is missing: nothing was sent, and the error names the package", function()
    local text = in_its_place("missing", "echo none >libcurl.so.4")
    local says = "libcurl cannot be loaded; install it %(Debian: libcurl4%): .*libcurl%.so%.4"
    assert.matches("^unsupported\tfalse\t" .. says, text)
    assert.matches("\nnil\tnetwork\tunsupported\n$", text)
  end)

  it("that is too old", function()
    local text = in_its_place("old", stub "")
    assert.matches("^unsupported\tfalse\tlibcurl 7%.74%.0 is too old: smmpanel needs 7%.80 or newer\n", text)
    assert.matches("\nnil\tnetwork\tunsupported\n$", text)
  end)

  it("that lacks a function", function()
    local text = in_its_place("lacking", stub "-DLACKING")
    assert.matches("^unsupported\tfalse\tthis libcurl has no curl_multi_assign\n", text)
  end)

  -- OpenSSL's exit handler ran while the thread was still initialising OpenSSL.
  it("was being opened as the program ended: it crashed", function()
    for i = 0, 39 do
      assert.equal("exit 0\n", run(([[
        local core = require "smmpanel.core"
        local options = { url = "https://127.0.0.1:1/", key = "key", max_body = 1e6, connect_timeout = 5 }
        assert(core.start(core.client(options), { action = "balance", deadline = core.now() + 5 }))
        local till = core.now() + %d * 0.0003
        while core.now() < till do end
        os.exit(0)]]):format(i), "", "; echo exit $?"))
    end
  end)
end)
