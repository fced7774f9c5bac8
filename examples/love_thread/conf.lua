-- No window: the example is about the thread.
function love.conf(t)
  for _, name in ipairs { "audio", "font", "graphics", "image", "joystick", "keyboard", "mouse", "physics",
                          "sound", "system", "touch", "video", "window" } do
    t.modules[name] = false
  end
end
