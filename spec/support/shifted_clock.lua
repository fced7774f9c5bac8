-- Programs whose wall clock the spec sets: shifted_clock.c is preloaded into them.
local clock = {}

local Clock = {}
Clock.__index = Clock

--- A clock for some programs; `directory` is the spec's.
---@param directory string
---@return { environment: string, set: fun(self, seconds: integer) }
function clock.new(directory)
  local library, file = directory .. "/shifted_clock.so", directory .. "/shift"
  local command = "cc -std=c11 -D_GNU_SOURCE -O1 -shared -fPIC spec/support/shifted_clock.c -o %s -ldl"
  local built = os.execute(command:format(library))
  assert(built == true or built == 0, "shifted_clock.c does not compile")
  local self = setmetatable({
    file = file, environment = ("env SHIFTED_CLOCK=%s LD_PRELOAD=%s "):format(file, library),
  }, Clock)
  self:set(0)
  return self
end

--- Moves the clock to this many seconds after the true time.
function Clock:set(seconds)
  local handle = io.open(self.file, "r+") or assert(io.open(self.file, "w"))
  handle:write(("%-31d\n"):format(seconds))
  handle:close()
end

return clock
