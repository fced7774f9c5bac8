--- Identifies the process that is placing an order, so that other processes can check it: a ledger stores it with the
-- ref as the `placer`. On Linux it contains the boot id, the pid namespace, the pid and its start time, so a reused pid
-- is recognised. On other systems it contains only the clocks.
-- @module smmpanel.ledger.process

local core = require "smmpanel.core"

local process = {}

local WHO, WHEN = "%s %s %.0f %s ", "%.3f %.0f %.0f"
local PATTERN = "^(%S+) (%S+) (%d+) (%S+) (%S+) (%S+) (%S+)$"

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

-- The state letter and the start time in /proc/PID/stat. The name before them may contain anything.
local function stat_of(pid)
  local text = read("/proc/" .. pid .. "/stat")
  local rest = text and text:match "^.*%) (.*)$"
  if not rest then return nil end
  local fields = {}
  for field in rest:gmatch "%S+" do fields[#fields + 1] = field end
  return fields[1], fields[20]
end

local own = {} -- constant data of this process, by its pid (which changes in a fork)

local function identity()
  local pid = core.pid()
  if own.pid == pid then return own end
  local boot = read "/proc/sys/kernel/random/boot_id"
  local _, start = stat_of(("%.0f"):format(pid))
  own = { pid = pid, boot = boot and boot:match "%S+" or "-", start = start or "-",
    namespace = core.file "/proc/self/ns/pid" or "-" }
  own.who = WHO:format(own.boot, own.namespace, pid, own.start)
  return own
end

local function times(at, wall, seconds)
  return (WHEN:format(at, wall, math.ceil(seconds)):gsub(",", ".")) -- a locale's point
end

--- Returns this process and its clocks as the placer of an attempt that begins now.
---@param seconds number the longest time for sending and storing the answer
---@return string
function process.placer(seconds)
  return identity().who .. times(core.awake(), os.time(), seconds)
end

--- Returns the placer of an attempt of which only the wall clock time is known.
---@param since number unix time
---@param seconds number
---@return string
function process.unknown_placer(since, seconds)
  return WHO:format("-", "-", 0, "-") .. times(0, since, seconds)
end

--- Parses a placer; nil if the text is not one.
---@param text string?
---@return { boot: string, namespace: string, pid: string, start: string, at: number, wall: number, seconds: number }?
function process.parse(text)
  local boot, namespace, pid, start, at, wall, seconds = tostring(text):match(PATTERN)
  at, wall, seconds = tonumber(at), tonumber(wall), tonumber(seconds)
  if not at or not wall or not seconds then return nil end
  return { boot = boot, namespace = namespace, pid = pid, start = start, at = at, wall = wall, seconds = seconds }
end

local STOPPED = { T = "stopped", t = "stopped" }
local DEAD = { Z = true, X = true, x = true }

-- The state of a process of this boot and this pid namespace.
local function life_of(placer)
  local letter, start = stat_of(placer.pid)
  if not letter or start ~= placer.start or DEAD[letter] then return "dead" end
  return STOPPED[letter] or "running"
end

--- Returns what this process can observe: the clocks, and the state of a placer's process.
---@return { boot: string, uptime: number, wall: number, life: fun(placer: table): string? }
function process.here()
  local me = identity()
  return {
    boot = me.boot, uptime = core.awake(), wall = os.time(),
    life = function(placer)
      local near = placer.boot == me.boot and placer.namespace == me.namespace
      if not near or placer.start == "-" or placer.boot == "-" then return nil end
      return life_of(placer)
    end,
  }
end

return process
