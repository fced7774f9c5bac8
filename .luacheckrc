std = "max"
max_line_length = 120
exclude_files = { "build", "bench/node_modules" }
files["spec"] = { std = "+busted" }
files["lua/smmpanel/sandbox"] = { read_globals = { "ngx" } }
files["lua/smmpanel/loop/ngx.lua"] = { read_globals = { "ngx" } }
files["lua/smmpanel/loop/ngx_detached.lua"] = { read_globals = { "ngx" } }
files["spec/loops/programs/neovim*.lua"] = { read_globals = { "vim" } }
files["spec/loops/programs/love"] = { globals = { "love" } }
files["spec/loops/programs/haproxy"] = { read_globals = { "core" } }
files["spec/loops/programs/luanti"] = { read_globals = { "minetest" } }
files["contrib/nginx"] = { read_globals = { "ngx" } }
files["spec/loops/support/resty"] = { read_globals = { "ngx" } }
files["contrib/luanti"] = { read_globals = { "minetest" } }
files["contrib/nvim"] = { globals = { "vim" } }
files["examples/tarantool"] = { read_globals = { "box" } }
files["examples/luanti"] = { read_globals = { "minetest" } }
files["examples/love_thread"] = { globals = { "love" } }
files["examples/haproxy"] = { read_globals = { "core" } }
files["examples/neovim"] = { read_globals = { "vim" } }
files["examples/love"] = { globals = { "love" } }
files["examples/nginx"] = { read_globals = { "ngx" } }
