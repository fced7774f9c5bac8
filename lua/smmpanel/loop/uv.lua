--- libuv: luv and Neovim. In a coroutine a call suspends it; outside of one it blocks. In Neovim Ctrl-C interrupts a
-- blocking call.
-- @module smmpanel.loop.uv

local scheduler = require "smmpanel.loop.scheduler"
local suspendable = require "smmpanel.loop.suspendable"

local uv = { name = "uv" }

local editor = rawget(_G, "vim")
local libuv = editor and (editor.uv or editor.loop) or require "luv"

local SLICE = 100 -- milliseconds: Neovim 0.7 checks for Ctrl-C only at the end of a wait

local coroutines

-- An error in a coroutine that nothing waits for is reported, and ends nothing else.
local function report(traceback)
  if editor then
    editor.schedule(function() error(traceback, 0) end)
  else
    io.stderr:write(traceback, "\n")
  end
end

local function run()
  coroutines:run(report)
end

-- Runs in a separate turn of the loop, because Neovim allows few functions in a callback of libuv.
local function after(milliseconds, f)
  local timer = libuv.new_timer()
  timer:start(milliseconds, 0, function()
    timer:close()
    f()
  end)
end

coroutines = scheduler.new(function()
  if editor then editor.schedule(run) else after(0, run) end
end)

local function may_wait_in_editor()
  return editor and not editor.in_fast_event()
end

function uv.active(can_suspend)
  return can_suspend or may_wait_in_editor() or false
end

function uv.check_resumer() coroutines:check_resumer() end

-- Outside of a coroutine: Neovim handles other events meanwhile, except user input. -> false on Ctrl-C
local function wait_in_editor(signal)
  local _, why = editor.wait(SLICE, function() return signal.is_open end, SLICE)
  return why ~= -2
end

local EditorSignal = {}
EditorSignal.__index = EditorSignal

function EditorSignal:open() self.is_open = true end

function EditorSignal:wait()
  while not self.is_open do
    if not wait_in_editor(self) then return false end
  end
end

function uv.signal()
  if not editor or suspendable.here() then return coroutines:signal() end
  return setmetatable({ is_open = false }, EditorSignal)
end

function uv.sleep(seconds)
  local signal = uv.signal()
  after(math.max(0, math.ceil(seconds * 1000)), function() signal:open() end)
  if signal:wait() == false then error("interrupted", 0) end
end

function uv.spawn(f, done)
  coroutines:spawn(f, done)
end

local handle, watched

function uv.watch(descriptor, step)
  if watched and watched == descriptor then return end
  handle, watched = assert(libuv.new_poll(descriptor)), descriptor
  handle:start("r", function() step() end)
end

-- A handle left open would keep the loop alive.
function uv.unwatch()
  handle:stop()
  handle:close()
  handle, watched = nil, nil
end

return uv
