rockspec_format = "3.0"
package = "smmpanel"
version = "scm-1"
source = { url = "git+https://github.com/smmpanel/smmpanel.git" }
description = {
  summary = "Order-panel API v2 client: exact, never orders twice, never blocks the host",
  detailed = [[
    Services, orders, their status, refills, cancels and balance of a panel that speaks the order-panel
    API v2, for plain Lua, OpenResty, Neovim, LÖVE and the common event loops. HTTP and parsing are C.]],
  license = "MIT",
}
dependencies = { "lua >= 5.1", "lua-cjson" }
external_dependencies = { CURL = { header = "curl/curl.h", library = "curl" } }
build = {
  type = "builtin",
  modules = {
    ["smmpanel.core"] = {
      sources = {
        "csrc/form.c", "csrc/json.c", "csrc/values.c", "csrc/wake.c", "csrc/exchange.c", "csrc/engine.c",
        "csrc/module.c",
      },
      defines = { "_GNU_SOURCE" },
      libraries = { "curl", "pthread" },
      incdirs = { "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
    },
  },
}
