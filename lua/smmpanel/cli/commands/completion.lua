local function run(context, args)
  context:print("%s", context.parser["get_" .. args.shell .. "_complete"](context.parser))
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
