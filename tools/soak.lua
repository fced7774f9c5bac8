-- Calls at full speed for SOAK_SECONDS (20) against a panel with faults of all kinds in a tenth of its answers: memory,
-- descriptors and threads stay flat, and every answer belongs to its request. The panel echoes the requested ids; the
-- faults are scripts of spec/support/raw.lua.
package.path = "./?.lua;" .. package.path

local core = require "smmpanel.core"
local raw = require "spec.support.raw"
local smmpanel = require "smmpanel"

local SECONDS = tonumber(os.getenv "SOAK_SECONDS") or 20
local BATCH, WARM = 40, 0.3 -- calls side by side; the part of the time before the first measure

local server = raw.start()
local FAULTS = {
  {}, { raw.RESET }, { "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}" }, { raw.answer "<html>" }, { raw.answer "" },
  { raw.answer("", "Retry-After: 1\r\n", "429 Slow") }, { raw.answer("oops", "", "500 Error") }, { raw.WAIT },
  { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz" }, { "nonsense\r\n\r\n" },
  { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnone" }, { raw.answer '{"error":"Incorrect order ID"}' },
}

local function measure()
  collectgarbage() collectgarbage()
  local status = assert(io.open "/proc/self/status"):read "*a"
  local pipe = io.popen(("ls /proc/%s/fd | wc -l"):format(status:match "\nPid:%s*(%d+)"))
  local descriptors = pipe:read "*n"
  pipe:close()
  return { memory = tonumber(status:match "VmRSS:%s*(%d+)"), threads = tonumber(status:match "Threads:%s*(%d+)"),
    descriptors = descriptors, lua = collectgarbage "count" }
end

local calls, faults, kinds, wrong = 0, 0, {}, 0

local function one(number)
  local bad = number % 10 == 0 and FAULTS[number / 10 % #FAULTS + 1]
  local body = ('{"order":%d,"charge":"0.%d","status":"Pending","remains":"%d"}'):format(number, number, number)
  local panel = smmpanel.new { url = server.url(bad or { raw.answer(body) }), key = "key", retries = 0,
    timeout = bad and 0.3 or 60 }
  local record, err = panel:status(number)
  calls = calls + 1
  if bad then
    faults = faults + 1
    local kind = err and err.kind .. "/" .. err.code or "answer"
    kinds[kind] = (kinds[kind] or 0) + 1
    if record then wrong = wrong + 1 end
  elseif not record or record.order ~= number or record.remains ~= number then
    wrong = wrong + 1
    io.stderr:write("soak: ", number, ": ", tostring(err), "\n")
  end
  panel:close()
end

local started, number, first = core.now(), 0, nil
while core.now() - started < SECONDS do
  local batch = {}
  for i = 1, BATCH do
    local mine = number + i
    batch[i] = function() one(mine) end
  end
  number = number + BATCH
  smmpanel.all(batch)
  if not first and core.now() - started > SECONDS * WARM then first = measure() end
end
local last = measure()
server.stop()

print(("soak: %d calls in %d s, %d of them faults, %d wrong"):format(calls, SECONDS, faults, wrong))
for kind, count in pairs(kinds) do print(("soak: %6d %s"):format(count, kind)) end
local failed = wrong > 0
for _, name in ipairs { "memory", "lua", "threads", "descriptors" } do
  print(("soak: %s %.0f -> %.0f"):format(name, first[name], last[name]))
end
failed = failed or last.memory > first.memory * 1.3 + 4096 or last.lua > first.lua * 1.3 + 512
  or last.threads > first.threads + 2 or last.descriptors > first.descriptors + 60
os.exit(failed and 1 or 0)
