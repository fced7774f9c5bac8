-- The calls under luv, cqueues, Copas, in Neovim and in LÖVE: each runs spec/loops/support/scenario.lua.
local process = require "spec.support.process"
local programs = require "spec.loops.support.programs"
local sandbox_support = require "spec.support.sandbox"

local SECONDS = 60 -- then it hangs
local STALL_MS = 200 -- who blocks stalls for the 300 of an answer
local FRAME_MS = 1 -- of processor time, in LÖVE

local is_51 = _VERSION == "Lua 5.1"

describe("in", function()
  local sandbox

  lazy_setup(function() sandbox = sandbox_support.start { tls = false, services = 10000 } end)
  lazy_teardown(function() if sandbox then sandbox.stop() end end)

  local function run(command, environment)
    local pipe = io.popen(("SPEC_URL='%s' SPEC_KEY=%s %s timeout %d env %s 2>&1; echo status $?"):format(
      sandbox.url, sandbox.key, environment or "", SECONDS, command))
    local text = pipe:read "*a"
    pipe:close()
    return text
  end

  for i, program in ipairs(programs) do
    if program.command then
      it(program.name .. " a call suspends its coroutine and nothing else", function()
        local said = run(program.command, "SPEC_NAME=p" .. i)
        assert.is_nil(said:match "not ok[^\n]*", said)
        assert.truthy(said:find("\nend", 1, true), said)
        assert.truthy(said:find("nothing left", 1, true), said)
        assert.truthy(said:find("status 0", 1, true), said)
        local stall = tonumber(said:match "longest stall (%S+)")
        -- One that polls has its turns late on a busy machine; that it blocked nobody is in the count below.
        assert.is_true(program.polls or stall < STALL_MS, said)
        assert.is_true(sandbox.counts("p" .. i).max_in_flight > 32, "they ran one after the other")
        if program.frames then
          assert.is_true(tonumber(said:match "100 calls: median %S+ longest (%S+)") < FRAME_MS, said)
        end
        if os.getenv "SPEC_VERBOSE" then print(program.name, said) end
      end)

      it(program.name .. " the program may leave in mid-flight", function()
        -- luv itself does not bear that its state is closed within its loop.
        for _, how in ipairs { "at_once", program.closes ~= false and "close" or nil } do
          assert.matches("leaving.*status 7", run(program.command, "SPEC_EXIT=" .. how))
        end
      end)
    end
  end

  it("plain Lua all runs side by side, across a fork too, and may leave in mid-flight", function()
    local command = process.lua() .. " spec/loops/programs/plain.lua"
    assert.equal("ok all\nok fork\nok side by side\nstatus 0\n", run(command))
    for _, how in ipairs { "at_once", "close" } do
      assert.equal("status 7\n", run(command, "SPEC_EXIT=" .. how))
    end
  end)

  if not is_51 then return end

  it("Copas on plain Lua 5.1 many calls sleep at a time, and sleep again when they wake up", function()
    if not programs.loads("lua5.1", "copas") then return pending "copas does not load here" end
    assert.equal("40 of 40 ended\nstatus 0\n", run "lua5.1 spec/loops/programs/copas_sleepers.lua")
  end)

  it("Neovim outside a coroutine Ctrl-C ends what blocks, and a write says that it is uncertain", function()
    local said = run(programs.neovim .. "'luafile spec/loops/programs/neovim_interrupt.lua'")
    assert.matches("call early cancelled", said, 1, true)
    assert.matches("write early cancelled uncertain", said, 1, true)
    assert.matches("batch early interrupted", said, 1, true)
    assert.matches("again early nil", said, 1, true)
  end)
end)
