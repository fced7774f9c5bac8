-- smmpanel itself, with the same tasks as the peers in peers/.
local smmpanel = require "smmpanel"
local core = require "smmpanel.core"

local count = tonumber(os.getenv "COUNT") or 1
local at_once = tonumber(os.getenv "AT_ONCE") or 1

local function new_panel()
  return smmpanel.new {
    url = os.getenv "PANEL_URL", key = os.getenv "PANEL_KEY", ca_file = os.getenv "PANEL_CA",
    concurrency = at_once, timeout = 300,
  }
end

local tasks = {}

function tasks.catalogue()
  print("services", #assert(new_panel():services()))
end

function tasks.statuses()
  local panel, ids, first = new_panel(), {}, tonumber(os.getenv "FIRST")
  for i = 1, count do ids[i] = first + i - 1 end
  local began = core.now()
  local many = panel:status(ids)
  print("seconds", core.now() - began)
  for _, id in ipairs(ids) do assert(many[id].charge, many[id].error) end
end

function tasks.balance()
  local panel, work = new_panel(), {}
  assert(panel:balance())
  for i = 1, at_once do
    work[i] = function()
      for _ = 1, count / at_once do assert(panel:balance()) end
    end
  end
  local began = core.now()
  smmpanel.all(work)
  print("seconds", core.now() - began)
end

-- Each of a hundred calls, the first on a new TLS connection.
function tasks.calls()
  local panel, took = new_panel(), {}
  for i = 1, 100 do
    local began = core.now()
    assert(panel:balance())
    took[i] = core.now() - began
  end
  print("first", took[1])
  print("second", took[2])
  print("hundredth", took[100])
end

-- Unknown ids: each has an entry nevertheless.
function tasks.ids()
  local panel, ids = new_panel(), {}
  for i = 1, count do ids[i] = 800000000 + i end
  assert(panel:balance())
  local began = os.clock()
  local many = panel:status(ids)
  print("each", (os.clock() - began) / count)
  for _, id in ipairs(ids) do assert(many[id].code == "bad_order") end
end

function tasks.idle()
  new_panel()
end

tasks[arg[1]]()
