local fail = require "smmpanel.cli.fail"
local fields = require "smmpanel.cli.input.fields"
local json = require "smmpanel.util.json"
local lua_literal = require "smmpanel.cli.views.lua_literal"
local shared = require "smmpanel.cli.options"

local function run(context, args)
  local panel = context:panel()
  context.on_interrupt = function()
    return "no answer yet; an action that changes something may have been carried out"
  end
  local ok, answer, err = pcall(panel.call, panel, args.action, fields.read(args.field))
  if not ok then fail.thrown(answer) end
  if answer == nil and err then fail.client(err) end
  context:write(args.lua and "return " .. lua_literal.encode(answer) or json.encode(answer))
end

return {
  name = "call", run = run,
  about = "Send any action and print the panel's answer as JSON.",
  arguments = {
    { name = "action", about = "The action's name." },
    { name = "field", args = "*", about = "Its fields, as name=value." },
  },
  options = shared.with_panel { { flags = "--lua", about = "Write a Lua table, not JSON." } },
  examples = { { "smmpanel call orders limit=10", "an action that only this panel has" } },
}
