function love.conf(t)
  t.window.title = "Orders"
  t.window.width, t.window.height = 640, 360
  -- Without a screen: `SMMPANEL_HEADLESS=1 love examples/love` prints the board once and ends.
  if os.getenv "SMMPANEL_HEADLESS" then
    for _, name in ipairs { "audio", "font", "graphics", "image", "joystick", "keyboard", "mouse", "physics",
                            "sound", "touch", "video", "window" } do
      t.modules[name] = false
    end
  end
end
