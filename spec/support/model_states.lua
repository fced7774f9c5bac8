-- The states that runs of the ledger's model have reached. A run that reaches a known state can end: everything that
-- can follow was seen. An actor's next step depends on everything that it has seen, so its state is its history.
local states = {}

--- The memory of one exploration. It sets `is_new`: whether this run is past the steps it shares with the previous.
function states.new()
  return { ids = {}, count = 0, known = {}, states = 0 }
end

local function id_of(memory, text)
  if not memory.ids[text] then
    memory.count = memory.count + 1
    memory.ids[text] = memory.count
  end
  return memory.ids[text]
end

local function written(value)
  if type(value) == "number" then return ("%.6f"):format(value) end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for name, item in pairs(value) do parts[#parts + 1] = tostring(name) .. "=" .. written(item) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function add(memory, actor, text)
  actor.history = id_of(memory, actor.history .. "|" .. text)
end

--- Records that an actor has seen these values.
function states.observe(run, actor, a, b)
  if run.memory then add(run.memory, actor, written(a) .. ";" .. written(b)) end
end

--- An actor continues: then it is at another point of its program, even if it sees nothing.
function states.resumed(run, actor)
  if run.memory then add(run.memory, actor, "") end
end

--- An actor reads the clock.
function states.reads_clock(run, actor)
  if run.memory then add(run.memory, actor, written(run.now)) end
end

--- An actor reads the clock and looks which processes live.
function states.looks_around(run, actor)
  if not run.memory then return end
  local parts = { written(run.now) }
  for i, other in ipairs(run.actors) do parts[i + 1] = other.dead and "dead" or "" end
  add(run.memory, actor, table.concat(parts, ","))
end

local FIRST_PAUSE = 0.03 -- seconds; the first pause of a loop is shorter, the next ones are longer

--- An actor waits before it checks the store again, or retries a step. Each round of that loop forgets the previous
-- one.
function states.sleeps(actor, seconds)
  if seconds < FIRST_PAUSE then
    actor.asleep = actor.history
  else
    actor.history = actor.asleep
  end
end

local function signature(run)
  local parts = { written(run.now), run.serial, #run.made, run.faults, run.passes,
    id_of(run.memory, written(run.store)), id_of(run.memory, written(run.late)) }
  for _, actor in ipairs(run.actors) do
    local is_awake = not actor.sleeps or run.steps > actor.sleeps
    -- What an actor has seen matters no more once it has ended, except for the orders that its caller was told.
    local is_over = actor.done or actor.dead
    parts[#parts + 1] = is_over and table.concat(actor.told or {}, "+") or actor.history
    parts[#parts + 1] = actor.dead and "d" or actor.done and "e" or is_awake and "a" or ""
  end
  return table.concat(parts, " ")
end

--- Returns whether everything that can follow was seen. If not, it will be after this run and those after it.
function states.is_known(run)
  if not run.memory or not run.memory.is_new() then return false end
  local now = signature(run)
  if run.memory.known[now] then return true end
  run.memory.known[now], run.memory.states = true, run.memory.states + 1
  return false
end

return states
