-- What specs ask of the system: the output of a command, files, directories.
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

--- Writes texts to a file, and returns its path.
---@param path string
---@param ... string
---@return string
function system.write(path, ...)
  local file = assert(io.open(path, "wb"))
  file:write(...)
  file:close()
  return path
end

--- Makes an empty directory, which the caller removes, and returns its path.
---@return string
function system.directory() return assert(system.first_line "mktemp -d /tmp/smmpanel-spec.XXXXXX") end

--- Returns a port of the loopback address that was free just now.
---@return integer
function system.free_port()
  local probe = assert(require("socket").bind("127.0.0.1", 0))
  local _, port = probe:getsockname()
  probe:close()
  return math.floor(tonumber(port))
end

return system
