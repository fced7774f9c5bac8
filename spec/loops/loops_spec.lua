-- The calls in the real program of each loop: each runs spec/loops/support/scenario.lua.
local process = require "spec.support.process"
local programs = require "spec.loops.support.programs"
local sandbox_support = require "spec.support.sandbox"
local system = require "spec.support.system"

local SECONDS = 60 -- then it hangs
local AT_A_TIME = 3 -- what they do most is to wait
local STALL_MS = 200 -- who blocks stalls for the 300 of an answer
local FRAME_MS = 1 -- of processor time, in LÖVE

local is_51 = _VERSION == "Lua 5.1"

local output = system.output

-- luv itself crashes if its state is closed within its loop.
local function ways_to_leave(program)
  return { "at_once", program.closes ~= false and "close" or nil }
end

describe("in", function()
  local sandbox, dir

  local function shell(command, environment)
    return ("export SPEC_URL='%s' SPEC_KEY=%s; %s timeout %d env %s 2>&1; echo status $?\n"):format(sandbox.url,
      sandbox.key, environment or "", SECONDS, command)
  end

  local function run(command, environment) return output(shell(command, environment)) end

  local function scenario_of(i) return shell(programs[i].command, "SPEC_NAME=p" .. i) end

  local function write_script(i)
    local file = assert(io.open(("%s/%d.sh"):format(dir, i), "w"))
    local function append(name, commands) file:write(("{ %s} >%s/%d.%s\n"):format(commands, dir, i, name)) end
    append("scenario", scenario_of(i))
    for _, how in ipairs(ways_to_leave(programs[i])) do
      append(how, shell(programs[i].command, "SPEC_EXIT=" .. how))
    end
    file:close()
  end

  local function said_by(i, name)
    return system.read(("%s/%d.%s"):format(dir, i, name))
  end

  local function stall_of(said) return tonumber(said:match "longest stall (%S+)") end

  -- A loop that polls runs late on a busy machine; the server's count shows that it blocked nothing.
  local function is_stalled(program, said) return not program.polls and (stall_of(said) or 0) >= STALL_MS end

  lazy_setup(function()
    sandbox = sandbox_support.start { tls = false, services = 10000 }
    dir = system.directory()
    for i, program in ipairs(programs) do
      if program.command then write_script(i) end
    end
    os.execute(("ls %s/*.sh | xargs -P %d -n 1 sh"):format(dir, AT_A_TIME))
  end)
  lazy_teardown(function()
    if sandbox then sandbox.stop() end
    os.execute("rm -rf '" .. dir .. "'")
  end)

  for i, program in ipairs(programs) do
    if program.command then
      it(program.name .. " a call suspends its coroutine and nothing else", function()
        local said = said_by(i, "scenario")
        -- Other processes may have had the processor; a loop that blocks stalls alone too.
        if is_stalled(program, said) then said = output(scenario_of(i)) end
        assert.is_nil(said:match "not ok[^\n]*", said)
        assert.truthy(said:find("\nend", 1, true), said)
        assert.truthy(said:find("nothing left", 1, true), said)
        assert.truthy(said:find("status 0", 1, true), said)
        assert.is_false(is_stalled(program, said), said)
        assert.is_true(sandbox.counts("p" .. i).max_in_flight > 32, "they ran one after the other")
        if program.frames then
          assert.is_true(tonumber(said:match "100 calls: median %S+ longest (%S+)") < FRAME_MS, said)
        end
        if os.getenv "SPEC_VERBOSE" then print(program.name, said) end
      end)

      it(program.name .. " the program may leave in mid-flight", function()
        for _, how in ipairs(ways_to_leave(program)) do
          assert.matches("leaving.*status 7", said_by(i, how))
        end
      end)
    end
  end

  it("plain Lua runs all functions concurrently, across a fork too, and can end in mid-flight", function()
    local command = process.lua() .. " spec/loops/programs/plain.lua"
    assert.equal("ok all\nok fork\nok side by side\nstatus 0\n", run(command))
    for _, how in ipairs { "at_once", "close" } do
      assert.equal("status 7\n", run(command, "SPEC_EXIT=" .. how))
    end
  end)

  if not is_51 then return end

  it("Copas on plain Lua 5.1 lets many calls sleep at a time, and sleep again when they wake up", function()
    if not programs.loads("lua5.1", "copas") then return pending "copas does not load here" end
    assert.equal("40 of 40 ended\nstatus 0\n", run "lua5.1 spec/loops/programs/copas_sleepers.lua")
  end)

  it("Neovim outside a coroutine ends a blocking call at Ctrl-C, and reports a write as uncertain", function()
    local said = run(programs.neovim .. "'luafile spec/loops/programs/neovim_interrupt.lua'")
    assert.matches("call early cancelled", said, 1, true)
    assert.matches("write early cancelled uncertain", said, 1, true)
    assert.matches("batch early interrupted", said, 1, true)
    assert.matches("again early nil", said, 1, true)
  end)
end)
