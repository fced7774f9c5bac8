--- Lines on a terminal that are redrawn in place.
-- @module smmpanel.cli.views.live

local live = {}

local terminal = require "smmpanel.cli.views.terminal"

local Area = {}
Area.__index = Area

-- In one write, so that no half of it is seen; what is too long is cut and not wrapped.
local function put(out, before, lines)
  local parts = { "\27[?7l", before }
  for _, line in ipairs(lines) do parts[#parts + 1] = "\27[K" .. line .. "\n" end
  parts[#parts + 1] = "\27[J\27[?7h"
  terminal.write(out, table.concat(parts))
  terminal.flush(out)
end

--- Draws the lines where the last ones were.
---@param lines string[]
function Area:draw(lines)
  put(self.out, self.height > 0 and ("\27[%dA\r"):format(self.height) or "", lines)
  self.height = #lines
end

--- After the window's size has changed nobody knows where the lines are now: the screen is cleared, and the
-- area begins at its top.
function Area:restart()
  terminal.write(self.out, "\27[2J\27[H")
  self.height = 0
end

--- An area that begins where the cursor is.
---@param out file*
---@return table
function live.new(out)
  return setmetatable({ out = out, height = 0 }, Area)
end

return live
