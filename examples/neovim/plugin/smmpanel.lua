-- :PanelBalance says the balance; :PanelOrders 1 2 100 opens a buffer with their states, kept fresh.
vim.api.nvim_create_user_command("PanelBalance", function()
  require("smmpanel_orders").balance()
end, { desc = "The panel's balance" })

vim.api.nvim_create_user_command("PanelOrders", function(command)
  require("smmpanel_orders").open(command.fargs)
end, { nargs = "+", desc = "A buffer with the states of these orders" })
