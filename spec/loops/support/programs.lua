-- The programs in which the scenario and the contexts run. Neovim, LÖVE, Tarantool, Luanti and this Copas have the
-- 5.1 ABI; luv, cqueues and GLib run on the Lua that runs the specs, or on 5.3 (lua-lgi has no 5.4); HAProxy has the
-- Lua that it was built with.
local process = require "spec.support.process"
local system = require "spec.support.system"

local is_51 = _VERSION == "Lua 5.1"

local NEOVIM = "nvim --headless -u NONE -i NONE -n -c "

local function output(command) return system.output(command .. " 2>/dev/null") end

local function has(program) return output("PATH=$PATH:/usr/sbin:/usr/games command -v " .. program) ~= "" end

local function with(lua, name) return lua .. " spec/loops/programs/" .. name .. ".lua" end

local function core_for(version) return ("env LUA_CPATH='./build/%s/?.so;;' "):format(version) end

-- A package may be installed and not load: Debian sid's lua-copas lacks timerwheel.
local function loads(lua, module) return output(("%s -e 'require \"%s\" print(1)'"):format(lua, module)) ~= "" end

local function copas(lua) return is_51 and loads(lua, "copas") end

local function glib()
  local lua = is_51 and process.lua() or "lua5.3"
  if not loads(lua, "lgi") then return nil end
  return core_for(is_51 and "5.1" or "5.3") .. with(lua, "glib")
end

local function haproxy_lua()
  return output("PATH=$PATH:/usr/sbin haproxy -vv"):match "Built with Lua version : Lua (%d%.%d)"
end

local function haproxy(port, name)
  local version = haproxy_lua()
  if not version or is_51 then return nil end
  local folder = "spec/loops/programs/haproxy/"
  return core_for(version) .. ("SPEC_ADDRESS=127.0.0.1:%d SPEC_PROGRAM=%s%s.lua "):format(port, folder, name) ..
    ("PATH=$PATH:/usr/sbin haproxy -db -f %s%s.cfg"):format(folder, name)
end

local function luanti(arguments)
  if not is_51 or not (has "minetestserver" or has "luantiserver") then return nil end
  return ("spec/loops/programs/luanti/run %d %s"):format(system.free_port(), arguments)
end

return {
  neovim = NEOVIM, has = has, loads = loads, haproxy_lua = haproxy_lua, haproxy = haproxy, luanti = luanti,
  { name = "luv", closes = false, command = with(process.lua(), "luv") },
  { name = "cqueues", command = with(process.lua(), "cqueues") },
  { name = "Copas", command = copas(process.lua()) and with(process.lua(), "copas") },
  { name = "GLib", command = glib() },
  { name = "Tarantool", closes = false, command = is_51 and has "tarantool" and with("tarantool", "tarantool") },
  { name = "HAProxy", closes = false, polls = true, command = haproxy(system.free_port(), "main") },
  { name = "Neovim", command = is_51 and NEOVIM .. "'luafile spec/loops/programs/neovim.lua'" },
  { name = "LÖVE", frames = true, command = is_51 and "love spec/loops/programs/love" },
  { name = "LÖVE with a window", closes = false, is_again = true,
    command = is_51 and has "xvfb-run" and "SPEC_WINDOW=1 xvfb-run -a love spec/loops/programs/love" },
  { name = "Luanti", closes = false,
    command = luanti "spec=spec/loops/programs/luanti/mod -- 'dedicated_server_step = 0.02'" },
}
