-- The files whose docstrings are in the manual and in the help of the Neovim plugin.
return {
  "lua/smmpanel/init.lua", "lua/smmpanel/options.lua", "lua/smmpanel/client.lua", "lua/smmpanel/errors.lua",
  "lua/smmpanel/catalog/init.lua",
  "lua/smmpanel/ledger/init.lua", "lua/smmpanel/limiter/init.lua", "lua/smmpanel/loop/init.lua",
  "lua/smmpanel/sandbox/server/init.lua",
}
