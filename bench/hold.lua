-- The longest turn of luv's loop while a catalogue arrives and is decoded: arg[1] is ours or cjson. Measured by the
-- thread's clock, so other programs on the machine do not count.
local clock = require "bench.clock"
local uv = require "luv"

local url, key = os.getenv "PANEL_URL", os.getenv "PANEL_KEY"
local done

-- The longest turn is often one in which Lua's collector marks a large part of the catalogue. The size of the heap at
-- the start decides which turns these are, so each run starts with another size.
local heap = ("x"):rep(uv.hrtime() % 2^20)

local function ours()
  local smmpanel = require "smmpanel"
  local panel = smmpanel.new { url = url, key = key, loop = "uv" }
  coroutine.wrap(function()
    assert(panel:balance()) -- opens the connection and starts the thread
    done = #assert(panel:services())
  end)()
end

-- The usual way with luv: collect the answer, and decode it when it is complete.
local function cjson()
  local decode, parts = require "cjson".decode, {}
  local host, port, path = url:match "^http://([^:/]+):(%d+)(.*)$"
  local body = "key=" .. key .. "&action=services"
  local socket = uv.new_tcp()
  local function finish()
    socket:close()
    local text = table.concat(parts)
    done = #decode(text:match "\r\n\r\n(.*)$")
  end
  socket:connect(host, tonumber(port), function(why)
    assert(not why, why)
    socket:read_start(function(_, piece)
      if piece then parts[#parts + 1] = piece else finish() end
    end)
    socket:write(table.concat { "POST ", path, " HTTP/1.0\r\nHost: ", host,
      "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ", #body, "\r\n\r\n", body })
  end)
end

(arg[1] == "ours" and ours or cjson)()
local longest = 0
while not done do
  local before = clock()
  uv.run "nowait"
  local took = clock() - before
  if took > longest then longest = took end
  if took < 2e-5 then uv.sleep(0) end
end
print("hold", longest)
print("heap", #heap)
