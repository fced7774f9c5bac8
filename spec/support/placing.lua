-- Orders with a ref without a network, a real store or a real clock: the store is in memory and fails on request, and
-- the panel is a function.
local entries = require "spec.support.entries"
local errors = require "smmpanel.errors"
local memory_store = require "spec.support.memory_store"
local once = require "smmpanel.ledger.place_once"
local settle = require "smmpanel.ledger.settle"

local placing = {}

local clock = { now = 0 } -- seconds; sleeping moves it
placing.clock = clock

--- Returns a store in memory that records each step, and fails the requested ones: fail[step] times.
function placing.new_store(fail)
  local inner = memory_store.new()
  local store = { steps = {}, inner = inner, fail = fail or {} }
  return setmetatable(store, { __index = function(_, name)
    if name == "identity" then return function() return inner.id end end
    return function(_, ...)
      store.steps[#store.steps + 1] = name
      local times = store.fail[name] or 0
      if times > 0 then
        store.fail[name] = times - 1
        return nil, { code = "unavailable", message = "the store is away" }
      end
      return inner[name](inner, ...)
    end
  end })
end

placing.FIELDS = { "service", "1", "link", "https://example.com/", "quantity", "100" }

local function call(store, ref, more)
  local deadline = clock.now + 60
  local made = {
    ref = ref, site = "example.com", fields = placing.FIELDS, decimals = "number",
    owner = function() return entries.owner(store) end, now = function() return clock.now end,
    deadline = function() return deadline end, sleep = function(seconds) clock.now = clock.now + seconds end,
  }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

--- Places an order as a call does: take, send, settle.
function placing.add(store, ref, send, more)
  return once.add(store, call(store, ref, more), send)
end

--- Records an outcome, as panel:resolve does.
function placing.resolve(store, ref, order_id, given)
  local options = given or {}
  options.ref = ref
  return settle.resolve("panel:resolve", store, entries.owner(store), order_id, options)
end

--- Returns the count of a panel's requests, and the function that sends one.
function placing.sender(made, err)
  local sent = { count = 0 }
  return sent, function()
    sent.count = sent.count + 1
    return made, err
  end
end

--- What the panel answers if it refuses.
function placing.refusal()
  return errors.new { kind = "panel", code = "bad_link", action = "add", message = "no" }
end

--- What is known if the connection ends before the answer.
function placing.doubtful()
  return errors.new { kind = "network", code = "cut", action = "add", message = "cut", uncertain = true }
end

--- Makes the store's attempts this much older.
function placing.age(store, seconds)
  for _, row in ipairs(store.inner.rows) do
    row.placer = row.placer:gsub("^(%S+ %S+ %d+ %S+) (%S+)", function(who, at)
      return ("%s %.3f"):format(who, tonumber(at) - seconds)
    end)
  end
end

--- Makes the placer a process that has ended.
function placing.die(store)
  for _, row in ipairs(store.inner.rows) do row.placer = row.placer:gsub("^(%S+ %S+) %d+", "%1 999999999") end
end

return placing
