-- LÖVE: calls in a love.thread. A call blocks the thread, but not the game's frames; answers come back through a
-- channel. A thread has its own Lua state, so it makes its own panel.
--
--   SMMPANEL_URL=… SMMPANEL_KEY=… love examples/love_thread
local THREAD = [[
  require "love.timer"
  local smmpanel = require "smmpanel"
  local ids, answers = love.thread.getChannel "ids", love.thread.getChannel "answers"
  local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY", loop = "blocking" }
  while true do
    local id = ids:demand()
    if id == "end" then break end
    local record, err = panel:status(id)
    answers:push { id = id, text = record and record.status or tostring(err) }
  end
]]

local IDS = { "1", "2", "100" }
local frames, answered = 0, 0

function love.load()
  local thread = love.thread.newThread(THREAD)
  thread:start()
  for _, id in ipairs(IDS) do love.thread.getChannel "ids":push(id) end
  love.thread.getChannel "ids":push "end"
end

function love.update()
  frames = frames + 1
  local answer = love.thread.getChannel "answers":pop()
  if not answer then return end
  print(answer.id, answer.text)
  answered = answered + 1
  if answered == #IDS then
    print(("all done; %d frames meanwhile"):format(frames))
    love.event.quit(0)
  end
end

function love.threaderror(_, problem) error(problem, 0) end
