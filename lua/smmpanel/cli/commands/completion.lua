-- argparse's script for bash takes the word that is being typed for the command: "refill" could not become
-- "refill-status" any more.
local TAKEN, BEFORE = 'args=("${args[@]:1}")', 'args=("${args[@]:1:COMP_CWORD-1}")'

local function bash(text)
  local first, last = text:find(TAKEN, 1, true)
  return first and text:sub(1, first - 1) .. BEFORE .. text:sub(last + 1) or text
end

local function run(context, args)
  local text = context.parser["get_" .. args.shell .. "_complete"](context.parser)
  context:write(args.shell == "bash" and bash(text) or text)
end

return {
  name = "completion", run = run,
  about = "Write a completion script for a shell.",
  details = "make install puts these where the shells find them by themselves.",
  arguments = { { name = "shell", choices = { "bash", "zsh", "fish" }, about = "Which shell." } },
  examples = {
    { "source <(smmpanel completion bash)", "in ~/.bashrc" },
    { "smmpanel completion zsh >~/.zfunc/_smmpanel", "in a directory of zsh's fpath" },
    { "smmpanel completion fish >~/.config/fish/completions/smmpanel.fish", "for fish" },
  },
}
