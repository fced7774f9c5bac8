--- The manual page, in roff, made from the same descriptions as --help.
-- @module smmpanel.cli.man

local arguments = require "smmpanel.cli.arguments"
local core = require "smmpanel.core"
local csv = require "smmpanel.cli.input.csv"
local from = require "smmpanel.cli.input.from"

-- In roff, a line that begins with a dot or an apostrophe is a request.
local function escaped(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("\n([.'])", "\n\\&%1"):gsub("^([.'])", "\\&%1"))
end

local function bold(text) return "\\fB" .. escaped(text) .. "\\fR" end
local function italic(text) return "\\fI" .. escaped(text) .. "\\fR" end

local function add(out, ...)
  for _, line in ipairs { ... } do out[#out + 1] = line end
end

-- Adds "[", "]" and "..." as the number of arguments requires.
local function argument_text(argument)
  local name = argument.choices and bold(table.concat(argument.choices, "|")) or italic(argument.name)
  if argument.args == "*" then return "[" .. name .. "...]" end
  if argument.args == "?" then return "[" .. name .. "]" end
  return argument.args == "+" and name .. "..." or name
end

local function option_text(option)
  local flags = {}
  for flag in option.flags:gmatch "[^ ]+" do flags[#flags + 1] = bold(flag) end
  local text = table.concat(flags, ", ")
  local names = type(option.arg) == "table" and option.arg or { option.arg }
  for _, name in ipairs(names) do text = text .. " " .. italic(name) end
  return text
end

local function put_pairs(out, list, show)
  for _, entry in ipairs(list) do add(out, ".TP", show(entry[1]), escaped(entry[2])) end
end

local function put_options(out, options)
  for _, option in ipairs(options) do
    local choices = option.choices and " One of " .. table.concat(option.choices, ", ") .. "." or ""
    add(out, ".TP", option_text(option), escaped(option.about .. choices))
  end
end

local function put_examples(out, examples)
  for _, example in ipairs(examples) do
    add(out, ".TP", bold(example[1]), escaped(example[2]))
  end
end

local function put_command(out, command)
  local synopsis = { bold("smmpanel " .. command.name) }
  if command.options then synopsis[2] = "[" .. italic("options") .. "]" end
  for _, argument in ipairs(command.arguments or {}) do synopsis[#synopsis + 1] = argument_text(argument) end
  add(out, ".SS " .. table.concat(synopsis, " "), escaped(command.about))
  if command.details then add(out, ".PP", (escaped(command.details):gsub("\n\n", "\n.PP\n"))) end
  for _, list in ipairs(command.lists or {}) do
    add(out, ".PP", escaped(list.title))
    put_pairs(out, list.pairs, italic)
  end
  for _, argument in ipairs(command.arguments or {}) do
    add(out, ".TP", argument_text(argument), escaped(argument.about))
  end
  put_options(out, command.options or {})
  if command.examples then
    add(out, ".PP", "Examples:")
    put_examples(out, command.examples)
  end
end

local FILES = {
  { "~/.config/smmpanel/config.lua", "Profiles: named tables with the options of smmpanel.new; default names one of "
    .. "them. The file is refused if other users can read it. XDG_CONFIG_HOME changes the directory." },
  { "~/.cache/smmpanel", "The cached lists of services. XDG_CACHE_HOME changes the directory." },
  { "~/.local/state/smmpanel", "The ledgers, which record the refs of placed orders. Do not remove them: placed orders "
    .. "could be placed again. XDG_STATE_HOME changes the directory." },
}

local ENVIRONMENT = {
  { "SMMPANEL_URL, SMMPANEL_KEY", "The panel's full address, and the API key. There is no option for the key: other "
    .. "users can see command lines." },
  { "NO_COLOR", "If set, the output has no colours." },
  { "COLUMNS, LINES", "The size to use instead of the terminal's own." },
}

local LIMITS = {
  { "--from FILE", ("At most %d rows and %d MB."):format(csv.MOST_ROWS, from.MOST_MEGABYTES) },
  { "services", "An answer of at most 64 MB, about 260000 services, which take 260 MB of memory; --diff takes twice "
    .. "that. A profile's max_body changes the limit." },
  { "config.lua, key files", "At most 1 MB." },
}

--- Returns the page.
---@return string
return function()
  local out = {}
  add(out, '.\\" Made from the commands\' own descriptions by "smmpanel man".',
    (".TH SMMPANEL 1 \"\" \"smmpanel %s\" \"User Commands\""):format(core.version),
    ".SH NAME", "smmpanel \\- services, orders and balance of an order panel",
    ".SH SYNOPSIS", bold "smmpanel" .. " " .. italic "command" .. " [" .. italic "options" .. "] ["
      .. italic "arguments" .. "...]",
    ".SH DESCRIPTION", escaped(arguments.ABOUT),
    escaped "On a terminal, tables fit its width. Elsewhere nothing is cut.",
    ".SH COMMANDS")
  for _, command in ipairs(arguments.commands()) do
    if not command.hidden then put_command(out, command) end
  end
  add(out, ".SH EXIT STATUS")
  put_pairs(out, arguments.EXIT_CODES, bold)
  add(out, ".SH ENVIRONMENT")
  put_pairs(out, ENVIRONMENT, bold)
  add(out, ".SH FILES")
  put_pairs(out, FILES, italic)
  add(out, ".SH LIMITS")
  put_pairs(out, LIMITS, italic)
  add(out, ".SH EXAMPLES")
  put_examples(out, arguments.EXAMPLES)
  return table.concat(out, "\n")
end
