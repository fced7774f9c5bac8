--- A client for the order-panel API v2.
--
--     local smmpanel = require "smmpanel"
--     local panel = smmpanel.new { url = "https://panel.example/api/v2", key = os.getenv "SMMPANEL_KEY" }
--     local made = assert(panel:add { service = 1, link = "https://...", quantity = 1000 })
--     print(assert(panel:status(made.order)).status)
--
-- A wrong argument throws. A failure in operation returns `nil, err` (see smmpanel.Error).
-- @module smmpanel

local lazy = require "smmpanel.util.lazy"

local actions = require "smmpanel.api.actions"
local core = require "smmpanel.core"
local frame = lazy "smmpanel.loop.frame"
local loops = require "smmpanel.loop"
local panel = require "smmpanel.panel"
local states = lazy "smmpanel.api.states"
local argerror = require "smmpanel.util.argerror"
local checks = require "smmpanel.util.checks"

local smmpanel = {
  version = core.version,
  _VERSION = "smmpanel " .. core.version,
}

-- Modules that not every program needs. Each is loaded on first use.
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

--- Makes a panel object. Sends nothing. Throws if an option is unknown or wrong.
---@param options smmpanel.Options
---@return smmpanel.Panel
function smmpanel.new(options)
  if options == smmpanel then
    argerror.throw("smmpanel.new", "call it with a dot: smmpanel.new { url = ..., key = ... }")
  end
  return panel.new(options)
end

--- Returns the class of an order's or refill's state. Classifies the `status` field of `status` and `refill_status`.
---@param status string|integer|nil the field `status` of a record
---@return "open"|"completed"|"partial"|"canceled"|"failed"|"unknown"
function smmpanel.state(status)
  return states.state(status)
end

--- Returns whether a state is final: the order or refill will not change again. An unknown state is not final.
---@param status string|integer|nil the field `status` of a record
---@return boolean
function smmpanel.is_final(status)
  return states.is_final(status)
end

--- Returns whether an action changes nothing at the panel: services, status, refill_status and balance. Every other
-- action that `panel:call` can send counts as a write, which may cost money: ask your user before you send it.
---@param action string compared exactly, because panels distinguish upper and lower case
---@return boolean
function smmpanel.is_read(action)
  local row = actions[action]
  return row ~= nil and row.reads == true
end

--- Describes a wrong argument, for programs that catch an error thrown by a function of this module. Returns the
-- function's name, the field or option, a code, and the message without its source position. Call it right after
-- catching the error: only the latest ones are remembered.
---@param thrown any the value that was caught
---@return smmpanel.ArgumentError? details nil if the value is any other error
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

--- Runs functions concurrently, in any event loop: while one waits for its response, the others continue. Returns
-- when all have ended. If any of them throws, the first error is rethrown then. After Ctrl-C `all` throws at once, and
-- the functions send nothing more. If the program goes on, they still get the answers to what they have sent.
--
--     local results, errs = smmpanel.all {
--       balance = function() return panel:balance() end,
--       services = function() return panel:services() end,
--     }
--     print(results.balance and results.balance.balance or errs.balance)
---@param functions table<any, fun(): any, any> a list, or a table with names
---@param how? { loop: string|table? } the option `loop` that the panels were given, if any
---@return table results the first value that each function returned, by its key
---@return table errs the second value that each function returned, by its key: the `err` of `nil, err`
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

--- Sleeps. In a coroutine of an event loop it suspends this coroutine only; elsewhere it blocks.
---@param seconds number
---@param how? { loop: string|table? } the option `loop` that the panels were given, if any
function smmpanel.sleep(seconds, how)
  local wrong = checks.seconds(seconds)
  if wrong then argerror.throw("smmpanel.sleep", "needs %s, got %s", wrong, argerror.describe(seconds)) end
  local loop = how and how.loop or "auto"
  loops.check("smmpanel.sleep", loop)
  loops.pick(loop).sleep(seconds)
end

--- Decodes the data that has arrived, and resumes the coroutines that wait for it. Programs with a frame loop call it
-- once per frame; others do not need it. Never blocks.
---@param bytes? integer the most bytes to decode (as many as 0.5 ms allows at 60 frames per second)
function smmpanel.step(bytes)
  frame.turn(bytes)
end

return smmpanel
