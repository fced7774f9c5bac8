rockspec_format = "3.0"
package = "smmpanel"
version = "scm-1"
source = { url = "git+https://github.com/smmpanel/smmpanel.git" }
description = {
  summary = "Client for social media marketing (SMM) panels: order-panel API v2, never orders twice, never blocks",
  detailed = [[
    Services, orders, their status, refills, cancels and balance of a panel that speaks the order-panel
    API v2, for plain Lua, OpenResty, Neovim, LÖVE and the common event loops. HTTP and parsing are C.
    The command line is the rock smmpanel-cli.]],
  homepage = "https://github.com/smmpanel/smmpanel",
  issues_url = "https://github.com/smmpanel/smmpanel/issues",
  labels = { "smm", "api", "http", "client", "openresty" },
  license = "MIT",
}
supported_platforms = { "unix" }
dependencies = { "lua >= 5.1, < 5.6", "lua-cjson" }
-- Without the header: LuaRocks does not search Debian's and Ubuntu's directory for it (/usr/include/TRIPLET).
external_dependencies = { CURL = { library = "curl" }, ZLIB = { header = "zlib.h" } }
build = {
  type = "make",
  build_target = "all",
  build_variables = {
    LUA = "$(LUA)", CFLAGS = "$(CFLAGS)", LUA_INC = "-I$(LUA_INCDIR)",
    CURL = "-I$(CURL_INCDIR) -L$(CURL_LIBDIR) -lcurl",
  },
  install_variables = {
    LUA = "$(LUA)", PREFIX = "$(PREFIX)", LUADIR = "$(LUADIR)", LIBDIR = "$(LIBDIR)", LUA_INC = "-I$(LUA_INCDIR)",
    CURL = "-I$(CURL_INCDIR) -L$(CURL_LIBDIR) -lcurl", PARTS = "library",
  },
}
test_dependencies = { "busted" }
test = { type = "busted", flags = { "--lpath=./lua/?.lua;./lua/?/init.lua", "spec/errors_spec.lua", "spec/decimal_spec.lua" } }
