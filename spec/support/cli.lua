-- Runs the command line as a person and a script would: in a terminal (tmux), and in pipes.
local process = require "spec.support.process"
local system = require "spec.support.system"

local cli = {}

local function quoted(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end
cli.quoted = quoted

cli.ROOT = system.line "pwd"

--- Returns the command as shell words.
cli.COMMAND = process.lua() .. " " .. quoted(cli.ROOT .. "/bin/smmpanel")

-- The machine's own settings have no effect.
local CLEAN = "env -u SMMPANEL_URL -u SMMPANEL_KEY -u NO_COLOR -u COLUMNS -u LINES -u TMUX LC_ALL=C.UTF-8"

local function environment(home, given)
  local parts = { CLEAN, "HOME=" .. quoted(home), "XDG_CONFIG_HOME=" .. quoted(home .. "/config"),
    "XDG_CACHE_HOME=" .. quoted(home .. "/cache"), "XDG_STATE_HOME=" .. quoted(home .. "/state") }
  for name, value in pairs(given or {}) do parts[#parts + 1] = name .. "=" .. quoted(value) end
  return table.concat(parts, " ")
end

local Home = {}
Home.__index = Home

--- Returns a home directory in which commands run; `make` creates it.
---@param sandbox? table whose panel the commands use
function cli.home(sandbox) return setmetatable({ sandbox = sandbox }, Home) end

function Home:make()
  self.path, self.terminals = system.directory(), 0
  return self
end

--- Removes it, and ends the open terminals.
function Home:remove()
  for i = 1, self.terminals do
    os.execute(("tmux -S %s kill-server 2>/dev/null"):format(quoted(self.path .. "/tmux" .. i)))
  end
  os.execute("rm -rf " .. quoted(self.path))
end

function Home:write(name, text)
  os.execute("mkdir -p " .. quoted((self.path .. "/" .. name):match "^(.*)/"))
  return system.write(self.path .. "/" .. name, text)
end

-- The panel of the sandbox, with a fault; `env` may set other variables.
function Home:environment(options)
  local env = {}
  if self.sandbox and options.panel ~= false then
    env.SMMPANEL_URL = self.sandbox.url_with(options.fault or "", options.name)
    env.SMMPANEL_KEY = self.sandbox.key
  end
  for name, value in pairs(options.env or {}) do env[name] = value end
  return environment(self.path, env)
end

-- For the body of a waiting loop: sleeps, or ends the script after a minute.
local AGAIN = [[again() {
  [ $SECONDS -lt 60 ] || { echo "the wait does not end" >&2; kill -KILL $! 2>/dev/null; exit 99; }
  sleep "$1"
}
]]

--- Runs a line of shell in which `smmpanel` is the command, without a terminal. `until ...; do again 0.05; done`
-- waits for at most a minute.
---@param line string
---@param options? { fault: string?, name: string?, env: table?, panel: boolean?, input: string? }
---@return string stdout
---@return string stderr
---@return integer code
function Home:run(line, options)
  options = options or {}
  local input = options.input and self:write(".in", options.input) or "/dev/null"
  local script = self:write(".script", "smmpanel() { " .. cli.COMMAND .. ' "$@"; }\n' .. AGAIN .. line .. "\n")
  local out, err = self.path .. "/.out", self.path .. "/.err"
  local command = ("%s setsid bash %s <%s >%s 2>%s; echo $?"):format(self:environment(options), quoted(script),
    quoted(input), quoted(out), quoted(err))
  local code = tonumber(system.output(command))
  return system.read(out), system.read(err), code
end

--- Runs a line as `run` does, and throws its output if it does not end with this exit code (0).
---@return string out
---@return string err
function Home:expect(line, code, options)
  local out, err, got = self:run(line, options)
  if got ~= (code or 0) then
    error(("%s\n%s%s\nexit code %s, expected %d"):format(line, out, err, tostring(got), code or 0), 2)
  end
  return out, err
end

-- ---- a terminal -------------------------------------------------------------------------------

local Terminal = {}
Terminal.__index = Terminal

function Terminal:tmux(command)
  return system.output(("env -u TMUX LC_ALL=C.UTF-8 tmux -u -f /dev/null -S %s %s 2>&1"):format(
    quoted(self.socket), command))
end

--- Opens a terminal with a shell in which `smmpanel` is the command.
---@param options? { columns: integer?, rows: integer?, fault: string?, name: string?, env: table? }
function Home:terminal(options)
  options = options or {}
  -- A new name each time: a server that is just ending would take the next session with it.
  self.terminals = self.terminals + 1
  local self_ = setmetatable({ socket = self.path .. "/tmux" .. self.terminals }, Terminal)
  local rc = self:write(".rc", "smmpanel() { " .. cli.COMMAND .. ' "$@"; }\nPS1="$ "\nPS2="> "\nunset HISTFILE\n')
  self_:tmux(("new-session -d -x %d -y %d %s"):format(options.columns or 80, options.rows or 24,
    quoted(self:environment(options) .. " bash --rcfile " .. quoted(rc))))
  self_:wait "%$ $"
  return self_
end

--- Types a text, then Enter.
function Terminal:type(text)
  self:tmux("send-keys -l " .. quoted(text))
  self:tmux "send-keys Enter"
end

--- Presses a key by its name: C-c.
function Terminal:key(name) self:tmux("send-keys " .. name) end

--- Returns the screen without the empty lines at the end; with `colours` also its escape sequences.
function Terminal:screen(colours)
  local text = self:tmux("capture-pane -p" .. (colours and " -e" or ""))
  return (text:gsub("%s+$", ""))
end

--- Waits until a pattern is on the screen, and returns the screen. A busy machine may take its time.
function Terminal:wait(pattern, seconds)
  local screen
  for _ = 1, (seconds or 30) * 20 do
    screen = self:screen()
    if (screen .. " "):gsub("\n$", ""):find(pattern) then return screen end
    os.execute "sleep 0.05"
  end
  error(("'%s' was not seen:\n%s"):format(pattern, screen), 2)
end

--- Runs a line and waits for the prompt after it; returns the screen.
function Terminal:run(line)
  self:tmux "clear-history"
  self:type "echo ready" -- a screen with nothing but the prompt looks cleared already
  self:wait "\nready\n%$ ?$"
  self:type "clear"
  self:wait "^%$ ?$"
  self:type(line)
  return self:wait "\n%$ ?$"
end

function Terminal:close() self:tmux "kill-server" end

return cli
