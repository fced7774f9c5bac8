local arguments = require "smmpanel.cli.arguments"
local shared = require "smmpanel.cli.options"

-- argparse's script for bash takes the word that is being typed for the command: "refill" could not become
-- "refill-status" any more.
local TAKEN, BEFORE = 'args=("${args[@]:1}")', 'args=("${args[@]:1:COMP_CWORD-1}")'

-- It offers files everywhere, too. Here what an option's argument is called says what is offered.
local FILES = 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur"))'
local WORDS = { NAME = "profiles", REF = "refs", FAULT = "faults" }

local function offer(kind)
  return ('COMPREPLY=($(compgen -W "$(smmpanel words %s 2>/dev/null)" -- "$cur"))'):format(kind)
end

-- last flag -> what its argument is called
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

local function run(context, args)
  local text = context.parser["get_" .. args.shell .. "_complete"](context.parser)
  context:write(args.shell == "bash" and bash(text) or text)
end

return {
  name = "completion", run = run,
  about = "Print a completion script for a shell.",
  details = "`make install` installs these scripts where the shells look for them. In bash, the script also completes "
    .. "profiles, pending refs, order fields and sandbox faults.",
  arguments = { { name = "shell", choices = { "bash", "zsh", "fish" }, about = "The shell." } },
  examples = {
    { "source <(smmpanel completion bash)", "in ~/.bashrc" },
    { "smmpanel completion zsh >~/.zfunc/_smmpanel", "in a directory of zsh's fpath" },
    { "smmpanel completion fish >~/.config/fish/completions/smmpanel.fish", "for fish" },
  },
}
