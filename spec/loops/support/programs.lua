-- The programs in which the scenario and the contexts run. Neovim, LÖVE and this Copas have the 5.1 ABI; luv and
-- cqueues run on the Lua that runs the specs.
local process = require "spec.support.process"

local is_51 = _VERSION == "Lua 5.1"

local NEOVIM = "nvim --headless -u NONE -i NONE -n -c "

local function with_lua(name) return process.lua() .. " spec/loops/programs/" .. name .. ".lua" end

return {
  neovim = NEOVIM,
  { name = "luv", closes = false, command = with_lua "luv" },
  { name = "cqueues", command = with_lua "cqueues" },
  { name = "Copas", command = is_51 and with_lua "copas" },
  { name = "Neovim", command = is_51 and NEOVIM .. "'luafile spec/loops/programs/neovim.lua'" },
  { name = "LÖVE", frames = true, command = is_51 and "love spec/loops/programs/love" },
}
