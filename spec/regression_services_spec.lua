-- Reading a catalogue is one turn of the host's loop, however long the catalogue is.
local answers = require "smmpanel.api.answers"

local type = type -- a local, because a spec's globals are looked up by a function
local ROWS = 2000

-- Virtual machine instructions, which do not depend on the machine or its load.
local function instructions(f)
  local hook, mask, every = debug.gethook()
  local count = 0
  if jit then jit.off() end -- compiled code calls no hook
  debug.sethook(function() count = count + 1 end, "", 1)
  f()
  debug.sethook(hook, mask, every)
  if jit then jit.on() end
  return count
end

local function catalogue()
  local rows = {}
  for i = 1, ROWS do rows[i] = { service = i, name = "Likes", rate = 0.9, min = 10, max = 1000 } end
  return rows
end

local function walk(rows)
  for i = 1, #rows do
    local row = rows[i]
    if type(row) ~= "table" or row.service == nil then return false end
  end
end

describe("reading a catalogue", function()
  it("walks its rows once (it had counted them first, to detect a list around the list)", function()
    local rows = catalogue()
    local once = instructions(function() walk(rows) end)
    local read = instructions(function() assert.equal(rows, (answers.read("services", nil, rows))) end)
    assert.is_true(once > 5 * ROWS)
    assert.is_true(read < 1.5 * once, ("%d instructions, %d for one walk"):format(read, once))
  end)
end)
