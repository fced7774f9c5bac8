-- Waits until the example has shown the balance, and its buffer the third order; prints that line.
local function third_line() return vim.api.nvim_buf_get_lines(0, 2, 3, false)[1] end

vim.wait(10000, function()
  return third_line():find "In progress" ~= nil and vim.fn.execute "messages":find "Balance" ~= nil
end)
io.stdout:write("\n", third_line(), "\n")
vim.cmd "qall!"
