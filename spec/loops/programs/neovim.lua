local scenario = require "spec.loops.support.scenario"
local uv = vim.loop

local host = { cancellable = scenario.cancellable, fork = true }

function host.go(f) coroutine.wrap(f)() end

function host.sleep(seconds)
  local co = coroutine.running()
  vim.defer_fn(function() assert(coroutine.resume(co)) end, math.ceil(seconds * 1000))
  coroutine.yield()
end

-- Outside a coroutine a call blocks, but the editor's own callbacks continue.
local ticks = 0
local ticker = uv.new_timer()
ticker:start(0, 1, function()
  ticks = ticks + 1
  scenario.tick()
end)
local panel = scenario.panel "latency:0.3"
local before = ticks
assert(panel:balance().currency == "USD")
assert(vim.tbl_count(panel:status({ 820001, 820002, 820003 }, { batch_size = 1 })) == 3)
io.stdout:write(ticks > before and "ok" or "not ok", " outside a coroutine\n")

host.go(function()
  local ok, err = pcall(scenario.run, host)
  ticker:close()
  if not ok then print(err) end
  local left = require "smmpanel.core".in_flight()
  io.stdout:write(left == 0 and "nothing left\n" or "something is left\n")
  vim.schedule(function() vim.cmd "qall!" end)
end)
