-- Feeds random JSON and random control characters into every field of every action behind every command. Runs the
-- commands in this process, on a terminal (tools/fuzz_cli gives it one), against a transport that answers in the
-- process. It fails on an internal error, or a run of more than 10 s of processor time; tools/fuzz_cli then searches
-- the terminal's output for control bytes.
--
--     lua fuzz/cli.lua SECONDS SEED
local abi = _VERSION:match "[%d.]+$"
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
package.cpath = "build/" .. abi .. "/?.so;" .. package.cpath

local cli = require "smmpanel.cli"
local smmpanel = require "smmpanel"

local SECONDS, SEED = tonumber(arg[1]) or 60, tonumber(arg[2]) or os.time()
local CPU_MOST = 10

math.randomseed(SEED)
local random = math.random

local function pick(list) return list[random(#list)] end

-- ---- random JSON --------------------------------------------------------------------------------

local NASTY = { "\27]52;c;aGk=\7", "\27[2J", "\27[31m", "\27P1\27\\", "\194\155", "\194\144", "\226\128\174",
  "\226\129\166", "\216\156", "\r", "\n", "\t", "\0", "\8", "\7", "\127", "\255", "\192\128", "\237\160\128",
  "\240\159\145\168\226\128\141", "\215\169", "=cmd()", "<title>x", "é", "日", "e\204\129", ",", ";", '"', "'", "-",
  "%s", "%d", "\239\187\191" }

local function text()
  local parts, count = {}, random(0, 12)
  if random(200) == 1 then count = random(20000) end
  local repeated = random(3) == 1 and pick(NASTY)
  for i = 1, count do
    parts[i] = repeated or random(2) == 1 and pick(NASTY) or ("abc 01"):rep(random(3))
  end
  return table.concat(parts)
end

local function escaped(s)
  return (s:gsub('[%z\1-\31"\\]', function(char) return ("\\u%04x"):format(char:byte()) end))
end

local NUMBERS = { "0", "-0", "1", "23501", "1.5", "0.90", "-3", "1e3", "1e999", "-1e999", "9007199254740993",
  "18446744073709551616", ("9"):rep(400), "0." .. ("0"):rep(400) .. "1", "1e-400" }

local STATES = { "Completed", "Partial", "In progress", "Canceled", "Pending", "Error" }

local NAMES = { "order", "orders", "refill", "refills", "status", "charge", "start_count", "remains", "currency",
  "balance", "service", "name", "type", "category", "rate", "min", "max", "cancel", "dripfeed", "error", "message",
  "runs", "posts", "expiry", "1", "2", "data", "code" }

local value

local function object(depth)
  local parts = {}
  for i = 1, random(0, 8) do
    local name = random(8) == 1 and text() or pick(NAMES)
    parts[i] = '"' .. escaped(name) .. '":' .. value(depth + 1)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function list(depth)
  local parts = {}
  for i = 1, random(0, 6) do parts[i] = value(depth + 1) end
  return "[" .. table.concat(parts, ",") .. "]"
end

function value(depth)
  local kind = random(depth > 4 and 6 or 9)
  if kind == 1 then return pick { "null", "true", "false" } end
  if kind == 2 then return pick(NUMBERS) end
  if kind == 3 then return '"' .. pick(NUMBERS) .. '"' end
  if kind == 4 then return '"' .. pick(STATES) .. '"' end
  if kind <= 6 then return '"' .. escaped(text()) .. '"' end
  if kind == 7 then return list(depth) end
  return object(depth)
end

local function record(fields)
  local parts = {}
  for _, name in ipairs(fields) do
    if random(6) > 1 then parts[#parts + 1] = '"' .. name .. '":' .. value(2) end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local STATUS = { "charge", "start_count", "status", "remains", "currency", "posts", "orders", "runs", "expiry" }

-- Answers with a nearly correct shape reach the most code.
local SHAPES = {
  balance = function() return record { "balance", "currency" } end,
  services = function()
    local parts = {}
    for i = 1, random(0, 12) do
      local fields = { "name", "type", "category", "rate", "min", "max", "refill", "cancel", "dripfeed" }
      parts[i] = random(8) == 1 and value(2) or '{"service":' .. (random(3) > 1 and i or value(3)) .. ","
        .. record(fields):sub(2)
      parts[i] = parts[i]:gsub(",}$", "}")
    end
    if random(2) == 1 then
      table.insert(parts, 1, '{"service":1,"name":"' .. escaped(text())
        .. '","type":"Default","category":"c","rate":"0.9","min":"1","max":"10000"}')
    end
    return "[" .. table.concat(parts, ",") .. "]"
  end,
  status = function() return pick { record(STATUS), '{"1":' .. record(STATUS) .. ',"2":' .. record(STATUS) .. "}" } end,
  refill = function() return pick { record { "refill", "order" }, "[" .. record { "order", "refill" } .. "]" } end,
  refill_status = function() return pick { record { "status" }, "[" .. record { "refill", "status" } .. "]" } end,
  cancel = function() return pick { record { "cancel" }, "[" .. record { "order", "cancel" } .. "]" } end,
  add = function() return record { "order" } end,
}

local function page()
  return "<html><head><title>" .. text() .. "</title></head><body>" .. text() .. "</body></html>"
end

local function body(action)
  local kind = random(20)
  if kind == 1 then return page() end
  if kind == 2 then return text() end
  if kind == 3 then return '{"error":"' .. escaped(text()) .. '"}' end
  if kind <= 6 or not SHAPES[action] then return value(1) end
  return SHAPES[action]()
end

local STATUSES = { 200, 200, 200, 200, 200, 200, 400, 403, 404, 429, 500, 503, 302 }

local function transport(request)
  if random(40) == 1 then
    return nil, { code = pick { "connect", "reset", "tls" }, message = text(), sent = random(2) == 1 }
  end
  local headers = { ["content-type"] = pick { "application/json", "text/html", text() } }
  if random(10) == 1 then headers["retry-after"] = pick { "0", "-1", "x", text() } end
  return { status = pick(STATUSES), headers = headers, body = body(request.action) }
end

-- ---- commands -----------------------------------------------------------------------------------

local FORMATS = { "", "", "--json", "--csv", "--lua", "--csv --raw-csv", "--debug" }

local refs = 0

local COMMANDS = {
  function() return "balance " .. pick { pick(FORMATS), "--below 5" } end,
  function() return "services --fresh " .. pick { "", "--sort rate", "--sort name", "--sort min -r", "--max-rate 1",
    "--diff", "--type default", "-q 5", "a" } .. " " .. pick(FORMATS) end,
  function() return "services --fresh --cost 1 " .. pick { "5", "99999999999999999999" } end,
  function() return "status 1 2 " .. pick(FORMATS) end,
  function() return "status 1 " .. pick(FORMATS) end,
  function() return "refill -y 1 2 " .. pick(FORMATS) end,
  function() return "refill-status 1 2 " .. pick(FORMATS) end,
  function() return "cancel -y 1 2 " .. pick(FORMATS) end,
  function() return "call " .. pick { "status", "anything" } .. pick { "", " --lua", " --debug" } end,
  function() return "watch 1 2 --interval 0.01 --timeout 0.03 " .. pick { "", "--json" } end,
  function() return "add -y service=1 link=https://example.com/ quantity=5 " .. pick(FORMATS) end,
  function()
    refs = refs + 1
    return ("add -y service=1 link=https://example.com/ quantity=5 --ref r-%d "):format(refs) .. pick(FORMATS)
  end,
  function() return "add -y --from " .. os.getenv "HOME" .. "/orders.csv " .. pick(FORMATS) end,
  function() return "add --dry-run service=1 link=https://example.com/ quantity=5" end,
  function() return "pending " .. pick(FORMATS) end,
  function() return ("resolve -y r-%d %d"):format(random(refs + 1), random(5)) end,
  function() return "doctor" end,
}

local function words_of(line)
  local words = {}
  for word in line:gmatch "[^ ]+" do words[#words + 1] = word end
  return words
end

-- ---- the runs -----------------------------------------------------------------------------------

-- Every panel of the command answers in this process.
local new = smmpanel.new
function smmpanel.new(options)
  options.transport, options.retries, options.timeout = transport, 0, 1
  return new(options)
end

local report = assert(io.open(os.getenv "HOME" .. "/report", "w"))
local ends, runs = os.time() + SECONDS, 0

while os.time() < ends do
  local line, begun = pick(COMMANDS)(), os.clock()
  runs = runs + 1
  io.stdout:write("\nRUN ", runs, " ", line, "\n")
  io.stdout:flush()
  local ok, code = pcall(cli.main, words_of(line))
  io.stdout:flush()
  local used = os.clock() - begun
  if not ok or type(code) ~= "number" then report:write("run ", runs, ": threw ", tostring(code), "\n") end
  if used > CPU_MOST then report:write(("run %d: %.1f s of processor time\n"):format(runs, used)) end
end
report:write(("ran %d commands with the seed %d\n"):format(runs, SEED))
report:close()
