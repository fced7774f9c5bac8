-- Prints the words for shell completion: profiles, pending refs, fields of an order, faults of the sandbox. Prints
-- nothing if they cannot be determined, because an error message would disturb the completion.
local profiles = require "smmpanel.cli.input.profiles"
local text = require "smmpanel.util.text"

local KINDS = {}

function KINDS.profiles()
  local config = profiles.read(profiles.config_path() or "")
  local names = {}
  for name, value in pairs(config or {}) do
    if type(value) == "table" then names[#names + 1] = name end
  end
  return names
end

function KINDS.refs(context)
  local ok, list = pcall(function() return context:panel({ ledger = context:ledger() }):pending() end)
  local names = {}
  for _, entry in ipairs(ok and list or {}) do names[#names + 1] = entry.ref end
  return names
end

function KINDS.fields()
  local names = {}
  for i, name in ipairs(require("smmpanel.catalog").FIELDS) do names[i] = name .. "=" end
  return names
end

function KINDS.faults()
  local names = {}
  for name in pairs(require("smmpanel.sandbox.faults").by_name) do names[#names + 1] = name end
  return names
end

return {
  name = "words", hidden = true,
  about = "Print words for shell completion, one on each line.",
  arguments = { { name = "kind", about = "Which words.", choices = { "profiles", "refs", "fields", "faults" } } },
  run = function(context, args)
    local names = KINDS[args.kind](context)
    table.sort(names)
    for _, name in ipairs(names) do
      -- bash's compgen runs what a word contains, such as <(reboot), and inserts the word without quotes.
      if text.shell_word(name) == name then context:print("%s", name) end
    end
  end,
}
