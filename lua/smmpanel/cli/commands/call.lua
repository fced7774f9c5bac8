local argerror = require "smmpanel.util.argerror"
local fail = require "smmpanel.cli.fail"
local fields = require "smmpanel.cli.input.fields"
local json = require "smmpanel.util.json"
local lua_literal = require "smmpanel.cli.views.lua_literal"
local shared = require "smmpanel.cli.options"
local smmpanel = require "smmpanel"

local function show(context, action, given)
  local names = {}
  for name in pairs(given) do names[#names + 1] = name end
  table.sort(names)
  context:say("  %-9s %s", "action", action)
  for _, name in ipairs(names) do context:say("  %-9s %s", name, fields.in_a_line(given[name])) end
end

-- An action that is not a known read may be an order.
local function ask(context, action, given)
  if smmpanel.is_read(action) then return end
  context:agree(("send %s, which is not a known read: it may cost money"):format(argerror.describe(action)),
    "Send this action?", function() show(context, action, given) end)
end

local function run(context, args)
  local panel, given = context:panel(), fields.read(args.field)
  ask(context, args.action, given)
  context.on_interrupt = function()
    return "no answer yet; an action that changes something may have been carried out"
  end
  local ok, answer, err = pcall(panel.call, panel, args.action, given)
  if not ok then fail.thrown(answer) end
  if answer == nil and err then fail.client(err) end
  context:write(args.lua and "return " .. lua_literal.encode(answer) or json.encode(answer))
end

return {
  name = "call", run = run,
  about = "Send any action and print the panel's answer as JSON.",
  details = "balance, services, status and refill_status are sent at once. Every other action may cost money or change "
    .. "an order: on a terminal the command shows it and asks for confirmation. Elsewhere, pass --yes.",
  arguments = {
    { name = "action", about = "The action's name." },
    { name = "field", args = "*", about = "Its fields, as name=value." },
  },
  options = shared.with_panel { shared.YES, { flags = "--lua", about = "Write a Lua table, not JSON." } },
  examples = { { "smmpanel call orders limit=10", "an action that only this panel has; asks for confirmation" } },
}
