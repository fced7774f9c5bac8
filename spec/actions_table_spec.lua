-- The one table of actions: complete rows, and nothing else in the project that repeats what they say.
local actions = require "smmpanel.api.actions"

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

  it("has a method of the client for each row, and a command of the command line for each that takes ids", function()
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

  it("is not repeated anywhere: no other table lists which actions read", function()
    local pipe = io.popen "grep -rlE 'refill_status *= *true' lua"
    assert.equal("", pipe:read "*a")
    pipe:close()
  end)
end)
