-- Programs whose clocks the spec moves: shifted_clock.c is preloaded into them.
local clock = {}

local Clock = {}
Clock.__index = Clock

--- A clock for some programs; `directory` is the spec's.
---@param directory string
---@return { environment: string, set: fun(self, seconds: integer), suspend: fun(self, seconds: integer) }
function clock.new(directory)
  local library, file = directory .. "/shifted_clock.so", directory .. "/shift"
  local command = "cc -std=c11 -D_GNU_SOURCE -O1 -shared -fPIC spec/support/shifted_clock.c -o %s -ldl"
  local built = os.execute(command:format(library))
  assert(built == true or built == 0, "shifted_clock.c does not compile")
  local self = setmetatable({
    shift = 0, suspended = 0, file = file, environment = ("env SHIFTED_CLOCK=%s LD_PRELOAD=%s "):format(file, library),
  }, Clock)
  self:set(0)
  return self
end

--- Returns the clock of the running program, if it was started with `environment`.
function clock.own()
  return setmetatable({ shift = 0, suspended = 0, file = os.getenv "SHIFTED_CLOCK" }, Clock)
end

local function write(self)
  local handle = io.open(self.file, "r+") or assert(io.open(self.file, "w"))
  handle:write(("%-15d%-16d\n"):format(self.shift, self.suspended))
  handle:close()
end

--- Moves the wall clock to this many seconds after the true time.
function Clock:set(seconds)
  self.shift = seconds
  write(self)
end

--- Moves the clocks as if the machine had been suspended for this many seconds.
function Clock:suspend(seconds)
  self.suspended = self.suspended + seconds
  write(self)
end

return clock
