-- Modules are loaded late: what a program loads at its start, and what happens if the files are replaced meanwhile.
local process = require "spec.support.process"
local system = require "spec.support.system"

local function output(command) return system.output(command .. " 2>&1") end

local HEAD = [[
  local directory = ...
  local smmpanel = require "smmpanel"
  local function answer(request)
    local body = request.action == "add" and '{"order":7}' or request.action == "status" and '{"status":"Pending"}'
    return { status = 200, body = body or '{"balance":"1"}' }
  end
  local panel = smmpanel.new { url = "https://panel.example/api/v2", key = "key", transport = answer }
  local function run(command) assert(os.execute((command:gsub("DIR", directory)))) end
  local function replace() run "cp -r DIR/lua DIR/new && rm -r DIR/lua && mv DIR/new DIR/lua" end
]]

describe("a program", function()
  local directory
  before_each(function()
    directory = output("mktemp -d"):match "%S+"
    output(("cp -r lua %s/lua"):format(directory))
  end)
  after_each(function() output("rm -r " .. directory) end)

  local function run(chunk, variables)
    local file = assert(io.open(directory .. "/run.lua", "w"))
    file:write(HEAD, chunk)
    file:close()
    return output(("env LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua' %s %s%s %s/run.lua %s"):format(directory, directory,
      variables or "", process.sanitized(), process.lua(), directory, directory))
  end

  it("loads less than a third of the modules of its first call with require and new", function()
    local before, after = run([[
      local function count()
        local n = 0
        for name in pairs(package.loaded) do if name:find "^smmpanel" then n = n + 1 end end
        return n
      end
      local before = count()
      assert(panel:add { service = 1, link = "x", quantity = 1 })
      print(before, count())]]):match "(%d+)\t(%d+)"
    assert.is_true(tonumber(before) * 3 < tonumber(after), before .. " of " .. after)
  end)

  -- Parts of two different versions could read a response wrongly.
  it("whose files are replaced before its first call sends nothing", function()
    assert.equal("false\tsmmpanel: the module's files were replaced or removed while the program was running; "
      .. "restart the program\n", run [[
      replace()
      print(pcall(function() return panel:add { service = 1, link = "x", quantity = 1 } end))]])
  end)

  it("whose files are replaced or removed after a call continues with the old ones", function()
    assert.equal("7\tPending\n", run [[
      assert(panel:balance())
      replace()
      local made = assert(panel:add { service = 1, link = "x", quantity = 1 })
      run "rm -r DIR/lua"
      print(made.order, assert(panel:status(made.order)).status)]])
  end)
end)
