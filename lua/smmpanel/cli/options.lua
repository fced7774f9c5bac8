--- Options of several commands: the panel, and the format of the result.
-- @module smmpanel.cli.options

local shared = {}

--- The options that select the panel.
shared.PANEL = {
  { flags = "-p --panel", arg = "NAME", about = "Use this profile of the configuration file." },
  { flags = "--key-file", arg = "FILE", about = "Read the API key from this file; only its owner must have access." },
  { flags = "--debug", about = "Print each request and answer on stderr, without the key." },
}

--- The option of every command that asks before a write: see Context:agree.
---@type smmpanel.cli.Option
shared.YES = { flags = "-y --yes", about = "Do not ask for confirmation." }

local FORMATS = {
  { flags = "--json", about = "Write JSON: an array with one record per line." },
  { flags = "--csv", about = "Write CSV with a header line." },
  { flags = "--lua", about = "Write a Lua table." },
  { flags = "--raw-csv", about = "With --csv: do not put ' before texts that a spreadsheet reads as formulas." },
}

shared.FORMATS_EXCLUDE = { { "--json", "--csv", "--lua" } }

local function joined(...)
  local all = {}
  for _, list in ipairs { ... } do
    for _, option in ipairs(list) do all[#all + 1] = option end
  end
  return all
end

--- Returns a command's own options and those of the panel.
---@param own smmpanel.cli.Option[]
---@return smmpanel.cli.Option[]
function shared.with_panel(own)
  return joined(own, shared.PANEL)
end

--- Returns a command's own options, those of the panel and those of the format.
---@param own smmpanel.cli.Option[]
---@return smmpanel.cli.Option[]
function shared.with_formats(own)
  return joined(own, FORMATS, shared.PANEL)
end

return shared
