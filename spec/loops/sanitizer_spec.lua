-- The programs of the loops again, with the core built for the thread sanitizer, which must report nothing.
-- On 5.4 only: LuaJIT and the sanitizer need the same addresses.
if _VERSION ~= "Lua 5.4" then return end

-- From gcc 13 on, the sanitizer ends a forked child that starts a thread, unless it is configured otherwise. That of
-- gcc 12 ends the program in the finalizer of GnuTLS, whose thread-local storage it mistakes.
local TSAN_OPTIONS = "die_after_fork=0:intercept_tls_get_addr=0"

local process = require "spec.support.process"
local system = require "spec.support.system"
local sandbox_server = require "smmpanel.sandbox.server"

local function output(command) return system.line(command .. " 2>&1") end

describe("under the thread sanitizer", function()
  local sandbox, dir, library

  lazy_setup(function()
    dir, library = system.directory(), output "cc -print-file-name=libtsan.so"
    if not library:find "^/" then return end
    local said = output(("make --no-print-directory LUA=%s CORE=%s/smmpanel/core.so " ..
      "CFLAGS='-O1 -g -fsanitize=thread' all; echo built $?"):format(process.lua(), dir))
    assert(said:find "built 0$", said)
    sandbox = assert(sandbox_server.start { tls = false, services = 10000 })
  end)
  lazy_teardown(function()
    if sandbox then sandbox.stop() end
    os.execute("rm -rf '" .. dir .. "'")
  end)

  for _, name in ipairs { "luv", "cqueues", "plain" } do
    it(name, function()
      if not sandbox then return pending "there is no thread sanitizer" end
      local said = output(("TSAN_OPTIONS=%s SPEC_URL='%s' SPEC_KEY=%s LUA_CPATH='%s/?.so;;' " ..
        "LD_PRELOAD=%s timeout 60 %s spec/loops/programs/%s.lua; echo status $?"):format(TSAN_OPTIONS, sandbox.url,
        sandbox.key, dir, library, process.lua(), name))
      assert.is_nil(said:match "ThreadSanitizer.*", said)
      assert.is_nil(said:match "not ok[^\n]*", said)
      assert.truthy(said:find "status 0$", said)
    end)
  end
end)
