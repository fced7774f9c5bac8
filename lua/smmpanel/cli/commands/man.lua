return {
  name = "man", hidden = true,
  about = "Print the manual page.",
  run = function(context) context:write(require("smmpanel.cli.man")()) end,
}
