rockspec_format = "3.0"
package = "smmpanel-cli"
version = "scm-1"
source = { url = "git+https://github.com/smmpanel/smmpanel.git" }
description = {
  summary = "The command smmpanel: services, orders and balance of SMM panels from the shell",
  detailed = [[
    The daily work with a panel that speaks the order-panel API v2 from a terminal or a script: orders that are
    placed at most once, tables, CSV and JSON, a panel to try things on.]],
  homepage = "https://github.com/smmpanel/smmpanel",
  issues_url = "https://github.com/smmpanel/smmpanel/issues",
  labels = { "smm", "commandline" },
  license = "MIT",
}
supported_platforms = { "unix" }
dependencies = { "lua >= 5.1, < 5.6", "smmpanel", "lua-cjson", "argparse", "lua-term", "luafilesystem", "luasql-sqlite3" }
build = {
  type = "command",
  build_command = "true",
  install_command = [[LUADIR="$(LUADIR)" LIBDIR="$(LIBDIR)" BINDIR="$(BINDIR)" PREFIX="$(PREFIX)" tools/install any "$(LUA)" command]],
}
test_dependencies = { "busted" }
test = { type = "command", command = "smmpanel --version" }
