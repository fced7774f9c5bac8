local decimal = require "smmpanel.util.decimal"
local fail = require "smmpanel.cli.fail"
local server = require "smmpanel.sandbox.server"
local terminal = require "smmpanel.cli.views.terminal"
local argerror = require "smmpanel.util.argerror"

local function whole(text)
  local n = text:find "^[0-9]+$" and tonumber(text)
  if n then return n end
  return nil, ("'%s' is no whole number"):format(text)
end

local function port(text)
  local n = whole(text)
  if n and n >= 1 and n <= 65535 then return n end
  return nil, ("'%s' is no port: 1 to 65535"):format(text)
end

local function amount(text)
  if decimal.parse(text) then return text end
  return nil, ("'%s' is no amount"):format(text)
end

-- A fault that the panel does not know would be told with each answer only.
local function check_faults(text)
  local faults = require "smmpanel.sandbox.faults"
  local _, problem = faults.parse(text)
  if problem then fail.usage("%s; known: %s", problem, argerror.names(faults.by_name)) end
end

local function run(context, args)
  if args.fault then check_faults(args.fault) end
  local sandbox, problem = server.start { services = args.services, port = args.port, balance = args.balance }
  if not sandbox then fail.with(fail.SOME, "%s", problem) end
  context:say "A sandbox panel, with money on it. Paste these two lines into another terminal:\n"
  context:print("export SMMPANEL_URL='%s'", args.fault and sandbox.url_with(args.fault) or sandbox.url)
  context:print("export SMMPANEL_KEY='%s'", sandbox.key)
  terminal.flush(io.stdout)
  context:say(("\nIts controls: curl -X POST %s lists them. Ctrl-C stops it."):format(sandbox.control))
  server.wait(sandbox) -- Ctrl-C ends the waiting, and not us
  sandbox.stop()
  context:say "\nThe sandbox is gone."
end

return {
  name = "sandbox", run = run,
  about = "Start a panel on this machine to try things on, until Ctrl-C.",
  details = "It is a whole panel that only pretends to deliver, served by nginx with its Lua module. It "
    .. "forgets everything when it stops.",
  options = {
    { flags = "--fault", arg = "FAULT", about = "Make it an odd panel: latency:0.3, lost@2, html, ..." },
    { flags = "--services", arg = "N", convert = whole, about = "How many services it lists (21)." },
    { flags = "--balance", arg = "AMOUNT", convert = amount, about = "The money that is there (100.84292)." },
    { flags = "--port", arg = "PORT", convert = port, about = "Listen here, not on a free port." },
  },
  examples = {
    { "smmpanel sandbox", "prints two lines to paste into another terminal" },
    { "smmpanel sandbox --fault lost@1", "a panel that loses the first answer" },
  },
}
