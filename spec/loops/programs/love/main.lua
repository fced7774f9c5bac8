package.path = love.filesystem.getWorkingDirectory() .. "/?.lua;" .. package.path

local ffi = require "ffi"

local scenario = require "spec.loops.support.scenario"
local sleepers = require "spec.loops.support.sleepers"
local smmpanel = require "smmpanel"

local host = { sleep = sleepers.sleep, cancellable = scenario.cancellable, fork = true }
local ended = false

function host.go(f) assert(coroutine.resume(coroutine.create(f))) end

-- The cost of a frame's step is this thread's processor time, because other threads may have the processor meanwhile.
ffi.cdef "typedef struct { long sec, nsec; } spec_time; int clock_gettime(int, spec_time *);"
local THREAD_TIME = 3
local clock = ffi.new "spec_time"

local function processor_time()
  ffi.C.clock_gettime(THREAD_TIME, clock)
  return tonumber(clock.sec) + tonumber(clock.nsec) / 1e9
end

local frames -- milliseconds of each since measuring began

local function middle(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

-- In several rounds, for a frame may have to pay for something else: the longest of each, and their median.
local function measure(name, rounds, round)
  local longest, all = {}, {}
  for i = 1, rounds do
    collectgarbage()
    host.sleep(0.01)
    frames = {}
    round()
    for _, cost in ipairs(frames) do all[#all + 1] = cost end
    longest[i] = math.max(unpack(frames))
  end
  frames = nil
  print(("frames with %s: median %.3f, longest %.3f ms, of %d"):format(name, middle(all), middle(longest), #all))
end

local function measure_frames()
  local panel, plain = scenario.panel "latency:0.05", scenario.panel()
  measure("100 calls", 9, function()
    local answered = 0
    for i = 1, 100 do
      host.go(function()
        assert(select(2, panel:status(800000 + i)).code == "bad_order")
        answered = answered + 1
      end)
    end
    while answered < 100 do host.sleep(0.001) end
  end)
  measure("a catalogue", 5, function() assert(#assert(plain:services()) == 10000) end)
end

function love.load()
  assert(scenario.panel():balance().currency == "USD", "outside a coroutine")
  host.go(function()
    scenario.run(host)
    measure_frames()
    ended = true
  end)
end

function love.update()
  local begun = processor_time()
  local ok, err = pcall(smmpanel.step)
  if frames then frames[#frames + 1] = (processor_time() - begun) * 1000 end
  if not ok and not err:find "on purpose" then error(err, 0) end
  scenario.tick()
  sleepers.wake(function(co) assert(coroutine.resume(co)) end)
  if not ended then return end
  print "nothing left"
  love.event.quit(0)
end
