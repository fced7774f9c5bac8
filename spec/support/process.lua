-- Starts a program that prints one line when it is ready, and stops it by its process id.
local process = {}

--- Runs `command` (a shell command without redirections) in the background.
---@param command string
---@return { line: string, stop: fun() }
function process.start(command)
  local pipe = assert(io.popen("echo $$; exec " .. command, "r"))
  local pid = assert(pipe:read "*n", "no process id")
  pipe:read "*l"
  local line = pipe:read "*l"
  assert(line, "it ended before it was ready: " .. command)
  return {
    line = line,
    pid = pid,
    stop = function()
      os.execute("kill " .. ("%d"):format(pid) .. " 2>/dev/null")
      pipe:close()
    end,
  }
end

--- Returns the Lua that runs the specs, as a command.
---@return string
function process.lua()
  local i = -1
  while arg and arg[i - 1] do i = i - 1 end
  return arg and arg[i] or "lua"
end

--- Returns the shell words that run a command under the sanitizer, if there is one.
---@return string
function process.sanitized()
  local preload, cpath = os.getenv "SANITIZER_PRELOAD", os.getenv "SANITIZER_CPATH"
  return preload and ("env LD_PRELOAD=%s LUA_CPATH='%s' "):format(preload, cpath) or ""
end

return process
