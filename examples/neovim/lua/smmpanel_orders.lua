-- A plugin for Neovim. Calls run in coroutines, so the editor is never blocked.
--
--   SMMPANEL_URL=… SMMPANEL_KEY=… nvim --cmd 'set rtp+=examples/neovim' -c 'PanelOrders 1 2 100'
local smmpanel = require "smmpanel"

local orders = { interval = 10 }

local panel

local function the_panel()
  panel = panel or smmpanel.new { url = vim.env.SMMPANEL_URL, key = vim.env.SMMPANEL_KEY }
  return panel
end

-- Shows an error of a coroutine like an error of a command.
local function go(f)
  coroutine.wrap(function()
    local ok, err = pcall(f)
    if not ok then vim.notify(tostring(err), vim.log.levels.ERROR) end
  end)()
end

function orders.balance()
  go(function()
    local record, err = the_panel():balance()
    if not record then return vim.notify(tostring(err), vim.log.levels.ERROR) end
    vim.notify(("Balance: %s %s"):format(record.balance, record.currency or ""))
  end)
end

local function draw(buffer, ids, board)
  local lines = {}
  for i, id in ipairs(ids) do
    local record = board[id] or {}
    lines[i] = ("%-12s %-14s %s"):format(id, record.status or record.error or "…", record.remains or "")
  end
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
end

--- Opens a buffer that shows the orders until all are final, or it is wiped.
function orders.open(ids)
  local buffer, board = vim.api.nvim_create_buf(false, true), {}
  vim.api.nvim_buf_set_name(buffer, "orders " .. table.concat(ids, " "))
  vim.api.nvim_set_current_buf(buffer)
  draw(buffer, ids, board)
  go(function()
    the_panel():watch(ids, { interval = orders.interval, on_change = function(id, record)
      board[id] = record
      if not vim.api.nvim_buf_is_valid(buffer) then error("the buffer was closed", 0) end
      draw(buffer, ids, board)
    end })
  end)
  return buffer
end

return orders
