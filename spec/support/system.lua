-- What specs ask of the system: the output of a command, the text of a file.
local system = {}

--- Runs a shell command to its end and returns its output.
---@param command string
---@return string
function system.output(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

--- The same, without the white space at the end.
---@param command string
---@return string
function system.line(command)
  return (system.output(command):gsub("%s+$", ""))
end

--- Its first line; nil if there is no output.
---@param command string
---@return string?
function system.first_line(command) return system.output(command):match "^[^\n]+" end

--- Returns the text of a file, which must exist.
---@param path string
---@return string
function system.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

return system
