-- The setup of a system: tools/deps on simulated systems, tools/install, the rockspecs.
local system = require "spec.support.system"

local read = system.read

local function shell(command)
  return system.output("{ " .. command .. "; } 2>&1; echo exit $?")
end

-- The programs that tools/deps calls, and a log of what it ran.
local APT = {
  ["dpkg-query"] = [[for name; do :; done
    grep -qx "$name" "$SYSTEM/installed" 2>/dev/null && echo "install ok installed"]],
  ["apt-cache"] = [[grep -qx "$2" "$SYSTEM/offered" && printf '%s:\n  Candidate: 1.0\n' "$2"; exit 0]],
  ["apt-get"] = [[echo "apt-get $*" >>"$SYSTEM/log"
    case "$*" in
      -s*) sed 's/^/Remv /' "$SYSTEM/conflicts" 2>/dev/null ;;
      *install*) [ ! -e "$SYSTEM/conflicts" ] ;;
    esac]],
}
local TOOLS = "sh env grep sed awk tr sort tail mktemp rm dirname cat true id sudo"

describe("tools/deps", function()
  local dir

  before_each(function()
    dir = os.tmpname()
    os.remove(dir)
    os.execute("mkdir -p " .. dir .. "/bin")
    for tool in TOOLS:gmatch "%S+" do
      os.execute(("p=$(command -v %s) && ln -s \"$p\" %s/bin/%s"):format(tool, dir, tool))
    end
  end)
  after_each(function() os.execute("rm -rf " .. dir) end)

  local function write(name, text)
    system.write(dir .. "/" .. name, text)
  end

  local function program(name, text)
    os.remove(dir .. "/bin/" .. name) -- a link: writing would change the system's own program
    write("bin/" .. name, "#!/bin/sh\n" .. text .. "\n")
    os.execute("chmod +x " .. dir .. "/bin/" .. name)
  end

  -- A system with packages: { offered = "a b", installed = "c", conflicts = "d" }
  local function debian(packages)
    for name, text in pairs(APT) do program(name, text) end
    for name, list in pairs(packages) do write(name, (list:gsub("%s+", "\n")) .. "\n") end
    program("id", "echo 0")
  end

  local function deps(sets)
    return shell(("env -i PATH=%s/bin SYSTEM=%s tools/deps %s"):format(dir, dir, sets))
  end

  it("installs the LuaJIT that the system offers", function()
    for _, name in ipairs { "luajit2", "luajit" } do
      local header = name == "luajit2" and "libluajit2-5.1-dev" or "libluajit-5.1-dev"
      debian { offered = "luajit libluajit-5.1-dev " .. name .. " " .. header, installed = "" }
      assert.equal(("installing: %s %s\nexit 0\n"):format(name, header), deps "luajit")
    end
  end)

  it("installs nothing if any of the names is installed", function()
    debian { offered = "luajit2 libluajit2-5.1-dev luajit", installed = "luajit libluajit-5.1-dev" }
    assert.equal("exit 0\n", deps "luajit")
    assert.is_nil(io.open(dir .. "/log"))
  end)

  it("skips optional packages that are not offered", function()
    local there = "lua5.1 liblua5.1-0-dev lua5.2 liblua5.2-dev lua5.3 liblua5.3-dev"
    debian { offered = "lua5.5 liblua5.5-dev", installed = there }
    assert.equal("installing: lua5.5 liblua5.5-dev\nexit 0\n", deps "luas")
    debian { offered = "", installed = there }
    assert.equal("exit 0\n", deps "luas")
  end)

  it("removes no package, and lists the ones that would have to go", function()
    debian { offered = "luajit2 libluajit2-5.1-dev", installed = "", conflicts = "luajit libluajit-5.1-2" }
    local said = deps "luajit"
    assert.matches("apt would remove: luajit libluajit%-5%.1%-2", said)
    assert.matches("Debian lets only one LuaJIT be installed", said)
    assert.matches("\n  apt%-get install %-%-no%-install%-recommends luajit2 libluajit2%-5%.1%-dev\nexit 1\n$", said)
    local log = read(dir .. "/log")
    for line in log:gmatch "[^\n]+" do
      if line:find("install", 1, true) and not line:find("-s ", 1, true) then
        assert.truthy(line:find("--no-remove", 1, true), line)
      end
    end
  end)

  it("prints the other systems' command if something is missing, and nothing otherwise", function()
    for manager, command in pairs { dnf = "sudo dnf install gcc", apk = "apk add gcc", pacman = "sudo pacman %-S",
                                    brew = "brew install pkgconf" } do
      program(manager, "exit 1")
      local said = deps "build sandbox"
      assert.matches("missing: cc libcurl%.pc lua5%.4 nginx openssl pkg%-config zlib%.pc\n", said)
      assert.matches(command, said)
      assert.matches("exit 1\n$", said)
      os.remove(dir .. "/bin/" .. manager)
    end
    for name in ("cc pkg-config lua nginx openssl"):gmatch "%S+" do program(name, "exit 0") end
    assert.equal("exit 0\n", deps "build sandbox")
  end)
end)

