rockspec_format = "3.0"
package = "smmpanel"
version = "0.1.0-1"
source = { url = "git+https://github.com/smmpanel/smmpanel.git", tag = "v0.1.0" }
description = {
  summary = "Order-panel API v2 client: exact, never orders twice, never blocks the host",
  detailed = [[
    Services, orders, their status, refills, cancels and balance of a panel that speaks the order-panel
    API v2, for plain Lua, OpenResty, Neovim, LÖVE and the common event loops. HTTP and parsing are C.]],
  license = "MIT",
}
dependencies = { "lua >= 5.1", "lua-cjson", "argparse", "lua-term", "luafilesystem", "luasql-sqlite3" }
build = {
  type = "make",
  build_target = "all",
  build_variables = { LUA = "$(LUA)", CFLAGS = "$(CFLAGS)", LUA_INC = "-I$(LUA_INCDIR)" },
  install_variables = {
    LUA = "$(LUA)", PREFIX = "$(PREFIX)", LUADIR = "$(LUADIR)", LIBDIR = "$(LIBDIR)", BINDIR = "$(BINDIR)",
  },
}
