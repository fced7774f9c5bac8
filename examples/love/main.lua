-- LÖVE: a live board of orders. A coroutine makes the calls, and `smmpanel.step()` in love.update continues them.
--
--   SMMPANEL_URL=… SMMPANEL_KEY=… SMMPANEL_ORDERS=1,2,100 love examples/love
local smmpanel = require "smmpanel"

local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY" }
local ids, board, message = {}, {}, "asking…"
local COLOURS = { completed = { 0.3, 0.8, 0.4 }, open = { 0.9, 0.8, 0.3 }, partial = { 0.9, 0.5, 0.2 } }
local GREY, WHITE = { 0.6, 0.6, 0.6 }, { 1, 1, 1 }

local function show(id, record)
  board[id] = record
  message = nil
end

local function follow()
  local _, err = panel:watch(ids, { interval = 5, on_change = show })
  message = err and tostring(err) or "all done"
end

function love.load()
  for id in (os.getenv "SMMPANEL_ORDERS" or "1,2,100"):gmatch "%w+" do ids[#ids + 1] = id end
  coroutine.wrap(follow)()
end

local function line_of(id)
  local record = board[id] or {}
  return ("#%s  %s  %s"):format(id, record.status or record.error or "…", record.remains or "")
end

-- Without a screen: prints the board once it is full.
local function print_board()
  for _, id in ipairs(ids) do
    if not board[id] then return end
  end
  for _, id in ipairs(ids) do print(line_of(id)) end
  love.event.quit(0)
end

function love.update()
  smmpanel.step()
  if not love.graphics then print_board() end
end

function love.draw()
  for i, id in ipairs(ids) do
    local record = board[id] or {}
    love.graphics.setColor(COLOURS[smmpanel.state(record.status)] or GREY)
    love.graphics.rectangle("fill", 20, 24 + i * 28, 12, 12)
    love.graphics.setColor(WHITE)
    love.graphics.print(line_of(id), 44, 22 + i * 28)
  end
  love.graphics.print(message or "live", 20, 16)
end
