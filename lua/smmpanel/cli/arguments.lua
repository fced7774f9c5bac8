--- The commands and their options. Each command describes itself once, in its own file; argparse, the man page and the
-- completions use this description.
-- @module smmpanel.cli.arguments

local arguments = {}

local argparse = require "argparse"
local fail = require "smmpanel.cli.fail"
local lfs = require "lfs"
local shared = require "smmpanel.cli.options"
local terminal = require "smmpanel.cli.views.terminal"

---@class smmpanel.cli.Option
---@field flags string "-p --panel"
---@field about string one sentence
---@field arg? string|string[] name of its argument; nil: the option is a flag
---@field args? string|integer how many arguments, as in argparse
---@field count? string how often it may be given, as in argparse
---@field choices? string[]
---@field convert? fun(text: string): any?, string?

---@class smmpanel.cli.Argument
---@field name string
---@field about string
---@field args? string "*", "?", "+"
---@field choices? string[]

---@class smmpanel.cli.Command
---@field name string
---@field about string one sentence
---@field details? string paragraphs
---@field lists? { title: string, pairs: string[][] }[] after the details
---@field arguments? smmpanel.cli.Argument[]
---@field options? smmpanel.cli.Option[]
---@field exclusive? string[][] options that exclude each other, by their last flag
---@field examples? string[][] { command line, what it does }
---@field hidden? boolean
---@field run fun(context: smmpanel.cli.Context, args: table): integer?

-- The order of the commands in the help. A command that is not named here comes last, so a new command needs only its
-- own file.
local ORDER = { "doctor", "balance", "services", "add", "status", "watch", "refill", "refill_status", "cancel", "call",
  "pending", "resolve", "ledger", "sandbox", "completion", "words", "man" }

local DIRECTORY = debug.getinfo(1, "S").source:match "^@(.*/)" .. "commands"

