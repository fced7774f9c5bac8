local arguments = require "smmpanel.cli.arguments"
local shared = require "smmpanel.cli.options"

-- argparse's script for bash treats the word at the cursor as the command, so "refill" could not be completed to
-- "refill-status".
local TAKEN, BEFORE = 'args=("${args[@]:1}")', 'args=("${args[@]:1:COMP_CWORD-1}")'

-- It also offers files everywhere. Here the name of an option's argument decides what is offered.
local FILES = 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))'
local WORDS = { NAME = "profiles", REF = "refs", FAULT = "faults" }

local function offer(kind)
  return ('COMPREPLY=($(compgen -W "$(smmpanel words %s 2>/dev/null)" -- "$cur"))'):format(kind)
end

-- last flag -> name of its argument
local function argument_names()
  local names = {}
  local function add(options)
    for _, option in ipairs(options or {}) do names[option.flags:match "[^ ]+$"] = option.arg end
  end
  add(shared.PANEL)
  for _, command in ipairs(arguments.commands()) do add(command.options) end
  return names
end

local function plain_replace(text, what, with)
  local first, last = text:find(what, 1, true)
  return first and text:sub(1, first - 1) .. with .. text:sub(last + 1) or text
end

local POSITIONAL = [==[
    elif [[ "$cmd" = add ]]; then
        compopt -o nospace 2>/dev/null
        %s
    elif [[ "$cmd" = resolve ]]; then
        %s
    elif [[ "$cmd" = completion ]]; then
        COMPREPLY=($(compgen -W "bash zsh fish" -- "$cur"))
    elif [[ "$cmd" = ledger ]]; then
        COMPREPLY=($(compgen -W "adopt" -- "$cur"))
    fi
}
]==]

local function bash(text)
  local names = argument_names()
  text = plain_replace(text, TAKEN, BEFORE)
  text = text:gsub('(\n +([%w|-]+)%)\n +)COMPREPLY=%(%$%(compgen %-f %-%- "%$cur"%)%)', function(head, flags)
    local name = names[flags:match "[^|]+$"]
    return head .. (name == "FILE" and FILES or WORDS[name] and offer(WORDS[name]) or "COMPREPLY=()")
  end)
  text = plain_replace(text, "    fi\n}\n\ncomplete", POSITIONAL:format(offer "fields", offer "refs") .. "\ncomplete")
  return plain_replace(text, " -o bashdefault -o default ", " ")
end

local ZSH_WORDS = [==[
_smmpanel_words() {
  local -a words_offered
  words_offered=(${(f)"$(smmpanel words $1 2>/dev/null)"})
  compadd -S "${2- }" -- $words_offered
}

]==]

-- _arguments runs an action that begins with a space as it is; a space alone offers nothing.
local ZSH_FIELDS, ZSH_REFS, ZSH_NOTHING = ": : _smmpanel_words fields ''", ": : _smmpanel_words refs", ": : "

local function zsh_option(names, flag)
  local name = names["--" .. flag]
  return name == "FILE" and ": :_files" or WORDS[name] and ": : _smmpanel_words " .. WORDS[name] or ZSH_NOTHING
end

-- Commands accept files only through options.
local function zsh_arguments(block)
  local command = block:match "^    ([%w-]+)%)"
  if command == "add" then block = plain_replace(block, ": :_files\" \\", ZSH_FIELDS .. "\" \\") end
  if command == "resolve" then block = plain_replace(block, ": :_files\" \\", ZSH_REFS .. "\" \\") end
  return (block:gsub('("%*?): :_files(" \\)', "%1" .. ZSH_NOTHING .. "%2"))
end

local function zsh(text)
  local names = argument_names()
  text = text:gsub('(%-%-([%w-]+)}?"?%[[^\n]*%]): :_files"', function(head, flag)
    return head .. zsh_option(names, flag) .. '"'
  end)
  text = text:gsub("    [%w-]+%)\n.-\n      ;;\n", zsh_arguments)
  return plain_replace(text, "_smmpanel() {", ZSH_WORDS .. "_smmpanel() {")
end

local FISH = "complete -c smmpanel -n '__fish_smmpanel_seen_command %s' -a '(smmpanel words %s 2>/dev/null)'\n"

local function fish(text)
  local names = argument_names()
  text = text:gsub("%-l ([%w-]+) %-r ", function(flag)
    local name = names["--" .. flag]
    local offered = WORDS[name] and ("-x -a '(smmpanel words %s 2>/dev/null)'"):format(WORDS[name])
    return ("-l %s %s "):format(flag, offered or name == "FILE" and "-r -F" or "-x")
  end)
  return text .. "complete -c smmpanel -f\n" .. FISH:format("add", "fields") .. FISH:format("resolve", "refs")
end

local CHANGED = { bash = bash, zsh = zsh, fish = fish }

local function run(context, args)
  local text = context.parser["get_" .. args.shell .. "_complete"](context.parser)
  context:write(CHANGED[args.shell](text))
end

return {
  name = "completion", run = run,
  about = "Print a completion script for a shell.",
  details = "`make install` installs these scripts where the shells look for them. The scripts also complete "
    .. "profiles, pending refs, order fields and sandbox faults.",
  arguments = { { name = "shell", choices = { "bash", "zsh", "fish" }, about = "The shell." } },
  examples = {
    { "source <(smmpanel completion bash)", "in ~/.bashrc" },
    { "smmpanel completion zsh >~/.zfunc/_smmpanel", "in a directory of zsh's fpath" },
    { "smmpanel completion fish >~/.config/fish/completions/smmpanel.fish", "for fish" },
  },
}
