return {
  name = "man", hidden = true,
  about = "Write the manual page.",
  run = function(context) context:write(require("smmpanel.cli.man")()) end,
}
