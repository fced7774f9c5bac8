-- A Luanti (Minetest) server mod: "/order ID" tells a player the state of an order, without blocking the server.
-- Copy contrib/luanti/load_smmpanel.lua next to this file. In minetest.conf:
--
--   secure.trusted_mods = smm_shop
--   smm_shop.url = https://panel.example/api/v2
--   smm_shop.key = …
local trusted = minetest.request_insecure_environment()
local load = dofile(minetest.get_modpath(minetest.get_current_modname()) .. "/load_smmpanel.lua")
local smmpanel = load(trusted)

local panel = smmpanel.new {
  url = minetest.settings:get "smm_shop.url", key = minetest.settings:get "smm_shop.key", loop = "frame",
}

minetest.register_chatcommand("order", {
  params = "<id>", privs = { server = true }, description = "Show the state of an order",
  func = function(name, id)
    if not id:find "^%d+$" then return false, "Give the number of an order." end
    coroutine.wrap(function()
      local record, err = panel:status(id)
      minetest.chat_send_player(name, record and record.status or tostring(err))
    end)()
    return true
  end,
})
