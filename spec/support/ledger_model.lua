-- The ledger as a model: processes that place an order, a person who settles open refs, a panel, a store, a clock
-- and a network, as steps that a scheduler interleaves. The ledger's own code runs in it. Every choice (who continues,
-- what fails, who is killed, how long it takes) comes from `choose(n)`, a number from 1 to n.
local core = require "smmpanel.core"
local entries = require "spec.support.entries"
local errors = require "smmpanel.errors"
local once = require "smmpanel.ledger.place_once"
local process = require "smmpanel.ledger.process"
local states = require "spec.support.model_states"
local settle = require "smmpanel.ledger.settle"

local model = {}

local TIMEOUT = 60
local MARGIN = 30 -- seconds after its deadline for which the panel may still carry a request out

local Run = {}
Run.__index = Run

-- ---- faults, as long as the budget lasts ------------------------------------------------------

-- Chooses one of `count` outcomes; the first is success.
local function fault(run, count)
  if run.faults <= 0 then return 1 end
  local outcome = run.choose(count)
  if outcome > 1 then run.faults = run.faults - 1 end
  return outcome
end

-- A point at which other actors may continue, and this one may be killed.
local function point(run, actor)
  if actor.mortal and fault(run, 2) == 2 then
    actor.dead = true
    run.life[actor.name] = "dead"
  end
  coroutine.yield "step"
end

-- ---- the store: each step happens, fails before it happens, or happens and its answer is lost ----------

local AWAY = { code = "unavailable", message = "the store is away" }

local function store_for(run, actor)
  return setmetatable({}, { __index = function(_, name)
    return function(_, ...)
      if name == "identity" then return run.store:identity() end
      point(run, actor)
      local outcome = fault(run, 3)
      states.observe(run, actor, outcome)
      if outcome == 2 then return nil, AWAY end
      local a, b = run.store[name](run.store, ...)
      states.observe(run, actor, a, b)
      point(run, actor)
      if outcome == 3 then return nil, AWAY end
      return a, b
    end
  end })
end

-- ---- the panel ---------------------------------------------------------------------------------

