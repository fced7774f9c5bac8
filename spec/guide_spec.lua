-- docs/guide.md: each chapter runs as one program against the sandbox and prints what it says.
local process = require "spec.support.process"
local sandboxes = require "spec.support.sandbox"
local system = require "spec.support.system"

local PRELUDE = [[
io.stdout:setvbuf "no" -- what was printed before it hung is wanted too
local smmpanel = require "smmpanel"
local panel = smmpanel.new { url = os.getenv "SMMPANEL_URL", key = os.getenv "SMMPANEL_KEY" }
]]

-- The mark of a block: a library, or a program of which plain Lua can only check the syntax.
local LIBRARIES = { luv = true, cqueues = true, copas = true }
local PROGRAMS = { neovim = true, love = true }

local function chapters()
  local list, chapter, block = {}, nil, nil
  for line in io.lines "docs/guide.md" do
    local title, mark = line:match "^## (.+)", line:match "^```lua ?(%w*)$"
    if title then
      chapter = { title = title, lines = {}, expected = {}, marks = {} }
      list[#list + 1] = chapter
    elseif mark then
      block, chapter.mark = true, mark
    elseif line == "```" then
      block = nil
    elseif block then
      chapter.lines[#chapter.lines + 1] = line
      chapter.expected[#chapter.expected + 1] = line:match "%-%->%s(.*)$"
    end
  end
  return list
end

-- Tested in a separate process: loaded here, it would be the event loop of every later spec.
local function has(library)
  local command = ("%s -e 'require \"%s\"' >/dev/null 2>&1"):format(process.lua(), library)
  local ok = os.execute(command)
  return ok == true or ok == 0
end

-- Makes every panel of the chapter use a sandbox in its own process.
local IN_PROCESS = [[
do
  local smmpanel = require "smmpanel"
  local new, sandbox = smmpanel.new, smmpanel.sandbox()
  function smmpanel.new(options)
    options.transport = options.transport or sandbox
    return new(options)
  end
end
]]

local function run(chapter, sandbox)
  local path = os.tmpname()
  system.write(path, sandbox.prelude or "", PRELUDE, table.concat(chapter.lines, "\n"), "\n")
  local command = "SMMPANEL_URL=%s SMMPANEL_KEY=%s timeout 60 %s %s 2>&1 || echo status $?"
  local text = system.output(command:format(sandbox.url, sandbox.key, process.lua(), path))
  os.remove(path)
  return text
end

local function try_chapters(start)
  local sandbox
  lazy_setup(function() sandbox = start() end)
  lazy_teardown(function() sandbox.stop() end)

  for _, chapter in ipairs(chapters()) do
    if #chapter.lines > 0 then
      it("'" .. chapter.title .. "'", function()
        local code = PRELUDE .. table.concat(chapter.lines, "\n")
        assert((loadstring or load)(code, "=" .. chapter.title)) -- luacheck: ignore
        if PROGRAMS[chapter.mark] then return end
        if LIBRARIES[chapter.mark] and not has(chapter.mark) then
          return pending(chapter.mark .. " is not there for " .. _VERSION)
        end
        assert.equal(table.concat(chapter.expected, "\n") .. "\n", run(chapter, sandbox))
      end)
    end
  end

  it("list is not empty", function() assert.is_true(#chapters() > 10) end)
end

describe("the guide's chapter", function()
  try_chapters(function() return sandboxes.start() end)
end)

describe("the guide's chapter, in one process:", function()
  try_chapters(function()
    return { url = "http://sandbox.invalid/api/v2", key = "the-key-of-the-guide", prelude = IN_PROCESS,
      stop = function() end }
  end)
end)
