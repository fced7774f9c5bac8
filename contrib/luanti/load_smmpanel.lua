-- Loads smmpanel into a Luanti (Minetest) server mod. Copy this file next to the mod's init.lua and name the mod in
-- `secure.trusted_mods` of minetest.conf:
--
--     local trusted = minetest.request_insecure_environment()
--     local smmpanel = dofile(minetest.get_modpath(minetest.get_current_modname()) .. "/load_smmpanel.lua")(trusted)
--
-- Mod security removes `require`, `io` and `debug` from a mod's globals. Only the modules of smmpanel get them back.
-- Keep the result local, because code that has it can access the network.

local function searcher(trusted, environment)
  return function(name)
    if not (name == "smmpanel" or name:find "^smmpanel%.") then return nil end
    local path = trusted.package.searchpath(name, trusted.package.path)
    if not path then return nil end
    local chunk, why = trusted.loadfile(path)
    if not chunk then error(why, 0) end
    return setfenv(chunk, environment)
  end
end

return function(trusted)
  assert(trusted, "the mod is not trusted: add it to secure.trusted_mods")
  local environment = setmetatable({ _G = _G }, { __index = function(_, name)
    if trusted[name] ~= nil then return trusted[name] end
    return rawget(_G, name)
  end })
  table.insert(trusted.package.loaders, 2, searcher(trusted, environment))
  local smmpanel = trusted.require "smmpanel"
  -- An error in a coroutine must not end the server.
  minetest.register_globalstep(function()
    local ok, thrown = pcall(smmpanel.step)
    if not ok then minetest.log("error", "smmpanel: " .. tostring(thrown)) end
  end)
  return smmpanel
end
