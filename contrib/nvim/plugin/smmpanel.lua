-- :SmmBalance, :SmmStatus, :SmmServices. Nothing is loaded before the first of them is used.
if vim.g.loaded_smmpanel_nvim then return end
vim.g.loaded_smmpanel_nvim = true

local function run(name)
  return function(command) require("smmpanel_nvim")[name](command.fargs) end
end

local function complete(name)
  return function(lead) return require("smmpanel_nvim").complete(name, lead) end
end

local command = vim.api.nvim_create_user_command

command("SmmBalance", run "balance", { nargs = 0, desc = "Show the panel's balance" })
command("SmmStatus", run "status", { nargs = "*", complete = complete "status",
  desc = "Show the status of orders; without ids of the one under the cursor" })
command("SmmServices", run "services", { nargs = "*", complete = complete "services",
  desc = "List the services whose name or category has these words" })
