-- The plugin of contrib/nvim in a real editor: what was loaded at its start, :checkhealth, the commands.
local function loaded()
  local names = {}
  for name in pairs(package.loaded) do
    if name:find "^smmpanel" then names[#names + 1] = name end
  end
  return #names
end

local function lines() return vim.api.nvim_buf_get_lines(0, 0, -1, false) end

local function say(name, text) io.stdout:write("\n", name, ": ", text:gsub("\n", "\nx "), "\n") end

local function wait_for(name)
  vim.wait(10000, function() return vim.api.nvim_buf_get_name(0):find("smmpanel://%d+/" .. name) ~= nil end)
end

say("loaded at start", tostring(loaded()))
vim.cmd "checkhealth smmpanel_nvim"
say("health", table.concat(lines(), "\n"))
if not os.getenv "SMMPANEL_URL" then vim.cmd "qall!" end

vim.cmd "SmmStatus 1 999999"
wait_for "orders"
say("status", table.concat(lines(), "\n"))
say("status completes to", table.concat(vim.fn.getcompletion("SmmStatus 9", "cmdline"), " "))

vim.cmd "new"
vim.api.nvim_buf_set_lines(0, 0, -1, false, { "order 100" })
vim.cmd "normal $"
vim.cmd "SmmStatus"
wait_for "orders 100"
say("under the cursor", table.concat(lines(), "\n"))

vim.cmd "SmmServices mentions followers"
wait_for "services"
say("services", table.concat(lines(), "\n"))
say("services complete to", table.concat(vim.fn.getcompletion("SmmServices inst", "cmdline"), " "))

local told = {}
function vim.notify(text) told[#told + 1] = text end -- luacheck: ignore
vim.cmd "SmmBalance"
vim.wait(10000, function() return told[1] ~= nil end)
say("balance", tostring(told[1]))
vim.cmd "qall!"
