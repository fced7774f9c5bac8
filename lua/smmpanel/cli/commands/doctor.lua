local doctor = require "smmpanel.cli.doctor"
local fail = require "smmpanel.cli.fail"
local shared = require "smmpanel.cli.options"
local terminal = require "smmpanel.cli.views.terminal"

local function run(context)
  local examined, paint, bad = doctor.new(context), terminal.painter(io.stdout), 0
  for _, check in ipairs(doctor.CHECKS) do
    local found, advice = check[2](examined)
    if not found then bad = bad + 1 end
    local mark = found and paint("good", "ok   ") or paint("bad", "wrong")
    context:write(("%s  %-13s  "):format(mark, check[1]) .. context:cleaned(found or advice))
    terminal.flush(io.stdout)
  end
  return bad == 0 and 0 or fail.SOME
end

return {
  name = "doctor", run = run,
  about = "Check the setup and suggest a fix for each problem.",
  details = "Checks the versions, the configuration and its permissions, the proxy, the connection (DNS, TLS), "
    .. "libcurl, the clock, the key, the balance, the catalogue, the panel's answer to an unknown order id, and the "
    .. "ledger. Places no order. Exits with 1 if something is wrong.",
  options = shared.with_panel {
    { flags = "--ledger", arg = "FILE", about = "Use this ledger file, not the default one." },
  },
  examples = { { "smmpanel doctor", "before the first order, or when something looks wrong" } },
}
