local haproxy = core
local host = {}
local scenario = require "spec.loops.support.scenario"

function host.go(f)
  haproxy.register_task(function()
    local ok, err = pcall(f)
    if not ok and not tostring(err):find "on purpose" then print(err) end
  end)
end

function host.sleep(seconds) haproxy.msleep(math.max(1, math.ceil(seconds * 1000))) end

local function answer(applet, text)
  applet:set_status(200)
  applet:add_header("content-length", #text)
  applet:start_response()
  applet:send(text)
end

local panel = scenario.panel "latency:0.1&name=haproxy"

local function currency()
  local balance, err = panel:balance()
  return balance and balance.currency or err.message
end

haproxy.register_service("call", "http", function(applet) answer(applet, currency()) end)
haproxy.register_converters("call", function(text)
  currency()
  return text
end)

haproxy.register_task(function()
  while true do
    scenario.tick()
    haproxy.msleep(1)
  end
end)
if os.getenv "SPEC_SERVE" then return print("at start", currency()) end
haproxy.register_task(function()
  scenario.run(host)
  local left = require "smmpanel.core".in_flight()
  print(left == 0 and "nothing left" or "something is left")
  io.stdout:flush()
  os.exit(0)
end)
