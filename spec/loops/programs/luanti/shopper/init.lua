-- Gives the command of examples/luanti as an operator would, prints what the player is sent, and stops the server.
local waits = 0

function minetest.chat_send_player(name, text) -- luacheck: ignore 122
  print(("%s: %s"):format(name, text))
  waits = waits - 1
  if waits == 0 then minetest.request_shutdown() end
end

minetest.after(0, function()
  for _, id in ipairs { "1", "100", "no id" } do
    local ok, why = minetest.registered_chatcommands.order.func("singleplayer", id)
    if ok then waits = waits + 1 else print(why) end
  end
end)