local function carry_out(run, request)
  run.serial = run.serial + 1
  run.made[#run.made + 1] = run.serial
  request.order = run.serial
end

-- The panel carries out its open requests before their time is over.
local function carry_out_due(run)
  for i = #run.late, 1, -1 do
    if run.late[i].till <= run.now then carry_out(run, table.remove(run.late, i)) end
  end
end

local function pass(run, seconds)
  -- Everything that must happen before this time happens.
  local till = run.now + seconds
  for _, request in ipairs(run.late) do request.till = math.min(request.till, till) end
  run.now = till
  carry_out_due(run)
end

local function failed(code, more)
  local err = { kind = "network", code = code, action = "add", message = code, attempts = 1 }
  for name, value in pairs(more or {}) do err[name] = value end
  return nil, errors.new(err)
end

-- One request: answered, refused, carried out without an answer, lost, carried out later, or not sent. The engine
-- sends nothing after the deadline.
local function exchange(run, actor)
  point(run, actor)
  states.observe(run, actor, run.now >= actor.deadline)
  if run.now >= actor.deadline then return failed("timeout", { kind = "timeout" }) end
  local outcome = fault(run, 6)
  local request = { till = actor.deadline + MARGIN }
  if outcome == 1 or outcome == 3 then carry_out(run, request) end
  if outcome == 5 then run.late[#run.late + 1] = request end
  states.observe(run, actor, outcome, request.order)
  point(run, actor)
  if outcome == 1 then return { order = request.order } end
  if outcome == 2 then return failed("bad_link", { kind = "panel" }) end
  if outcome == 6 then return failed "connect" end
  return failed("cut", { uncertain = true })
end

-- As smmpanel.call.request does: what was not sent is sent again, and the ref is free in between.
local function send(run, actor)
  return function(hold)
    local made, err = exchange(run, actor)
    if made or err.code ~= "connect" or not hold.release(err) then return made, err end
    point(run, actor)
    local ended, other, why = hold.take_again()
    if ended then return other, why end
    return exchange(run, actor)
  end
end

-- ---- the actors --------------------------------------------------------------------------------

local FIELDS = { "service", "1", "link", "https://example.com/", "quantity", "100" }

local function sleeper(run, actor)
  return function(seconds)
    if run.memory then
      states.sleeps(actor, seconds)
      return coroutine.yield "sleep" -- time passes in separate steps
    end
    actor.wakes = run.now + seconds
    coroutine.yield "sleep"
    run.now = math.max(run.now, actor.wakes)
    carry_out_due(run)
  end
end

local function placer(run, actor)
  local store = store_for(run, actor)
  local function now()
    states.reads_clock(run, actor)
    return run.now
  end
  local call = {
    ref = run.ref, site = "example.com", fields = FIELDS, decimals = "number", sleep = sleeper(run, actor),
    owner = function() return entries.owner(run.store) end, now = now,
    deadline = function() return actor.deadline end,
  }
  return function()
    actor.told = {}
    for _ = 1, run.tries do
      actor.deadline = now() + TIMEOUT
      local made, err = once.add(store, call, send(run, actor))
      if made then return end
      actor.told[#actor.told + 1] = err.order
    end
  end
end

-- As documented: check when it is not too early any more, then settle the attempt that was checked.
local function person(run, actor)
  local store = store_for(run, actor)
  return function()
    local list = settle.pending(store, entries.owner(run.store), {}) or {}
    for _, open in ipairs(list) do
      local ready = run.careless or not open.too_early
      if open.ref == run.ref and open.state == "uncertain" and ready then
        point(run, actor)
        local order = run.made[#run.made] or false
        states.observe(run, actor, order)
        point(run, actor)
        settle.resolve("panel:resolve", store, entries.owner(run.store), order,
          { ref = run.ref, attempt = open.attempt, force = run.careless })
      end
    end
  end
end

-- ---- the clock and the processes, as the ledger sees them ---------------------------------------

local function with_world(run, f)
  local old_placer, old_here, old_random = process.placer, process.here, core.random
  process.placer = function(seconds)
    states.reads_clock(run, run.running)
    return ("b n 1 %s %.3f 0 %.0f"):format(run.running.name, run.now, math.ceil(seconds))
  end
  process.here = function()
    states.looks_around(run, run.running)
    return { boot = "b", uptime = run.now, wall = 0, life = function(p) return run.life[p.start] or "running" end }
  end
  -- About a half, different for each actor, the same in each run: two orders of the same steps give the same state.
  if run.memory then
    function core.random()
      local actor = run.running
      actor.draws = actor.draws + 1
      return 0.5 + tonumber(actor.name) * 1e-3 + actor.draws * 1e-5
    end
  end
  local ok, err = xpcall(f, debug.traceback)
  process.placer, process.here, core.random = old_placer, old_here, old_random
  if not ok then error(err, 0) end
end

-- ---- the scheduler -----------------------------------------------------------------------------

local function runnable(run)
  local list = {}
  for _, actor in ipairs(run.actors) do
    local awake = not actor.sleeps or run.steps > actor.sleeps
    if not actor.done and not actor.dead and awake then list[#list + 1] = actor end
  end
  return list
end

local function go_on(run, actor)
  run.running = actor
  states.resumed(run, actor)
  local ok, what = coroutine.resume(actor.thread)
  if not ok then error(what, 0) end
  actor.done = coroutine.status(actor.thread) == "dead"
  actor.sleeps = what == "sleep" and run.steps or nil
  if what ~= "sleep" then run.steps = run.steps + 1 end
end

local function alive(run)
  for _, actor in ipairs(run.actors) do
    if not actor.done and not actor.dead then return true end
  end
end

-- One actor continues, or time passes, or the panel carries out a request.
local function step(run)
  local list = runnable(run)
  if #list == 0 then
    pass(run, 20)
    run.steps = run.steps + 1
    return
  end
  local extra = (run.passes > 0 and 1 or 0) + (#run.late > 0 and 1 or 0)
  local choice = #list + extra > 1 and run.choose(#list + extra) or 1
  if list[choice] then return go_on(run, list[choice]) end
  if choice == #list + 1 and run.passes > 0 then
    run.passes = run.passes - 1
    pass(run, TIMEOUT + MARGIN + 1)
  else
    carry_out(run, table.remove(run.late))
  end
  run.steps = run.steps + 1
end

-- The requirements at the end. Returns nil, or the violated one as a sentence.
local function broken(run)
  if #run.made > 1 then return ("%d orders for one ref"):format(#run.made) end
  if #run.made == 0 then return nil end
  local row = run.store:find { ref = run.ref, owner = entries.owner(run.store) }
  if row and (row.answer == ('{"order":%d}'):format(run.made[1]) or row.token) then return nil end
  for _, actor in ipairs(run.actors) do
    for _, order in ipairs(actor.told or {}) do
      if order == run.made[1] then return nil end
    end
  end
  return "an order that neither the ledger nor an error knows"
end

--- How a run ended, in short: the orders made, the attempts in the ledger, and for each actor how it ended and how many
-- orders its caller was told.
function model.ending(run)
  local parts = { #run.made }
  for _, row in ipairs(run.store.rows) do
    parts[#parts + 1] = ("%d %s%s"):format(row.attempt, row.state, row.token and " open" or "")
  end
  for _, actor in ipairs(run.actors) do
    if not actor.dead and not actor.done then return nil end
    parts[#parts + 1] = (actor.dead and "dead " or "done ") .. #(actor.told or {})
  end
  return table.concat(parts, ", ")
end

--- One run.
---@param options table choose(n), store, ref, placers, persons, tries (of each placer), faults and passes (at most so
-- many); careless: the person does not wait until it is not too early; memory: see explore
---@return string? broken what did not hold
---@return table run
function model.run(options)
  local run = setmetatable({
    choose = options.choose, store = options.store, ref = options.ref or "r",
    faults = options.faults, passes = options.passes, careless = options.careless, tries = options.tries or 1,
    memory = options.memory,
    now = 1000, serial = 0, steps = 0, made = {}, late = {}, life = {}, actors = {},
  }, Run)
  for i = 1, options.placers + options.persons do
    local actor = { name = tostring(i), mortal = i <= options.placers, draws = 0, history = 0 }
    local body = actor.mortal and placer(run, actor) or person(run, actor)
    actor.thread = coroutine.create(body)
    run.actors[i] = actor
  end
  local why
  with_world(run, function()
    while alive(run) do
      if states.is_known(run) then return end
      step(run)
    end
    pass(run, 2 * (TIMEOUT + MARGIN))
    why = broken(run)
  end)
  return why, run
end

--- All runs, depth first. `new_run(choose, memory)` makes one and returns what did not hold. A run with that `memory`
-- ends where it comes to a state that an earlier one has come to; it needs a store in memory, and one try each.
---@param new_run fun(choose: (fun(n: integer): integer), memory: table): string?
---@param limit? integer of runs
---@return integer runs
---@return string? broken
---@return integer[]? choices that led there
---@return integer? states that were seen
function model.explore(new_run, limit)
  local path, runs, memory = {}, 0, states.new()
  while true do
    local depth, replayed = 0, #path
    function memory.is_new() return depth >= replayed end
    local function choose(n)
      depth = depth + 1
      local node = path[depth]
      if not node then
        node = { at = 1 }
        path[depth] = node
      end
      node.n = n
      return node.at
    end
    local why = new_run(choose, memory)
    runs = runs + 1
    if why then
      local choices = {}
      for i = 1, depth do choices[i] = path[i].at end
      return runs, why, choices
    end
    for i = #path, depth + 1, -1 do path[i] = nil end
    while #path > 0 and path[#path].at == path[#path].n do path[#path] = nil end
    if #path == 0 then return runs, nil, nil, memory.states end
    path[#path].at = path[#path].at + 1
    if limit and runs >= limit then return runs, nil, nil, memory.states end
  end
end

return model
