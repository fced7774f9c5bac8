--- A progress bar on a terminal, with the rate and the remaining time. It draws nothing elsewhere.
-- @module smmpanel.cli.views.progress

local progress = {}

local core = require "smmpanel.core"
local terminal = require "smmpanel.cli.views.terminal"
local width = require "smmpanel.cli.views.width"

local DRAW_SECONDS, SIZE_SECONDS = 0.1, 1
local BAR_MOST = 30

--- Returns a number with thousands separators: 12,345.
---@param n integer
---@return string
function progress.number(n)
  local text = ("%.0f"):format(n)
  local apart = text:reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (apart:gsub("^,", ""))
end

--- Returns a duration for people: `4 s`, `2 min 05 s`, `3 h 20 min`.
---@param seconds number
---@return string
function progress.duration(seconds)
  seconds = math.ceil(seconds)
  if seconds < 60 then return ("%d s"):format(seconds) end
  if seconds < 3600 then return ("%d min %02d s"):format(math.floor(seconds / 60), seconds % 60) end
  return ("%d h %02d min"):format(math.floor(seconds / 3600), math.floor(seconds % 3600 / 60))
end

--- Returns the text of a bar. Pure.
---@param what string
---@param done integer
---@param total integer
---@param seconds number since the start
---@param columns integer
---@param utf8 boolean
---@return string
function progress.line(what, done, total, seconds, columns, utf8)
  local rate = seconds > 0 and done / seconds or 0
  local text = ("%s/%s"):format(progress.number(done), progress.number(total))
  if rate > 0 then text = text .. ("  %s/s"):format(progress.number(math.max(1, rate))) end
  if rate > 0 and done < total then
    text = text .. ("  %s left"):format(progress.duration((total - done) / rate))
  end
  local room = math.min(BAR_MOST, columns - 1 - width.of(what) - #text - 4)
  if room < 4 then return width.cut(what .. "  " .. text, columns - 1, "") end
  local full = total > 0 and math.floor(room * done / total) or room
  local solid, empty = utf8 and "█" or "#", utf8 and "░" or "-"
  return ("%s  %s%s  %s"):format(what, solid:rep(full), empty:rep(room - full), text)
end

local Bar = {}
Bar.__index = Bar

function Bar:draw(done, total)
  local now = core.now()
  self.done, self.total = done, total
  if not self.shown or done < total and now - self.drawn < DRAW_SECONDS then return end
  if now - self.sized > SIZE_SECONDS then self.columns, self.sized = terminal.size(), now end
  self.drawn = now
  local line = progress.line(self.what, done, total, now - self.begun, self.columns, self.utf8)
  terminal.show("\r\27[K", line)
end

--- Clears the bar, so that something else can be written.
function Bar:clear()
  if self.shown then terminal.show "\r\27[K" end
end

--- Removes the bar for good.
function Bar:hide()
  self:clear()
  self.shown = false
end

--- Returns a bar that is not drawn yet.
---@param what string
---@return table bar
function progress.new(what)
  local now = core.now()
  return setmetatable({ what = what, begun = now, drawn = -math.huge, sized = -math.huge, done = 0, total = 0,
    shown = terminal.obeys(io.stderr), utf8 = terminal.is_utf8() }, Bar)
end

return progress
