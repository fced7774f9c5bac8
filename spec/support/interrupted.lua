-- Runs commands in this process. Each run throws "interrupted!" at another place, as lua and luajit do at Ctrl-C: at an
-- instruction, or where one of the next functions is entered or left, C functions included.
--
--     lua spec/support/interrupted.lua RUNS REPORT COMMAND...     a command is one argument; %d: the number of the run
--
-- Writes to REPORT what must not happen after an interrupt: a request that starts later, an error thrown at the caller,
-- an exit code other than 130 (0 if the command was done), or a command that does not end. LuaJIT throws in coroutines
-- too, also in one that has just sent an order: exit code 5.
local abi = _VERSION:match "[%d.]+$"
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
package.cpath = "build/" .. abi .. "/?.so;" .. package.cpath
if rawget(_G, "jit") then _G.jit.off() end -- compiled code calls no hooks

local cli = require "smmpanel.cli"
local core = require "smmpanel.core"

local RUNS, CALLS = tonumber(arg[1]), 60
local LONGEST = 60 -- seconds; a command waits at most 15 for its answers
local report = assert(io.open(arg[2], "w"))
math.randomseed(7)

local interrupted_at, started, late = nil, 0, 0
local start = core.start
function core.start(...)
  started = started + 1
  if interrupted_at then late = late + 1 end
  return start(...)
end

local function interrupt()
  debug.sethook()
  interrupted_at = core.now()
  error("interrupted!", 0)
end

local function words_of(line)
  local words = {}
  for word in line:gmatch "[^ ]+" do words[#words + 1] = word end
  return words
end

local number = 0

-- Returns the exit code, or nil and what was thrown; and the number of instructions if it was not interrupted.
local function run(line, after, at_call)
  number = number + 1
  interrupted_at, started, late = nil, 0, 0
  local words = words_of(line:gsub("%%d", ("%d"):format(number)))
  local calls = at_call and math.random(CALLS) or 0
  local function countdown()
    calls = calls - 1
    if calls <= 0 then interrupt() end
  end
  debug.sethook(function()
    if at_call then debug.sethook(countdown, "cr") else interrupt() end
  end, "", after)
  local ok, code = pcall(cli.main, words)
  debug.sethook()
  return ok and code or nil, code
end

local function instructions_of(line)
  local count = 0
  number = number + 1
  debug.sethook(function() count = count + 100 end, "", 100)
  cli.main(words_of(line:gsub("%%d", ("%d"):format(number))))
  debug.sethook()
  return count
end

local function check(line, after, at_call)
  local code, thrown = run(line, after, at_call)
  local function note(what)
    report:write(("%s, run %d, after %d%s: %s\n"):format(line, number, after, at_call and " at a call" or "", what))
  end
  if not code then return note("threw " .. tostring(thrown)) end
  if not interrupted_at then return 0 end
  if late > 0 then note(("%d requests started after it"):format(late)) end
  if code ~= 130 and code ~= 0 and not (code == 5 and rawget(_G, "jit")) then note("exit code " .. code) end
  if core.now() - interrupted_at > LONGEST then note(("it took %.0f s more"):format(core.now() - interrupted_at)) end
  return 1
end

local interrupts = 0
for i = 3, #arg do
  cli.main(words_of(arg[i]:gsub("%%d", "0"))) -- loads the modules
  local most = instructions_of(arg[i])
  for turn = 1, RUNS do interrupts = interrupts + (check(arg[i], math.random(most), turn % 2 == 0) or 0) end
end
report:write(interrupts, " interrupts\n")
report:close()
