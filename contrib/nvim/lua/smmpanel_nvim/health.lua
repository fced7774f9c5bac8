--- :checkhealth smmpanel_nvim
-- @module smmpanel_nvim.health

local health = {}

-- Neovim 0.10 has shorter names.
local report = vim.health or require "health"
local function reporter(name) return report[name] or report["report_" .. name] end
local start, ok, warn, failed, info =
  reporter "start", reporter "ok", reporter "warn", reporter "error", reporter "info"

local TIMEOUT = 5 -- seconds

local function check_module()
  local loaded, plugin = pcall(require, "smmpanel_nvim")
  local found, problem = loaded, plugin
  if loaded then found, problem = pcall(plugin.load) end
  if not found then
    failed("smmpanel cannot be loaded: " .. tostring(problem),
      { "Build the core for Neovim's Lua: make LUA=luajit (in lazy.nvim: build = \"make LUA=luajit\")" })
    return nil
  end
  ok("smmpanel " .. require "smmpanel".version)
  return plugin
end

local function check_settings(plugin)
  local made, panel = pcall(plugin.panel)
  if not made then
    failed(tostring(panel))
    return nil
  end
  ok(tostring(panel))
  return panel
end

local function check_panel(panel)
  local balance, err = panel:balance { timeout = TIMEOUT, retries = 0 }
  if balance then return ok "the panel answers and accepts the key" end
  if err.kind == "panel" then return failed("the panel refuses: " .. tostring(err)) end
  warn("the panel does not answer: " .. tostring(err))
end

function health.check()
  start "smmpanel"
  if vim.fn.has "nvim-0.7" == 0 then failed "Neovim 0.7 or later is needed" end
  local plugin = check_module()
  local panel = plugin and check_settings(plugin)
  if panel then check_panel(panel) else info "the panel was not checked" end
end

return health
