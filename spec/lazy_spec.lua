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
    directory = system.directory()
    output(("cp -r lua %s/lua"):format(directory))
  end)
  after_each(function() output("rm -r " .. directory) end)

  local function run(chunk, variables)
    system.write(directory .. "/run.lua", HEAD, chunk)
    return output(("env LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua' %s %s%s %s/run.lua %s"):format(directory, directory,
      variables or "", process.sanitized(), process.lua(), directory, directory))
  end

  it("loads a third of its modules with require and new, and two thirds with a call that reads", function()
    local idle, reading, writing = run([[
      local function count()
        local n = 0
        for name in pairs(package.loaded) do if name:find "^smmpanel" then n = n + 1 end end
        return n
      end
      local idle = count()
      assert(panel:balance())
      local reading = count()
      assert(panel:add { service = 1, link = "x", quantity = 1 })
      print(idle, reading, count())]]):match "(%d+)\t(%d+)\t(%d+)"
    local counts = ("%s, %s and %s"):format(idle, reading, writing)
    assert.is_true(tonumber(idle) * 3 < tonumber(writing), counts)
    assert.is_true(tonumber(reading) < tonumber(writing) * 2 / 3, counts)
  end)

  -- If a file cannot be read any more, reading the answer must not throw: the order may have been placed.
  it("loads nothing more once it has sent a write", function()
    assert.equal("", run [[
      local cjson, json = require "cjson", require "smmpanel.util.json"
      local searchers = package.searchers or package.loaders
      local function refuse(name) error("it loads " .. name) end
      local body, status
      local http = smmpanel.new { url = "https://panel.example/api/v2", key = "key", retries = 0,
        transport = function()
          table.insert(searchers, 1, refuse)
          return { status = status, body = body }
        end }
      local function try(action, ...)
        local ok, why = pcall(http[action], http, ...)
        if searchers[1] == refuse then table.remove(searchers, 1) end
        if not ok then print(action, body, why) end
      end
      local function try_all(answer)
        body = answer
        for _, number in ipairs { 200, 400, 503 } do
          status = number
          try("add", { service = 1, link = "x", quantity = 1 })
          for _, action in ipairs { "refill", "cancel" } do try(action, 7) try(action, { 7, 8 }) end
          try("call", "pause", {})
        end
      end
      for line in io.lines "spec/data/panel-texts.jsonl" do
        try_all(json.encode { error = cjson.decode(line).text })
      end
      for line in io.lines "spec/data/panel-shapes.jsonl" do try_all(cjson.decode(line).body) end
      for _, answer in ipairs { "", "null", "<html><title>Just a moment...</title>", "[1,", "true" } do
        try_all(answer)
      end]])
  end)

  -- Parts of two different versions could read a response wrongly.
  it("whose files are replaced before its first call sends nothing", function()
    assert.equal("false\tsmmpanel: the module's files were replaced or removed while the program was running; "
      .. "restart the program\n", run [[
      replace()
      print(pcall(function() return panel:add { service = 1, link = "x", quantity = 1 } end))]])
  end)

  it("whose files are replaced or removed continues to make the calls that it has made before", function()
    assert.equal("7\tPending\tfalse\n", run [[
      assert(panel:status(assert(panel:add { service = 1, link = "x", quantity = 1 }).order))
      replace()
      local made = assert(panel:add { service = 1, link = "x", quantity = 1 })
      run "rm -r DIR/lua"
      print(made.order, assert(panel:status(made.order)).status, (pcall(panel.watch, panel, 7)))]])
  end)
end)