describe("tools/install", function()
  it("makes files that others can read but not change, with any umask", function()
    local abi = _VERSION:match "[%d.]+$"
    for _, mask in ipairs { "077", "000" } do
      local dir = os.tmpname()
      os.remove(dir)
      shell(("umask %s; PREFIX=%s tools/install %s lua%s library command"):format(mask, dir, abi, abi))
      local modes = shell(("cd %s && find bin share lib -type f,d -printf '%%m\\n' | sort -u"):format(dir))
      os.execute("rm -rf " .. dir)
      assert.equal("644\n755\nexit 0\n", modes)
    end
  end)
end)

describe("the rockspecs", function()
  local function rock(name)
    local text, values = read("rockspec/" .. name .. ".rockspec"), {}
    if setfenv then
      setfenv(assert(loadstring(text)), values)()
    else
      assert(load(text, name, "t", values))()
    end
    return values
  end

  it("leave the command's libraries to the command's rock", function()
    for _, version in ipairs { "scm-1", "0.1.0-1" } do
      local library, command = rock("smmpanel-" .. version), rock("smmpanel-cli-" .. version)
      assert.same({ "lua >= 5.1, < 5.6", "lua-cjson" }, library.dependencies)
      assert.equal("curl", library.external_dependencies.CURL.library)
      for _, name in ipairs { "smmpanel", "argparse", "lua-term", "luafilesystem", "luasql-sqlite3" } do
        assert.truthy((" " .. table.concat(command.dependencies, " ") .. " "):find(" " .. name .. " ", 1, true), name)
      end
      for _, one in ipairs { library, command } do
        assert.equal(version, one.version)
        assert.matches("^https://", one.description.homepage)
        assert.matches("^https://", one.description.issues_url)
        assert.truthy(one.description.labels[1])
        assert.truthy(one.test.type)
      end
    end
  end)
end)

