local fail = require "smmpanel.cli.fail"
local progress = require "smmpanel.cli.views.progress"
local shared = require "smmpanel.cli.options"

local function adopt(context, args)
  if not args.yes then
    if not context:can_ask() then fail.usage "not a terminal: pass --yes to adopt the account" end
    context:say "The refs that were placed at this panel under other keys become those of the key that is set up now."
    if not context:confirm "Are all these keys of one account?" then fail.with(fail.SOME, "nothing was changed") end
  end
  local count, err = context:panel({ ledger = context:ledger() }):adopt_account()
  if not count then fail.client(err) end
  context:print("%s", count == 0 and "there was no other account to join"
    or ("%s account%s joined"):format(progress.number(count), count == 1 and "" or "s"))
end

return {
  name = "ledger", run = adopt,
  about = "Declare a new key to be the account that the ledger knows.",
  details = "After a key was changed, refs that were placed with the old one are refused (other_account): the ledger "
    .. "cannot know that it is the same account. `smmpanel ledger adopt` says so.",
  arguments = { { name = "what", choices = { "adopt" }, about = "adopt: join this key's account with the others." } },
  options = shared.with_panel {
    { flags = "-y --yes", about = "Do not ask." },
    { flags = "--ledger", arg = "FILE", about = "The ledger, where it is not in its usual place." },
  },
  examples = { { "smmpanel ledger adopt", "the panel gave me a new key" } },
}
