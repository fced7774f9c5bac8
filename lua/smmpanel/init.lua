--- A client for the order-panel API v2.
--
--     local smmpanel = require "smmpanel"
--     local panel = smmpanel.new { url = "https://panel.example/api/v2", key = os.getenv "SMMPANEL_KEY" }
--     local made = assert(panel:add { service = 1, link = "https://...", quantity = 1000 })
--     print(assert(panel:status(made.order)).status)
--
-- A wrong argument throws. What can go wrong in operation returns `nil, err` (see smmpanel.Error).
-- @module smmpanel

local client = require "smmpanel.client"
local core = require "smmpanel.core"
local frame = require "smmpanel.loop.frame"
local loops = require "smmpanel.loop"
local dispatch = require "smmpanel.loop.dispatch"
local states = require "smmpanel.api.states"
local argerror = require "smmpanel.util.argerror"
local checks = require "smmpanel.util.checks"

local smmpanel = {
  version = core.version,
  _VERSION = "smmpanel " .. core.version,
}

-- What not every program needs is loaded when it is first asked for.
local LATER = { catalog = true, ledger = true, limiter = true, replay = "wire_log.replay", sandbox = true }

setmetatable(smmpanel, {
  __index = function(self, name)
    local path = LATER[name]
    if not path then return nil end
    local module = require("smmpanel." .. (path == true and name or path))
    rawset(self, name, module)
    return module
  end,
})

--- A panel to talk to. Nothing is sent yet. Throws where an option is unknown or wrong.
---@param options smmpanel.Options
---@return smmpanel.Panel
function smmpanel.new(options)
  if options == smmpanel then
    argerror.throw("smmpanel.new", "call it with a dot: smmpanel.new { url = ..., key = ... }")
  end
  return client.new(options)
end

--- The class of an order's or refill's state. Stands for PROTOCOL's order states.
---@param status string|integer|nil as a record holds it
---@return "open"|"completed"|"partial"|"canceled"|"failed"|"unknown"
function smmpanel.state(status)
  return states.state(status)
end

--- Whether an order or refill in this state will change no more. An unknown state is not final.
---@param status string|integer|nil as a record holds it
---@return boolean
function smmpanel.is_final(status)
  return states.is_final(status)
end

--- What a wrong argument was, for programs that have caught what a function of this module threw: the
-- function's name, the field or option, a code, and the message without the place in the source. Ask at once:
-- only the latest ones are remembered.
---@param thrown any
---@return smmpanel.ArgumentError? nil where it was something else
function smmpanel.argument_error(thrown)
  return argerror.details(thrown)
end

local function check_functions(functions)
  if type(functions) ~= "table" then
    argerror.throw("smmpanel.all", "needs a table of functions, got %s", argerror.describe(functions))
  end
  for key, f in pairs(functions) do
    if type(f) ~= "function" then
      argerror.throw("smmpanel.all", "[%s] must be a function, got %s", tostring(key), argerror.describe(f))
    end
  end
end

--- Runs functions side by side, in any loop: while one waits for its answer, the others go on. Returns when
-- all have ended. Where one throws, that is thrown again then, the first of several.
--
--     local results, errs = smmpanel.all {
--       balance = function() return panel:balance() end,
--       services = function() return panel:services() end,
--     }
--     print(results.balance and results.balance.balance or errs.balance)
---@param functions table<any, fun(): any, any> a list, or a table with names
---@param how? { loop: string|table? } where panels were given a `loop`, the same one
---@return table results what each returned first, under its key
---@return table errs what each returned second, under its key: the `err` of `nil, err`
function smmpanel.all(functions, how)
  check_functions(functions)
  local loop = how and how.loop or "auto"
  loops.check("smmpanel.all", loop)
  local results, errs, work = {}, {}, {}
  for key, f in pairs(functions) do
    work[#work + 1] = function() results[key], errs[key] = f() end
  end
  loops.side_by_side(loops.pick(loop), work, #work)
  return results, errs
end

--- Waits, as a call waits for its answer: in a coroutine of the event loop that runs it suspends this coroutine alone,
-- elsewhere it blocks.
---@param seconds number
---@param how? { loop: string|table? } where panels were given a `loop`, the same one
function smmpanel.sleep(seconds, how)
  local wrong = checks.seconds(seconds)
  if wrong then argerror.throw("smmpanel.sleep", "needs %s, got %s", wrong, argerror.describe(seconds)) end
  local loop = how and how.loop or "auto"
  loops.check("smmpanel.sleep", loop)
  loops.pick(loop).sleep(seconds)
end

--- Takes in what has arrived, at most `bytes` of it, and wakes those who wait for it. For loops with
-- frames, which call it in each; others need not. Never blocks.
---@param bytes? integer how much to decode at most (16 kB)
function smmpanel.step(bytes)
  dispatch.step(bytes)
  frame.turn()
end

return smmpanel
