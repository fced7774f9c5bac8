-- Every `require` in lua/ and every `#include "…"` in csrc/ against the arrows in docs/architecture.md.
local system = require "spec.support.system"

local read = system.read

local function files(command)
  local list, pipe = {}, io.popen(command)
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  table.sort(list)
  return list
end

local function words(text)
  local set = {}
  for word in text:gmatch "[%w_]+" do set[word] = true end
  return set
end

local document = read "docs/architecture.md"

-- ---- Lua -----------------------------------------------------------------------------------------

local allowed = {}
for line in document:match("```arrows\n(.-)```"):gmatch "[^\n]+" do
  local from, to = line:match "^(%S+)%s*%->(.*)$"
  allowed[from] = words(to)
end

-- "smmpanel.call.batch" and "smmpanel.call" are of `call`; "smmpanel" itself is `init`.
local function part_of(module)
  return module:match "^smmpanel%.([%w_]+)" or "init"
end

local function module_of(path)
  return (path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function code_of(path)
  return (("\n" .. read(path)):gsub("\n%s*%-%-[^\n]*", ""))
end

local requires = {} -- module -> set of modules
for _, path in ipairs(files "find lua -name '*.lua'") do
  local found = {}
  for _, loader in ipairs { "require", "lazy" } do
    for name in code_of(path):gmatch(loader .. "%s*%(?%s*[\"'](smmpanel[%w_.]*)[\"']") do found[name] = true end
  end
  requires[module_of(path)] = found
end

describe("docs/architecture.md", function()
  it("allows every require in lua/", function()
    local wrong = {}
    for module, found in pairs(requires) do
      local from = part_of(module)
      for name in pairs(found) do
        local to = part_of(name)
        local fine = to == from or to == "util" or to == "core" or allowed[from] and allowed[from][to]
        if not fine then wrong[#wrong + 1] = module .. " -> " .. name end
      end
    end
    table.sort(wrong)
    assert.same({}, wrong)
  end)

  -- What the command line can do, another program can do too.
  it("has a command line that requires public modules only", function()
    local public = { smmpanel = true, ["smmpanel.catalog"] = true, ["smmpanel.core"] = true }
    for module, found in pairs(requires) do
      for name in pairs(part_of(module) == "cli" and found or {}) do
        local part = part_of(name)
        assert.is_true(public[name] or part == "cli" or part == "util" or part == "sandbox", module .. " -> " .. name)
      end
    end
  end)

  it("names no part that does not exist", function()
    local parts = { core = true }
    for module in pairs(requires) do parts[part_of(module)] = true end
    for from, list in pairs(allowed) do
      assert.is_true(parts[from] or false, from)
      for to in pairs(list) do assert.is_true(parts[to] or false, to) end
    end
  end)

  it("finds no cycle among the modules", function()
    local state, path = {}, {}
    local function visit(module)
      if state[module] == "done" or not requires[module] then return end
      path[#path + 1] = module
      assert.is_nil(state[module], table.concat(path, " -> "))
      state[module] = "open"
      for name in pairs(requires[module]) do visit(name) end
      state[module], path[#path] = "done", nil
    end
    for module in pairs(requires) do visit(module) end
  end)
end)

describe("lua/smmpanel", function()
  it("has at most 16 entries, and no folder below it more than 18 files", function()
    assert.is_true(#files "ls lua/smmpanel" <= 16)
    for _, folder in ipairs(files "find lua/smmpanel -mindepth 1 -type d") do
      local count = #files(("find %s -maxdepth 1 -type f"):format(folder))
      assert.is_true(count <= 18, folder .. " has " .. count)
    end
  end)

  it("and csrc and spec have no file of more than 400 lines", function()
    for _, path in ipairs(files "find lua csrc bin spec -type f ! -path 'spec/data/*'") do
      local _, lines = read(path):gsub("\n", "")
      assert.is_true(lines <= 400, path .. " has " .. lines)
    end
  end)
end)

-- ---- C -------------------------------------------------------------------------------------------

-- The kinds of files in csrc/, from the table, and what each kind may include.
local KINDS = { ["bytes"] = 1, ["the thread"] = 2, ["Lua values"] = 3, ["the binding"] = 4 }
local MAY_INCLUDE = { [1] = { [1] = true }, [2] = { [1] = true, [2] = true }, [3] = { [1] = true, [3] = true },
  [4] = { [1] = true, [2] = true, [3] = true, [4] = true } }
local ANYWHERE = { compat = true, smmpanel = true } -- the Lua versions; the version

local kind_of = {}
for name, list in document:gmatch "\n| ([%w ]+) | ([`%w_ ]+) |" do
  for file in list:gmatch "`([%w_]+)`" do kind_of[file] = KINDS[name] end
end

describe("csrc/", function()
  local sources = files "find csrc -name '*.[ch]'"

  it("has each file in the table", function()
    for _, path in ipairs(sources) do
      local name = path:match "([%w_]+)%.[ch]$"
      local stem = name:gsub("^json_.*", "json")
      assert.is_truthy(kind_of[stem] or ANYWHERE[name], path)
    end
  end)

  it("includes nothing that the table does not allow", function()
    local wrong = {}
    for _, path in ipairs(sources) do
      local from = kind_of[(path:match "([%w_]+)%.[ch]$":gsub("^json_.*", "json"))]
      for included in read(path):gmatch '#include "([%w_]+)%.h"' do
        local to = kind_of[(included:gsub("^json_.*", "json"))]
        if not ANYWHERE[included] and from and not (to and MAY_INCLUDE[from][to]) then
          wrong[#wrong + 1] = path .. " -> " .. included
        end
      end
    end
    assert.same({}, wrong)
  end)

  it("keeps Lua out of the thread and libcurl out of the values", function()
    for _, path in ipairs(sources) do
      local kind, text = kind_of[(path:match "([%w_]+)%.[ch]$":gsub("^json_.*", "json"))], read(path)
      if kind == 1 or kind == 2 then assert.is_nil(text:find '#include <l[ua][ua]', path) end
      if kind == 1 or kind == 3 then assert.is_nil(text:find("#include <curl/", 1, true), path) end
    end
  end)
end)
