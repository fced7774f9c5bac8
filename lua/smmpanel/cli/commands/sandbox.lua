local decimal = require "smmpanel.util.decimal"
local fail = require "smmpanel.cli.fail"
local server = require "smmpanel.sandbox.server"
local terminal = require "smmpanel.cli.views.terminal"
local argerror = require "smmpanel.util.argerror"
local shell_word = require("smmpanel.util.text").shell_word

local function whole(text)
  local n = text:find "^[0-9]+$" and tonumber(text)
  if n then return n end
  return nil, ("'%s' is not a whole number"):format(text)
end

local function port(text)
  local n = whole(text)
  if n and n >= 1 and n <= 65535 then return n end
  return nil, ("'%s' is not a port (1 to 65535)"):format(text)
end

local function amount(text)
  if decimal.parse(text) then return text end
  return nil, ("'%s' is not an amount"):format(text)
end

-- Without this check, the sandbox would report an unknown fault only in its answers.
local function check_faults(text)
  local faults = require "smmpanel.sandbox.faults"
  local _, problem = faults.parse(text)
  if problem then fail.usage("%s; known: %s", problem, argerror.names(faults.by_name)) end
end

local function run(context, args)
  if args.fault then check_faults(args.fault) end
  local sandbox, problem = server.start { services = args.services, port = args.port, balance = args.balance }
  if not sandbox then fail.with(fail.SOME, "%s", problem) end
  context:say "The sandbox panel is running. Paste these two lines into another terminal:\n"
  context:print("export SMMPANEL_URL=%s", shell_word(args.fault and sandbox.url_with(args.fault) or sandbox.url))
  context:print("export SMMPANEL_KEY=%s", shell_word(sandbox.key))
  terminal.flush(io.stdout)
  context:say(("\nTo list its controls: curl -X POST %s\nCtrl-C stops it."):format(sandbox.control))
  server.wait(sandbox) -- Ctrl-C ends the wait, not this program
  sandbox.stop()
  context:say "\nThe sandbox has stopped."
end

return {
  name = "sandbox", run = run,
  about = "Run a test panel on this machine until Ctrl-C.",
  details = "The sandbox is a complete panel that simulates delivery. It runs in nginx with the Lua module, and keeps "
    .. "no data after it stops.",
  options = {
    { flags = "--fault", arg = "FAULT", about = "Simulate a fault: latency:0.3, lost@2, html, ..." },
    { flags = "--services", arg = "N", convert = whole, about = "Number of services (default 21)." },
    { flags = "--balance", arg = "AMOUNT", convert = amount, about = "The account's balance (default 100.84292)." },
    { flags = "--port", arg = "PORT", convert = port, about = "Listen on this port, not on a free one." },
  },
  examples = {
    { "smmpanel sandbox", "prints two lines to paste into another terminal" },
    { "smmpanel sandbox --fault lost@1", "a panel that loses the first answer" },
  },
}
