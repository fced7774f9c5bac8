-- The annotations for editors, compared with the module's exports: everything public has a docstring and types, and
-- everything annotated exists.
local smmpanel = require "smmpanel"

-- Returns every function of a file with the comment lines right above it: { name, where, comment, parameters }.
local function functions_in(path)
  local list, comment = {}, {}
  for line in io.lines(path) do
    local name, parameters = line:match "^function ([%w_.:]+)%((.-)%)"
    if line:find "^%-%-" then
      comment[#comment + 1] = line
    else
      if name then
        list[#list + 1] = { name = name, where = path .. ": " .. name, parameters = parameters,
          comment = table.concat(comment, "\n") .. "\n" }
      end
      comment = {}
    end
  end
  return list
end

local function names_of(parameters)
  local names = {}
  for name in parameters:gmatch "[%w_.]+" do names[#names + 1] = name end
  return names
end

local function tags(comment, pattern)
  local found = {}
  for name in comment:gmatch(pattern) do found[#found + 1] = name end
  return found
end

-- path, and the name of its public functions there
local PUBLIC = {
  { "lua/smmpanel/init.lua", "^smmpanel[.:]" }, { "lua/smmpanel/client.lua", "^Panel[.:]" },
  { "lua/smmpanel/catalog/init.lua", "^[cC]atalog[.:]" }, { "lua/smmpanel/ledger/init.lua", "^ledger[.:]" },
  { "lua/smmpanel/limiter/init.lua", "^limiter[.:]" }, { "lua/smmpanel/sandbox/server/init.lua", "^server[.:]" },
}

local function public()
  local list = {}
  for _, file in ipairs(PUBLIC) do
    for _, f in ipairs(functions_in(file[1])) do
      if f.name:find(file[2]) then list[#list + 1] = f end
    end
  end
  return list
end

local RETURNS_NOTHING = {
  ["smmpanel.step"] = true, ["smmpanel.sleep"] = true, ["Panel:close"] = true, ["server.wait"] = true,
}

describe("the annotations of", function()
  for _, f in ipairs(public()) do
    it(f.name, function()
      assert.is_truthy(f.comment:find "^%-%-%- %u", f.where .. " has no docstring")
      assert.same(names_of(f.parameters), tags(f.comment, "%-%-%-@param ([%w_.]+)"), f.where)
      assert.equal(RETURNS_NOTHING[f.name] or false, not f.comment:find "%-%-%-@return", f.where)
    end)
  end
end)

describe("the annotations match", function()
  local documented = {}
  for _, f in ipairs(public()) do documented[f.name:gsub(":", ".")] = true end

  local function assert_all(prefix, object)
    for name, value in pairs(object) do
      if type(value) == "function" and type(name) == "string" and not name:find "^_" then
        assert.is_true(documented[prefix .. name], prefix .. name .. " is exported without types")
      end
    end
    for name in pairs(documented) do
      local own = name:match("^" .. prefix:gsub("%.", "%%.") .. "([%w_]+)$")
      if own then assert.equal("function", type(object[own]), name .. " is typed and does not exist") end
    end
  end

  it("what smmpanel exports", function() assert_all("smmpanel.", smmpanel) end)
  it("what a panel has", function()
    local panel = smmpanel.new { url = "http://127.0.0.1:1/", key = "k" }
    assert_all("Panel.", getmetatable(panel).__index)
  end)
  it("what the ledger, the limiter and the sandbox export", function()
    assert_all("ledger.", smmpanel.ledger)
    assert_all("limiter.", smmpanel.limiter)
    assert_all("server.", require "smmpanel.sandbox.server")
  end)

  local by_ids = {}
  for action, row in pairs(require "smmpanel.api.actions") do
    if row.many then
      local class = ("_" .. action):gsub("_(%l)", string.upper)
      by_ids[action] = { class, class:find "s$" and class .. "es" or class .. "s" }
    end
  end
  for action, records in pairs(by_ids) do
    it("has a signature for one id and one for a list: " .. action, function()
      local comment
      for _, f in ipairs(functions_in "lua/smmpanel/client.lua") do
        if f.name == "Panel:" .. action then comment = f.comment end
      end
      assert.is_truthy(comment:find "@param x smmpanel%.Id one ")
      assert.is_truthy(comment:find("@return smmpanel." .. records[1] .. "? ", 1, true))
      local list = "@overload fun(self, x: smmpanel.Id[], given?: smmpanel.CallOptions): smmpanel.%s,"
      assert.is_truthy(comment:find(list:format(records[2]), 1, true))
    end)
  end

  it("has an annotation for each option, and an option for each annotation", function()
    local options, annotated = require "smmpanel.options", {}
    local inside = false
    for line in io.lines "lua/smmpanel/options.lua" do
      if line:find "^%-%-%-@class" then inside = line:find("smmpanel.Options", 1, true) ~= nil end
      local name = inside and line:match "^%-%-%-@field ([%w_]+)"
      if name then annotated[name] = true end
    end
    local _, message = pcall(options.panel, { url = "http://e.com", key = "k", ["?????????????????????"] = 1 })
    local known = {}
    for name in message:match "known: (.*)":gmatch "[%w_]+" do known[name] = true end
    assert.same(known, annotated)
  end)

  it("name only classes that exist", function()
    local defined, used = { ["smmpanel.Panel"] = true }, {}
    local pipe = io.popen "find lua -name '*.lua'"
    for path in pipe:lines() do
      for line in io.lines(path) do
        local made = line:match "^%s*%-%-%-@class ([%w_.]+)" or line:match "^%s*%-%-%-@alias ([%w_.]+)"
        if made then defined[made] = true end
        local parents = line:match "^%s*%-%-%-@class [%w_.]+%s*:%s*(%S+)"
        local typed = parents or line:match "^%s*%-%-%-@[pf][ai][re][al][md]?%s+%S+%s+(.*)"
          or line:match "^%s*%-%-%-@return%s+(.*)" or line:match "^%s*%-%-%-@overload%s+(.*)"
        for name in (typed or ""):gmatch "smmpanel%.%u%w*" do used[name] = path end
      end
    end
    pipe:close()
    for name, path in pairs(used) do assert.is_true(defined[name] or false, path .. ": " .. name) end
  end)
end)
