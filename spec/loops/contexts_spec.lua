-- In each place where a call can be made, it suspends, blocks, or throws before anything is sent. The table in
-- docs/event-loops.md says which, for each loop; here each of its cells is tested in the real program.
local http = require "spec.loops.support.http"
local nginx = require "spec.loops.support.nginx"
local process = require "spec.support.process"
local programs = require "spec.loops.support.programs"
local sandbox_support = require "spec.support.sandbox"
local system = require "spec.support.system"

local function cells(line)
  local list = {}
  for cell in line:gmatch "|([^|\n]+)" do list[#list + 1] = cell:match "^%s*(.-)%s*$" end
  return list
end

-- loop -> place -> what the documents say
local function documented()
  local text = system.read "docs/event-loops.md"
  local lines = {}
  for line in assert(text:match "(\n| A call made in[^\n]*\n.-\n)\n"):gmatch "[^\n]+" do lines[#lines + 1] = line end
  local loops, table_of = cells(lines[1]), {}
  for i = 2, #loops do table_of[loops[i]] = {} end
  for i = 3, #lines do
    local row = cells(lines[i])
    for column = 2, #row do table_of[loops[column]][row[1]:gsub("`", "")] = row[column] end
  end
  return table_of
end

-- Plain Lua 5.1 cannot suspend there. Neovim, Tarantool and the games have LuaJIT, whatever runs the specs.
local NOT_IN_51 = { pcall = true, xpcall = true, metamethod = true, iterator = true, tostring = true }
local is_plain_51 = _VERSION == "Lua 5.1" and not rawget(_G, "jit")

local function cell_of(table_of, program, place)
  local runs_here = program and program.command:find(process.lua() .. " ", 1, true)
  if is_plain_51 and runs_here and NOT_IN_51[place] then return "blocks" end
  return table_of[place]
end

-- Neovim waits instead of suspending: its own work continues. Some cells differ between Luas.
local function allows(cell, said)
  return cell:find(said, 1, true) or said == "suspends" and cell == "waits"
end

local NGINX = [[
  location = /contexts { content_by_lua_block {
    local ticks, ended = 0, false
    local thread = ngx.thread.spawn(function() while not ended do ticks = ticks + 1; ngx.sleep(0.001) end end)
    require "spec.loops.support.contexts".run(function() return ticks end, ngx.say)
    ended = true
    ngx.thread.wait(thread) } }
]]

describe("a call made", function()
  local sandbox, expected, dir

  -- All programs at once: they mostly wait.
  local function run_all()
    local commands = {}
    for i, program in ipairs(programs) do
      if program.command and not program.is_again then
        commands[#commands + 1] = ("SPEC_NAME=p%d timeout 60 env %s >%s/%d 2>&1 &"):format(i, program.command, dir, i)
      end
    end
    os.execute(("export SPEC_CONTEXTS=1 SPEC_URL='%s' SPEC_KEY=%s; %s wait"):format(sandbox.url, sandbox.key,
      table.concat(commands, " ")))
  end

  lazy_setup(function()
    sandbox, expected = sandbox_support.start { tls = false }, documented()
    dir = system.directory()
    run_all()
  end)
  lazy_teardown(function()
    if sandbox then sandbox.stop() end
    os.execute("rm -rf '" .. dir .. "'")
  end)

  local function output_of(i)
    return system.read(dir .. "/" .. i)
  end

  local function check(loop, prefix, output, program)
    local places = 0
    for place, said, why in output:gmatch "context ([^:\n]+): (%l+)([^\n\r]*)" do
      places = places + 1
      local cell = cell_of(assert(expected[loop], loop), program, place)
      assert(cell, "docs/event-loops.md does not mention " .. place)
      assert.is_truthy(allows(cell, said), ("%s, %s: %s, not %s %s"):format(loop, place, cell, said, why))
      local requests = sandbox.counts(prefix .. place:gsub("%W", "_")).requests
      assert.equal(said == "throws" and 0 or 1, requests, place)
      if said == "throws" and place:find "^generator" then
        assert.matches("a generator's loop", why, 1, true)
      end
    end
    assert.is_true(places >= 15, output)
  end

  for i, program in ipairs(programs) do
    if program.command and not program.is_again then
      it("in " .. program.name .. " waits as the documents say, or throws with nothing sent", function()
        check(program.name, "p" .. i, output_of(i), program)
      end)
    end
  end

  it("in a converter of HAProxy ends it, with nothing sent", function()
    local port = system.free_port()
    local command = programs.haproxy(port, "main")
    if not command then return end
    local quoted = command:gsub("'", '"')
    local server = process.start(("env SPEC_SERVE=1 SPEC_URL='%s' SPEC_KEY=%s sh -c 'echo started; exec %s'"):format(
      sandbox.url, sandbox.key, quoted))
    finally(server.stop)
    assert(nginx.wait_until(function()
      local ok, _, body = pcall(http.get, port, "/call")
      return ok and body == "USD"
    end))
    local before = sandbox.counts("haproxy").requests
    assert.equal(200, (http.get(port, "/converter")))
    assert.equal(before, sandbox.counts("haproxy").requests)
    assert.equal("USD", select(2, http.get(port, "/call")))
  end)

  if _VERSION ~= "Lua 5.1" then return end

  it("in nginx waits as the documents say, or throws with nothing sent", function()
    local environment = ("env SPEC_URL=%s; env SPEC_KEY=%s; env SPEC_NAME=n;"):format(sandbox.url, sandbox.key)
    local server = nginx.start { locations = NGINX, main = environment }
    finally(function() server:stop() end)
    check("nginx", "n", (select(2, server:get "/contexts")))
  end)
end)
