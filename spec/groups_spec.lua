-- Functions that run side by side are a group, which sends nothing after its caller was interrupted.
local groups = require "smmpanel.loop.groups"
local loops = require "smmpanel.loop"

local function make_loop(waits)
  local loop, signal = {}, {}
  function signal:open() self.is_open = true end
  function signal:wait() return waits and self.is_open end
  function loop.signal() return setmetatable({}, { __index = signal }) end
  return loop
end

describe("a group of functions", function()
  -- OpenResty keeps the coroutine of a light thread that has ended, for the next one.
  it("leaves no trace in a coroutine that the event loop uses again", function()
    local loop, spare, group, is_left = make_loop(true), nil, nil, nil
    function loop.spawn(f, done)
      local co = spare or coroutine.create(function(work)
        while true do work = coroutine.yield(work()) end
      end)
      spare = nil
      assert(coroutine.resume(co, function() done(pcall(f)) end))
      spare = co
    end
    for _, fails in ipairs { false, true } do
      local function work() if fails then error("no", 0) end end
      assert.equal(not fails, (pcall(loops.side_by_side, loop, { work, work }, 2)))
      loop.spawn(function() group, is_left = groups.here(), groups.is_left() end, function() end)
      assert.is_nil(group)
      assert.is_false(is_left)
    end
  end)

  it("starts no function after an interrupted wait, also in a coroutine", function()
    for _, call in ipairs { pcall, coroutine.wrap(function(...) return pcall(...) end) } do
      local loop, spawned, begun = make_loop(false), {}, 0
      function loop.spawn(f) spawned[#spawned + 1] = f end
      local function work() begun = begun + 1 end
      local ok, thrown = call(loops.side_by_side, loop, { work, work, work }, 2)
      assert.same({ false, "interrupted" }, { ok, thrown })
      for _, f in ipairs(spawned) do coroutine.wrap(f)() end
      assert.equal(0, begun)
    end
  end)
end)
