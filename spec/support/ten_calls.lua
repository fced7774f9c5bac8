-- A user's test as the guide shows it, ten calls with faults, and the processor time it took from the start of the
-- process. Prints the milliseconds, those of a piece of work that is always the same, and the modules it loaded.
local smmpanel = require "smmpanel"

local sandbox = smmpanel.sandbox { key = "test" }
local order = { service = 1, link = "https://example.com/p/1", quantity = 1000 }

local function panel(fault)
  return smmpanel.new { url = sandbox:url_with(fault or ""), key = "test", transport = sandbox, retries = 0 }
end

local function fails(code, _, err)
  assert(err and err.code == code, tostring(err))
end

assert(panel():balance())
local made = assert(panel():add(order))
sandbox:advance(3600)
assert(panel():status(made.order).status == "Completed")
assert(panel():status { 1, 2, 77 } [77].code == "bad_order")
fails("bad_quantity", panel():add { service = 1, link = order.link, quantity = 1 })
fails("server_error", panel "502-html":balance())
fails("rate_limited", panel "429":balance())
fails("cut", panel "cut:5":services())
assert(select(2, panel "lost":add(order)).uncertain)
sandbox:set_balance "0"
fails("no_funds", panel():add(order))
local used = os.clock() * 1000

-- The same work everywhere: such a test mostly compiles and searches in texts.
local function unit()
  local began, lines = os.clock(), {}
  for i = 1, 300 do lines[i] = ("local function f(a, b) return { a = a .. b, [%d] = 'text' } end"):format(i) end
  local chunk = "do " .. table.concat(lines, " end do ") .. " end"
  for _ = 1, 5 do assert((loadstring or load)(chunk)) end -- luacheck: ignore
  for _ = 1, 5 do chunk:gsub("[^0-9a-z ]+", " ") end
  return (os.clock() - began) * 1000
end

local best = math.huge
for _ = 1, 5 do best = math.min(best, unit()) end
print(used, best)
for name in pairs(package.loaded) do print(name) end
