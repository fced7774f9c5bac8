return {
  name = "man", hidden = true,
  about = "Write the manual page.",
  run = function(context) context:print("%s", require("smmpanel.cli.man")()) end,
}
