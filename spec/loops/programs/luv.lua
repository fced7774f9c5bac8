local uv = require "luv"
local scenario = require "spec.loops.support.scenario"

local host = { cancellable = scenario.cancellable, fork = true }

function host.go(f) coroutine.wrap(f)() end

function host.sleep(seconds)
  local co, timer = coroutine.running(), uv.new_timer()
  timer:start(math.ceil(seconds * 1000), 0, function()
    timer:close()
    assert(coroutine.resume(co))
  end)
  coroutine.yield()
end

local ticker = uv.new_timer()
ticker:start(0, 1, scenario.tick)
host.go(function()
  scenario.run(host)
  ticker:close()
end)
uv.run()
print(uv.loop_close() and "nothing left" or "the loop has something left")
