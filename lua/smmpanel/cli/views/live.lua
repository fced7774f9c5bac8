--- Lines on a terminal that are redrawn in place.
-- @module smmpanel.cli.views.live

local live = {}

local terminal = require "smmpanel.cli.views.terminal"

local Area = {}
Area.__index = Area

-- In one write, so that no partial frame is visible. Long lines are cut, not wrapped.
local function put(out, before, lines)
  local parts = { "\27[?7l", before }
  for _, line in ipairs(lines) do parts[#parts + 1] = "\27[K" .. line .. "\n" end
  parts[#parts + 1] = "\27[J\27[?7h"
  terminal.write(out, table.concat(parts))
  terminal.flush(out)
end

--- Draws the lines in place of the previous ones.
---@param lines string[]
function Area:draw(lines)
  put(self.out, self.height > 0 and ("\27[%dA\r"):format(self.height) or "", lines)
  self.height = #lines
end

--- Call this after the window was resized: the position of the lines is unknown then, so it clears the screen and
-- moves the area to the top.
function Area:restart()
  terminal.write(self.out, "\27[2J\27[H")
  self.height = 0
end

--- Returns an area that begins at the cursor.
---@param out file*
---@return table
function live.new(out)
  return setmetatable({ out = out, height = 0 }, Area)
end

return live
