-- Starts a program that prints one line when it is ready, and stops it by its process id.
local process = {}

-- Returns when a process began, which tells it from a later one with the same id; nil if there is none.
local function birth_of(pid)
  local file = io.open(("/proc/%s/stat"):format(pid))
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text:match("^.*%) %S+" .. ("%s+%S+"):rep(18) .. "%s+(%S+)")
end

--- Returns an object that kills a program when it is collected, unless its field `pid` was set to nil. The collector
-- closes the program's pipe afterwards, which waits for the program: one that a failed spec left running would block
-- all later specs.
---@param pid integer|string
---@param pipe file* whose collection waits for the program; it must have been opened before this
---@return { pid: any, pipe: file* }
function process.guard(pid, pipe)
  local guard, birth = { pid = pid, pipe = pipe }, birth_of(pid)
  local function kill()
    if guard.pid and birth and birth_of(guard.pid) == birth then
      os.execute(("kill -KILL %s 2>/dev/null"):format(guard.pid))
    end
  end
  if _VERSION ~= "Lua 5.1" then return setmetatable(guard, { __gc = kill }) end
  guard.proxy = _G.newproxy(true)
  getmetatable(guard.proxy).__gc = kill
  return guard
end

--- Runs `command` (a shell command without redirections) in the background.
---@param command string
---@return { line: string, pid: string, read: fun(): string?, stop: fun() }
function process.start(command)
  local pipe = assert(io.popen("echo $$; exec " .. command, "r"))
  local pid = ("%d"):format(assert(pipe:read "*n", "no process id"))
  local guard = process.guard(pid, pipe)
  pipe:read "*l"
  local line = pipe:read "*l"
  assert(line, "it ended before it was ready: " .. command)
  return {
    line = line,
    pid = pid,
    read = function() return pipe:read "*l" end,
    stop = function()
      os.execute("kill " .. pid .. " 2>/dev/null")
      guard.pid = nil
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

--- Returns package.cpath for a program that runs without the sanitizer.
---@return string
function process.plain_cpath()
  local plain = (os.getenv "PLAIN_CPATH" or ""):gsub(";+$", ";")
  return plain .. package.cpath
end

--- Returns the shell words that run a command under the sanitizer, if there is one.
---@return string
function process.sanitized()
  local preload, cpath = os.getenv "SANITIZER_PRELOAD", os.getenv "SANITIZER_CPATH"
  return preload and ("env LD_PRELOAD=%s LUA_CPATH='%s' "):format(preload, cpath) or ""
end

return process