local function module_names()
  local rank, names = {}, {}
  for i, name in ipairs(ORDER) do rank[name] = ("%02d"):format(i) end
  for file in lfs.dir(DIRECTORY) do names[#names + 1] = file:match "^([a-z_]+)%.lua$" end
  table.sort(names, function(a, b) return (rank[a] or a) < (rank[b] or b) end)
  return names
end

--- Returns the commands, in the order of the help.
---@return smmpanel.cli.Command[]
function arguments.commands()
  local commands = {}
  for i, name in ipairs(module_names()) do commands[i] = require("smmpanel.cli.commands." .. name) end
  return commands
end

arguments.ABOUT = "Services, orders and balance of an SMM panel with the order-panel API v2."

arguments.EXIT_CODES = {
  { "0", "success" },
  { "1", "some or all of it failed" },
  { "2", "wrong usage: nothing was sent" },
  { "3", "refused by the panel, the ledger or --max-cost; or the answer cannot be used" },
  { "4", "the panel cannot be reached or did not answer in time; nothing was carried out" },
  { "5", "uncertain: it may have been carried out; do not repeat it, check smmpanel pending" },
  { "130", "stopped by Ctrl-C" },
}

arguments.EXAMPLES = {
  { "smmpanel services instagram likes --sort rate", "the cheapest likes" },
  { "smmpanel add service=1 link=https://example.com/p/1 quantity=1000", "place an order" },
  { "smmpanel add --from orders.csv", "place many, each once" },
  { "smmpanel status 23501 23502", "the status of two orders" },
  { "smmpanel watch 23501", "wait until it is done" },
  { "smmpanel sandbox", "a test panel on this machine" },
}

local function example_text(examples)
  local lines = {}
  for _, example in ipairs(examples) do
    lines[#lines + 1] = "  " .. example[1] .. "\n      " .. example[2]
  end
  return table.concat(lines, "\n")
end

-- Formats a name and its meaning, with an indent on continuation lines, which argparse lacks.
local function pair_text(pair, columns, width)
  local line, lines = "  " .. pair[1] .. (" "):rep(width - #pair[1]), {}
  for word in pair[2]:gmatch "%S+" do
    if #line + 1 + #word > columns and #line > width + 3 then
      lines[#lines + 1] = line
      line = (" "):rep(width + 2)
    end
    line = line .. " " .. word
  end
  lines[#lines + 1] = line
  return "\n" .. table.concat(lines, "\n")
end

local function exit_code_text(columns)
  local lines = {}
  for i, code in ipairs(arguments.EXIT_CODES) do lines[i] = pair_text(code, columns, 4) end
  return table.concat(lines)
end

local function last_flag(flags)
  return flags:match "[^ ]+$"
end

-- Returns "-n, --limit N"; argparse itself would print two lines.
local function label_of(option)
  local names = type(option.arg) == "table" and option.arg or { option.arg }
  local label = option.flags:gsub(" ", ", ")
  for i, name in ipairs(names) do
    label = label .. " " .. (option.args == "2-3" and i == 3 and "[" .. name .. "]" or name)
  end
  return label
end

local function add_option(parser, option)
  local made = option.arg and parser:option(option.flags) or parser:flag(option.flags)
  made:description(option.about)
  made._get_label_lines = function() return { label_of(option) } end
  if option.arg then made:argname(option.arg) end
  if option.args then made:args(option.args) end
  if option.count then made:count(option.count) end
  if option.choices then made:choices(option.choices) end
  if option.convert then made:convert(option.convert) end
  return made
end

local function add_argument(parser, argument)
  local made = parser:argument(argument.name):description(argument.about)
  if argument.args then made:args(argument.args) end
  if argument.choices then made:choices(argument.choices) end
end

-- Like argparse's own --help, but it detects a failed write.
local function with_help(parser)
  return parser:add_help { action = function()
    terminal.write(io.stdout, parser:get_help(), "\n")
    terminal.flush(io.stdout)
    fail.with(0, "")
  end }
end

local function argument_text(argument)
  local text = argument.choices and table.concat(argument.choices, "|") or "<" .. argument.name .. ">"
  if argument.args == "*" or argument.args == "+" then text = text .. " ..." end
  return (argument.args == "*" or argument.args == "?") and "[" .. text .. "]" or text
end

local function synopsis(command)
  local parts = { "smmpanel " .. command.name, command.options and "[options]" }
  for _, argument in ipairs(command.arguments or {}) do parts[#parts + 1] = argument_text(argument) end
  return table.concat(parts, " ")
end

local function lists_text(lists, columns)
  local parts = {}
  for _, list in ipairs(lists) do
    parts[#parts + 1] = "\n\n" .. list.title
    for _, pair in ipairs(list.pairs) do parts[#parts + 1] = pair_text(pair, columns, 26) end
  end
  return table.concat(parts)
end

local function add_command(root, command, columns)
  local parser = with_help(root:command(command.name)):summary(command.about)
  parser:description(command.about .. (command.details and "\n\n" .. command.details or "")
    .. lists_text(command.lists or {}, columns))
  parser:usage("Usage: " .. synopsis(command))
  if command.examples then parser:epilog("Examples:\n" .. example_text(command.examples)) end
  for _, argument in ipairs(command.arguments or {}) do add_argument(parser, argument) end
  local made = {}
  for _, option in ipairs(command.options or {}) do
    made[last_flag(option.flags)] = add_option(parser, option)
  end
  for _, names in ipairs(command.exclusive or {}) do
    local group = {}
    for i, name in ipairs(names) do group[i] = made[name] end
    parser:mutex((table.unpack or unpack)(group))
  end
end

--- Returns the parser.
---@param columns integer width of the help
---@param version string
---@param on_error fun(parser: table, message: string) must not return
---@param hidden? string the hidden command to include; help and completions list no hidden commands
---@return table
function arguments.parser(columns, version, on_error, hidden)
  local root = with_help(argparse("smmpanel", arguments.ABOUT))
  root:help_max_width(columns):usage_max_width(columns):require_command(true):command_target "command"
  root:epilog("Examples:\n" .. example_text(arguments.EXAMPLES) .. "\n\nExit codes:" .. exit_code_text(columns)
    .. "\n\nFor more, see `smmpanel COMMAND --help` and `man smmpanel`.")
  for _, option in ipairs(shared.PANEL) do
    -- Each command has this option too, and its default would overwrite a value given before the command's name.
    add_option(root, option):target("early_" .. last_flag(option.flags):sub(3):gsub("-", "_"))
  end
  root:flag("--version"):description("Show the version and exit."):action(function()
    terminal.write(io.stdout, "smmpanel ", version, "\n")
    terminal.flush(io.stdout)
    fail.with(0, "")
  end)
  for _, command in ipairs(arguments.commands()) do
    if not command.hidden or command.name == hidden then add_command(root, command, columns) end
  end
  root.error = on_error
  return root
end

return arguments
