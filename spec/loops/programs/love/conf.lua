-- Without a window, as there may be no screen, unless SPEC_WINDOW is set.
function love.conf(t)
  t.modules.audio, t.modules.sound = false, false
  if os.getenv "SPEC_WINDOW" then return end
  for _, name in ipairs { "font", "graphics", "image", "joystick", "keyboard", "mouse", "physics",
                          "system", "touch", "video", "window" } do
    t.modules[name] = false
  end
end
