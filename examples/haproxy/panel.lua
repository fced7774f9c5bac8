-- Two services of HAProxy. A call suspends its own task; fetches and converters cannot wait.
local smmpanel = require "smmpanel"

local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY" }

local function answer(applet, status, text)
  applet:set_status(status)
  applet:add_header("content-type", "text/plain")
  applet:add_header("content-length", #text)
  applet:start_response()
  applet:send(text)
end

core.register_service("balance", "http", function(applet)
  local balance, err = panel:balance()
  if not balance then return answer(applet, 502, tostring(err) .. "\n") end
  answer(applet, 200, ("%s %s\n"):format(balance.balance, balance.currency or ""))
end)

core.register_service("orders", "http", function(applet)
  local ids, lines = {}, {}
  for id in (applet.qs:match "ids=([%w,]+)" or ""):gmatch "%w+" do ids[#ids + 1] = id end
  local entries = panel:status(ids, { list = true })
  for i, entry in ipairs(entries) do lines[i] = ("%s %s\n"):format(entry.order, entry.status or entry.error) end
  answer(applet, 200, table.concat(lines))
end)