describe("tools/pin", function()
  local COMMIT, DIGEST = ("c0"):rep(20), ("d1"):rep(32)
  local dir

  before_each(function()
    dir = os.tmpname()
    os.remove(dir)
    os.execute(("mkdir -p %s/bin && cp .github/workflows/ci.yml %s/ci.yml"):format(dir, dir))
  end)
  after_each(function() os.execute("rm -rf " .. dir) end)

  local function program(name, text)
    system.write(dir .. "/bin/" .. name, "#!/bin/sh\n" .. text .. "\n")
    os.execute("chmod +x " .. dir .. "/bin/" .. name)
  end

  local function pin() return shell(("PATH=%s/bin:$PATH tools/pin %s/ci.yml"):format(dir, dir)) end

  it("pins each action and each image, and again, but not the rolling one", function()
    program("git", ([[printf '%%s\t%%s\n' 1111 "$3" %s "$4"]]):format(COMMIT))
    program("docker", ([[printf 'Name:      %%s\nDigest:    sha256:%s\n' "$4"]]):format(DIGEST))
    local before = read(dir .. "/ci.yml")
    assert.matches("\ndebian:12: sha256:.*\nexit 0\n$", pin())
    local pinned = read(dir .. "/ci.yml")
    local image = "@sha256:" .. DIGEST
    local systems = ('["debian:12%s", "debian:13%s", "debian:sid", "ubuntu:24.04%s"]'):format(image, image, image)
    assert.truthy(pinned:find(systems, 1, true))
    assert.matches("container: alpine:[%d.]+" .. image .. "\n", pinned)
    assert.matches("uses: actions/checkout@" .. COMMIT .. " # v[%d.]+\n", pinned)
    local function unpinned(text) return (text:gsub("@sha256:%x+", ""):gsub("@%x+ #", "@ #")) end
    assert.equal(unpinned(before), unpinned(pinned))
    pin()
    assert.equal(pinned, read(dir .. "/ci.yml"))
  end)

  it("changes nothing where something has no answer", function()
    program("git", ([[printf '%%s\t%%s\n' %s "$3"]]):format(COMMIT))
    program("docker", "echo 'unauthorized' >&2; exit 1")
    local before = read(dir .. "/ci.yml")
    assert.matches("no answer for alpine:[%d.]+; .* is unchanged\nexit 1\n$", pin())
    assert.equal(before, read(dir .. "/ci.yml"))
  end)
end)

describe("tools/systems", function()
  it("replaces the lines of the system that it ran, and leaves those of the others", function()
    local dir = os.tmpname()
    os.remove(dir)
    os.execute(("mkdir -p %s/results %s/docs %s/bin && ln -s /bin/true %s/bin/apt-get"):format(dir, dir, dir, dir))
    local function write(name, text)
      system.write(dir .. "/" .. name, text)
    end
    write("docs/systems.md", "| Debian 12 (bookworm) | 2025-01-01 | ok |\n| Debian forky/sid | 2025-01-02 | old |\n"
      .. "- **Debian 12 (bookworm)**: Lua 5.4.4\n- **Debian forky/sid**: Lua 5.4.8\n- libcurl 7.88.1: 1 passed\n"
      .. "- musl: 2 passed\n- bookworm: a spec: its reason\n- sid: old: old\n")
    write("results/sid", "system|Debian forky/sid\ndate|2026-01-01\nmake demo|ok\nmake test|9 passed, 0 failed\n")
    write("results/sid.versions", "Lua 5.4.9\nnginx 1.30\n")
    write("sid.make-test.log", "== skipped\na spec: another reason\n9 passed, 0 failed, 1 skipped\n")
    shell(("top=$PWD; cd %s && PATH=%s/bin:$PATH SYSTEMS_DIR=%s $top/tools/systems table"):format(dir, dir, dir))
    local page = read(dir .. "/docs/systems.md")
    os.execute("rm -rf " .. dir)
    for _, line in ipairs {
      "| Debian 12 (bookworm) | 2025-01-01 | ok |", "| Debian forky/sid | 2026-01-01 | ok | 9 passed, 0 failed |",
      "- **Debian 12 (bookworm)**: Lua 5.4.4\n", "- **Debian forky/sid**: Lua 5.4.9, nginx 1.30\n",
      "- libcurl 7.88.1: 1 passed\n", "- musl: 2 passed\n", "- bookworm: a spec: its reason\n",
      "- sid: a spec: another reason\n",
    } do
      assert.truthy(page:find("\n" .. line, 1, true), line .. "\n" .. page)
    end
    assert.is_nil(page:find("old", 1, true))
  end)

  it("refuses a misspelt step or suite, and lists those that exist", function()
    local function refused(words, message)
      local said = shell("SYSTEMS_DIR=/dev/null/none " .. words .. " 2>&1")
      assert.equal(message .. "\nexit 2\n", said)
    end
    refused("STEP='make tests' tools/systems table", "tools/systems: there is no step 'make tests'; the steps: "
      .. "make demo, ways to install, make deb, make test, make test-luas, make lint")
    refused("tools/systems trixi", "tools/systems: there is no suite 'trixi'; the suites: bookworm trixie sid, and "
      .. "libcurl, musl, table")
  end)
end)
