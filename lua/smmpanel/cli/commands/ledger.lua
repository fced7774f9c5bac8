local fail = require "smmpanel.cli.fail"
local progress = require "smmpanel.cli.views.progress"
local shared = require "smmpanel.cli.options"

local function adopt(context)
  context:agree("adopt the account", "Do these keys belong to one account?", function()
    context:say "Refs placed at this panel with other keys move to the current key's account."
  end, "nothing was changed")
  local count, err = context:panel({ ledger = context:ledger() }):adopt_account()
  if not count then fail.client(err) end
  context:print("%s", count == 0 and "there is no other account to adopt"
    or ("%s account%s adopted"):format(progress.number(count), count == 1 and "" or "s"))
end

return {
  name = "ledger", run = adopt,
  about = "Confirm that a new key belongs to the account in the ledger.",
  details = "After the API key changes, the ledger refuses refs that were placed with the old key (other_account): it "
    .. "cannot know that both keys belong to one account. `smmpanel ledger adopt` confirms that they do.",
  arguments = { { name = "what", choices = { "adopt" }, about = "adopt: treat both keys as one account." } },
  options = shared.with_panel {
    shared.YES,
    { flags = "--ledger", arg = "FILE", about = "Use this ledger file, not the default one." },
  },
  examples = { { "smmpanel ledger adopt", "after the panel gave you a new key" } },
}
