-- Measures all rows: starts a sandbox panel, runs all programs in turn, writes the results. `make bench` builds what it
-- needs and calls it. Arguments are the names of groups: then only these run, and nothing is written.
local lab = require "bench.lab"
local nginx = require "bench.nginx"
local report = require "bench.report"
local server = require "smmpanel.sandbox.server"
local smmpanel = require "smmpanel"

local SERVICES, IDS = 10000, 10000
local OURS, LUASOCKET = "lua5.4 bench/ours.lua ", "lua5.4 bench/peers/luasocket.lua "
local PYTHON = "/usr/bin/python3 bench/peers/" -- Debian's own, because its packages work only there
local REQUESTS, AIOHTTP = PYTHON .. "requests_session.py ", PYTHON .. "aiohttp_session.py "
local PHP = "php bench/peers/sample.php "
local FETCH, LIMIT = "node bench/peers/fetch.mjs ", "build/bench/libcurl "
local LUAJIT_PATH = "./build/bench/5.1/?.so;./build/5.1/?.so;;"

local rows = {}

local function add(row, said)
  local result = lab.row(row, said)
  result.picture = row.picture
  rows[#rows + 1] = result
  report.print(result)
end

-- ---- programs at tasks ---------------------------------------------------------------------------

local function env_of(panel, more)
  local env = { PANEL_URL = panel.url, PANEL_KEY = panel.key }
  for name, value in pairs(more or {}) do env[name] = value end
  if env.PANEL_CA then env.NODE_EXTRA_CA_CERTS = env.PANEL_CA end
  return env
end

local function programs(list, task, env)
  local contestants = {}
  for name, program in pairs(list) do
    contestants[#contestants + 1] = { name, function() return lab.run(program .. task, env) end }
  end
  table.sort(contestants, function(a, b) return a[1] < b[1] end)
  return contestants
end

local groups = {}
local ORDER = { "decode", "fetch", "hold", "statuses", "small", "calls", "idle", "growth", "nginx" }

-- ---- decode --------------------------------------------------------------------------------------

-- One process with the decoders in turn; it prints lines of name, seconds, kB, count.
local function decoded(lua, path, cpath, rounds, all)
  local said = {}
  local pipe = assert(io.popen(lab.command(("%s bench/decode.lua %s %d %s"):format(lua, path, rounds, all),
    cpath and { LUA_CPATH = cpath })))
  for line in pipe:lines() do
    local name, seconds, kilobytes = line:match "^(%S+)%s+(%S+)%s+(%S+)"
    said[name] = said[name] or {}
    table.insert(said[name], { seconds = tonumber(seconds), memory = tonumber(kilobytes) * 1024 })
  end
  assert(pipe:close(), "decode.lua failed")
  for _, rounds_of in pairs(said) do table.remove(rounds_of, 1) end -- the first is the warm-up
  return said
end

local function catalogue_file(panel, path)
  local command = "curl -sS -o %s -d 'key=%s&action=services' '%s?fault=identity'"
  assert(os.execute(command:format(path, panel.key, panel.url)))
end

local DECODED = "decode 10,000 services, typed, in 16 kB pieces (Lua 5.4)"

function groups.decode(panel)
  local path, rounds = "build/bench/catalogue.json", lab.rounds(15, 9)
  catalogue_file(panel, path)
  local said = decoded("lua5.4", path, nil, rounds, "all")
  add({ name = "decode 10,000 services (Lua 5.4), lua-dkjson too", unit = "ms", figure = "seconds",
    scale = 1e3, reach = "at most 0.5 of lua-cjson; ahead of simdjson" }, said)
  said.dkjson = nil
  add({ name = DECODED, unit = "ms", figure = "seconds", scale = 1e3,
    reach = "at most 0.5 of lua-cjson; ahead of simdjson", picture = true }, said)
  add({ name = "memory of the result (Lua 5.4)", unit = "MB", figure = "memory", scale = 1e-6,
    reach = "at most 0.9 of lua-cjson" }, said)
  said = decoded("luajit", path, LUAJIT_PATH, rounds, "")
  add({ name = "decode 10,000 services (LuaJIT)", unit = "ms", figure = "seconds", scale = 1e3,
    reach = "at most 0.5 of lua-cjson; ahead of simdjson" }, said)
  add({ name = "memory of the result (LuaJIT)", unit = "MB", figure = "memory", scale = 1e-6,
    reach = "at most 0.9 of lua-cjson" }, said)
end

-- ---- fetch and decode, whole processes -----------------------------------------------------------

local EVERY_SERIAL = { ours = OURS, ["luasocket + lua-cjson"] = LUASOCKET, ["PHP"] = PHP,
                       ["Python requests"] = REQUESTS, ["Node fetch"] = FETCH, limit = LIMIT }

local FETCHED = "fetch and decode 10,000 services: CPU of the process"

function groups.fetch(panel)
  local env = env_of(panel, { PANEL_URL = panel.url .. "?fault=identity" })
  local said = lab.alternate(programs(EVERY_SERIAL, "catalogue", env), lab.rounds(9, 3))
  add({ name = FETCHED, unit = "ms", figure = "cpu",
    scale = 1e3, picture = true,
    reach = "at most 1.2 of luasocket + lua-cjson; less than the other peers" }, said)
  add({ name = "fetch and decode 10,000 services: peak memory", unit = "MB", figure = "memory", scale = 1e-6,
    reach = "less than Node, PHP and Python", picture = true }, said)
end

function groups.hold(panel)
  local env = env_of(panel, { PANEL_URL = panel.url .. "?fault=identity" })
  local contestants = programs({ ours = "lua5.4 bench/hold.lua ours",
    ["lua-cjson"] = "lua5.4 bench/hold.lua cjson" }, "", env)
  add({ name = "longest hold of a luv loop by that catalogue", unit = "ms", figure = "hold", scale = 1e3,
    reach = "at most 0.1 of lua-cjson", picture = true }, lab.alternate(contestants, lab.rounds(15, 5)))
end

-- ---- many statuses -------------------------------------------------------------------------------

local function make_orders(panel)
  local maker, first = smmpanel.new { url = panel.url, key = panel.key }, nil
  local work = {}
  for i = 1, 32 do
    work[i] = function()
      for _ = 1, math.ceil(IDS / 32) do
        local made = assert(maker:add {
          service = 18, link = "https://example.com/p#ends=never", quantity = 1000,
        })
        first = math.min(first or made.order, made.order)
      end
    end
  end
  smmpanel.all(work)
  return first
end

local SERIAL = "status of 10,000 orders, 50 ms away, TLS, against one after the other"

function groups.statuses(panel)
  local latency, at_once, first = 0.05, 8, make_orders(panel)
  local env = env_of(panel, { PANEL_URL = panel.tls_url .. "?fault=latency:" .. latency,
    PANEL_CA = panel.ca_file, COUNT = IDS, AT_ONCE = at_once, FIRST = first })
  local side_by_side = lab.alternate(programs({ ours = OURS, ["Python aiohttp"] = AIOHTTP,
    ["Node fetch"] = FETCH, limit = LIMIT }, "statuses", env), lab.rounds(9, 3))
  local serial = lab.alternate(programs({ ours = OURS, ["luasocket + luasec + lua-cjson"] = LUASOCKET,
    ["PHP"] = PHP, ["Python requests"] = REQUESTS }, "statuses", env), lab.rounds(3, 1))
  local ideal = math.ceil(IDS / 100 / at_once) * latency
  add({ name = "status of 10,000 orders, 50 ms away, TLS, 8 at a time", unit = "s", figure = "seconds",
    picture = true, reach = ("within 6 %% of the others; the ideal is %.2f"):format(ideal) }, side_by_side)
  add({ name = SERIAL, unit = "s", figure = "seconds",
    reach = "at most 0.2 of the others", picture = true }, serial)
  add({ name = "status of 10,000 orders: CPU an order", unit = "µs", figure = "cpu", scale = 1e6 / IDS,
    reach = "less than the peers; at most 4 of the limit", picture = true }, side_by_side)
  add({ name = "status of 10,000 orders: CPU an order, against one after the other", unit = "µs", figure = "cpu",
    scale = 1e6 / IDS, reach = "at most 1.4 of luasocket; less than the other peers" }, serial)
end

-- ---- small requests ------------------------------------------------------------------------------

local function per_second(said, count)
  for _, rounds in pairs(said) do
    for _, one in ipairs(rounds) do one.rate, one.each = count / one.seconds, one.seconds / count end
  end
  return said
end

function groups.small(panel)
  local count = lab.rounds(3200, 1280)
  local env = env_of(panel, { COUNT = count // 4, AT_ONCE = 1 })
  local one = per_second(lab.alternate(programs(EVERY_SERIAL, "balance", env), lab.rounds(5, 3)), count // 4)
  add({ name = "a small request on loopback, one at a time", unit = "µs", figure = "each", scale = 1e6,
    reach = "at most 1.4 of the limit" }, one)
  env.COUNT, env.AT_ONCE = count, 64
  local many = per_second(lab.alternate(programs({ ours = OURS, ["Python aiohttp"] = AIOHTTP,
    ["Node fetch"] = FETCH, limit = LIMIT }, "balance", env), lab.rounds(5, 3)), count)
  add({ name = "small requests on loopback, 64 at a time", unit = "requests/s", figure = "rate", more = true,
    reach = "at least 0.85 of the limit", picture = true }, many)
end

function groups.calls(panel)
  local env = env_of(panel, { PANEL_URL = panel.tls_url, PANEL_CA = panel.ca_file })
  local said = lab.alternate(programs({ ours = OURS, ["Python requests"] = REQUESTS, ["Node fetch"] = FETCH },
    "calls", env), lab.rounds(9, 5))
  for _, which in ipairs { "first", "second", "hundredth" } do
    add({ name = ("the %s call over TLS"):format(which), unit = "ms", figure = which, scale = 1e3,
      reach = which == "first" and "no stall of the host" or "ahead of the peers" }, said)
  end
end

function groups.idle(panel)
  local said = lab.alternate(programs({ ours = OURS, ["luasocket + luasec + lua-cjson"] = LUASOCKET }, "idle",
    env_of(panel)), lab.rounds(31, 9))
  add({ name = "require and an idle client: CPU", unit = "ms", figure = "cpu", scale = 1e3,
    reach = "at most 1.2" }, said)
  add({ name = "require and an idle client: memory of the process", unit = "MB", figure = "memory",
    scale = 1e-6, reach = "at most 1.2" }, said)
end

-- ---- growth: what each service and id costs, at three sizes ---------------------------------------

local function growth_file(count)
  local path = ("build/bench/services-%d.json"):format(count)
  local panel = assert(server.start { services = count, tls = false })
  catalogue_file(panel, path)
  panel.stop()
  return path
end

local SIZES = lab.quick and { 10000, 1000 } or { 10000, 1000, 100000 }

local function growth_of_services()
  local contestants = {}
  for i, count in ipairs(SIZES) do
    local path = growth_file(count)
    contestants[i] = { count == 10000 and "ours" or ("%d services"):format(count), function()
      local seconds = {}
      for _, one in ipairs(decoded("lua5.4", path, nil, 4, "alone").ours) do seconds[#seconds + 1] = one.seconds end
      return { each = lab.median(seconds) / count }
    end }
  end
  add({ name = "decode: time for each service, of 10,000 (collector stopped)", unit = "µs", figure = "each",
    scale = 1e6, reach = "within 10 % of each other" }, lab.alternate(contestants, lab.rounds(7, 3)))
end

local function growth_of_ids(panel)
  local contestants = {}
  for i, count in ipairs(SIZES) do
    contestants[i] = { count == 10000 and "ours" or ("%d ids"):format(count), function()
      return lab.run(OURS .. "ids", env_of(panel, { COUNT = count, AT_ONCE = 8 }))
    end }
  end
  add({ name = "status: CPU for each id, of 10,000", unit = "µs", figure = "each", scale = 1e6,
    reach = "within 10 % of each other" }, lab.alternate(contestants, lab.rounds(7, 3)))
end

function groups.growth(panel)
  growth_of_services()
  growth_of_ids(panel)
end

-- ---- in nginx ------------------------------------------------------------------------------------

local LIBRARIES = "/usr/local/openresty/lualib/?.lua;/usr/local/share/lua/5.1/?.lua;/usr/share/lua/5.1/?.lua"

-- Debian does not have lua-resty-http: it is measured only if it is installed.
local RESTY_HTTP = package.searchpath("resty.http", LIBRARIES)

local function version_of(path)
  local file = assert(io.open(path))
  local version = file:read "*a":match "_VERSION = '([%d.]+)'"
  file:close()
  return version
end

local function ways()
  local list = { "ours", "cosocket", "ours_over_cosockets", "ours_with_on_event", "proxy_pass", "worker_thread" }
  if RESTY_HTTP then
    table.insert(list, 4, "ours_over_resty_http")
    table.insert(list, 5, "resty_http")
  end
  return list
end

function groups.nginx()
  local few = ways()
  few[#few + 1] = "blocking" -- with 512 connections it only times out
  local loads = { { connections = 64, ways = few }, { connections = 512, ways = ways() } }
  local said = nginx.run(loads, lab.rounds(3, 1), lab.quick and 1 or 3)
  for _, load in ipairs(loads) do
    local where = ("in nginx, %d connections, panel 20 ms away: "):format(load.connections)
    local of = said[load.connections]
    add({ name = where .. "requests", unit = "requests/s", figure = "rate", more = true, picture = true,
      reach = load.connections == 512 and "at least 0.7 of the cosocket's, over cosockets 0.8" or "" }, of)
    add({ name = where .. "CPU a request", unit = "µs", figure = "cpu", scale = 1e6,
      reach = "at most 3 of the cosocket's, over cosockets 2" }, of)
    add({ name = where .. "a bystander's p99", unit = "ms", figure = "p99", scale = 1e3,
      reach = load.connections == 512 and "at most 2.5 of the cosocket's" or "no worse than the cosocket's" }, of)
  end
end

-- ---- all of it -----------------------------------------------------------------------------------

local function sentence(format, name, peer, percent)
  for _, row in ipairs(rows) do
    if row.name == name and row.ratios[peer] then
      return format:format(percent and row.ratios[peer] * 100 or 1 / row.ratios[peer])
    end
  end
  return ""
end

local function sentences()
  return table.concat({
    "Decoding a catalogue of ten thousand services to typed values takes"
      .. sentence(" %.0f %% of the time that lua-cjson", DECODED, "cjson", true),
    "needs to decode it untyped. The status of ten thousand orders from a panel 50 ms away arrives"
      .. sentence(" %.1f times as", SERIAL, "PHP"),
    "fast as with the usual PHP class, which sends one request after the other. Fetching that catalogue takes"
      .. sentence(" %.0f %%", FETCHED, "Node fetch", true),
    "of the processor time that Node's fetch needs.",
    "", "![Results of the measurements](bench/results.svg)", "",
    "[RESULTS.md](bench/RESULTS.md) has all rows, the peers and the machine. `make bench` measures them again.",
  }, "\n")
end

local function load_average()
  local file = io.open "/proc/loadavg"
  local load = file and file:read "*l" or ""
  if file then file:close() end
  return load:match "^%S+"
end

report.load = load_average()
report.also = RESTY_HTTP and "lua-resty-http " .. version_of(RESTY_HTTP)
local wanted = {}
for _, name in ipairs(arg) do wanted[name] = true end
local panel = assert(server.start { services = SERVICES, balance = "1000000000" })
local ok, why = xpcall(function()
  for _, name in ipairs(ORDER) do
    if groups[name] and (not arg[1] or wanted[name]) then groups[name](panel) end
  end
end, debug.traceback)
panel.stop()
if not ok then error(why, 0) end
if not arg[1] then report.write(rows, sentences(), lab.quick and ", the short form" or "") end
