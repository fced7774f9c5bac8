-- Runs a chunk in a separate Lua process, for what must not affect the specs: another environment, a memory limit,
-- another name server, the end of the process.
local process = require "spec.support.process"
local system = require "spec.support.system"

local child = {}

--- Starts it. `before`: shell words before the command, such as variables. Returns a pipe of its output and its exit.
---@param chunk string
---@param before? string
---@return file*
function child.start(chunk, before)
  local file = system.write(os.tmpname(), chunk)
  local program = process.sanitized() .. process.lua()
  return assert(io.popen(("%s %s %s 2>&1; echo \"exit $?\"; rm -f %s"):format(before or "", program, file, file)))
end

--- Runs it to its end. Returns its output and its exit.
---@param chunk string
---@param before? string
---@return string
function child.run(chunk, before)
  local pipe = child.start(chunk, before)
  local text = pipe:read "*a"
  pipe:close()
  return text
end

return child
