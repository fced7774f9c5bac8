-- The table of actions: complete rows, and no other place in the project that repeats their contents.
local actions = require "smmpanel.api.actions"
local child = require "spec.support.child"
local system = require "spec.support.system"


local IS = { id = true, state = true, yes = true, any = true }
local TYPES = { id = true, money = true, count = true, flag = true }

describe("the table of actions", function()
  for action, row in pairs(actions) do
    it("has a complete row: " .. action, function()
      assert.equal(row.one == nil, row.many == nil)
      assert.equal(row.many == nil, row.ids == nil)
      assert.equal(row.value == nil, row.is == nil)
      assert.is_true(row.is == nil or IS[row.is])
      for field, kind in pairs(row.types) do assert.is_true(TYPES[kind], field) end
    end)
  end

  it("has a client method for each row, and a command for each row that takes ids", function()
    local smmpanel = require "smmpanel"
    local panel = smmpanel.new { url = "http://127.0.0.1:1/", key = "k" }
    local commands = {}
    for _, command in ipairs(require("smmpanel.cli.arguments").commands()) do
      commands[command.name:gsub("-", "_")] = true
    end
    for action, row in pairs(actions) do
      assert.equal("function", type(panel[action]), action)
      assert.is_true(not row.many or commands[action], action)
    end
    panel:close()
  end)

  it("gives a new action its command with one file in cli/commands/", function()
    local directory = system.directory()
    os.execute(("mkdir %s/smmpanel && cp -r lua/smmpanel/cli %s/smmpanel"):format(directory, directory))
    local file = directory .. "/smmpanel/cli/commands/pause.lua"
    system.write(file, 'return { name = "pause", about = "Pause orders." }')
    local names = child.run(([[
      package.path = "%s/?.lua;%s/?/init.lua;" .. package.path
      for _, command in ipairs(require("smmpanel.cli.arguments").commands()) do io.write(command.name, " ") end
    ]]):format(directory, directory))
    os.execute("rm -rf " .. directory)
    assert.matches("^doctor balance services .* cancel .* pause ", names)
  end)

  it("is not repeated anywhere: no other table lists the actions that read", function()
    assert.equal("", system.output "grep -rlE 'refill_status *= *true' lua")
  end)
end)
