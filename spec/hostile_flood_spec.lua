-- A server that sends endless data that is no answer. libcurl and OpenSSL read as long as data arrives, and one thread
-- serves all calls: those to a healthy panel waited for 19 s.
local core = require "smmpanel.core"
local hostile = require "spec.support.hostile"
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"
local system = require "spec.support.system"

local run = system.output
local has_luasec = pcall(require, "ssl")
local ATTACKS = 4 -- at once
local SECONDS = 0.8 -- of an attack
local BUSY = 2 -- seconds that a busy machine may add

local function frame(kind, flags, stream, payload)
  local n = #payload
  return string.char(math.floor(n / 65536), math.floor(n / 256) % 256, n % 256, kind, flags, 0, 0,
    math.floor(stream / 256), stream % 256) .. payload
end

local function priorities()
  local frames = {}
  for stream = 1, 999, 2 do frames[#frames + 1] = frame(2, 0, stream, "\0\0\0\0\16") end
  return table.concat(frames)
end

local OPEN = frame(4, 0, 0, "") .. frame(4, 1, 0, "") -- SETTINGS, and its acknowledgement
local HEADERS = frame(1, 4, 1, "\136") -- END_HEADERS; the static table's :status 200
local MANY = 100000000

-- The data, and the protocol over TLS; without one there is no TLS.
local FLOODS = {
  { "HelloRequest instead of a handshake", { { MANY, "\22\3\3\0\4\0\0\0\0" } } },
  { "PRIORITY", { OPEN, { MANY, priorities() } }, "h2" },
  { "empty DATA", { OPEN .. HEADERS, { MANY, frame(0, 0, 1, "") } }, "h2" },
  { "WINDOW_UPDATE", { OPEN, { MANY, frame(8, 0, 0, "\0\0\0\1") } }, "h2" },
  { "acknowledgements of PING", { OPEN, { MANY, frame(6, 1, 0, "12345678") } }, "h2" },
}

describe("a healthy panel next to a flood of", function()
  local directory, good, healthy

  local function worst_until(seconds)
    local worst, began = 0, core.now()
    repeat
      local before = core.now()
      assert.equal(1.5, assert(healthy:balance()).balance)
      worst = math.max(worst, core.now() - before)
    until core.now() - began > seconds
    return worst
  end

  setup(function()
    directory, good = system.directory(), raw.start()
    run(("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost " ..
      "-addext subjectAltName=DNS:localhost -keyout key -out certificate 2>&1"):format(directory))
    healthy = smmpanel.new { url = good.url { hostile.GOOD }, key = "k", timeout = 30, retries = 0 }
    assert(healthy:balance())
  end)
  teardown(function()
    good.stop()
    os.execute("rm -rf " .. directory)
  end)

  for _, case in ipairs(FLOODS) do
    local name, script, alpn = case[1], case[2], case[3]
    it(name, function()
      if not has_luasec then return pending "needs luasec" end
      local bad = raw.start {
        certificate = alpn and directory .. "/certificate" or "", key = alpn and directory .. "/key" or "",
        alpn = alpn, script = script,
      }
      local client = core.client {
        url = bad.url(), key = "k", max_body = 1e6, connect_timeout = 5, user_agent = "x",
        ca_file = directory .. "/certificate",
      }
      for _ = 1, ATTACKS do
        assert(core.start(client, { action = "balance", deadline = core.now() + SECONDS }))
      end
      local worst = worst_until(SECONDS)
      bad.stop()
      while core.in_flight() > 0 do
        core.wait(1)
        core.step()
      end
      assert.is_true(worst < BUSY, ("%.1f s"):format(worst))
    end)
  end
end)
