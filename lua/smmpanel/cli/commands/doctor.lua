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
  about = "Check the set-up, and say what to do about what is wrong.",
  details = "Looks at the versions, the configuration and who can read it, the proxy, the connection (name, TLS), the "
    .. "clock, the key and balance, the catalogue, how the panel answers an unknown id, and the ledger. Nothing is "
    .. "ordered. Exits with 1 where something is wrong.",
  options = shared.with_panel {
    { flags = "--ledger", arg = "FILE", about = "The ledger, where it is not in its usual place." },
  },
  examples = { { "smmpanel doctor", "before the first order, and when something is odd" } },
}
