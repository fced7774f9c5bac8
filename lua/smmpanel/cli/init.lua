--- The command line: reads the arguments, runs the command and returns its exit code, whatever happens.
-- @module smmpanel.cli

local cli = {}

local arguments = require "smmpanel.cli.arguments"
local context = require "smmpanel.cli.context"
local core = require "smmpanel.core"
local fail = require "smmpanel.cli.fail"
local guard = require "smmpanel.util.guard"
local terminal = require "smmpanel.cli.views.terminal"
local text_helpers = require "smmpanel.util.text"

local function wrong_usage(parser, message)
  -- The first line of the usage is enough: the message is what matters.
  local more = message:find "command" and "\n`smmpanel --help` lists the commands." or ""
  fail.usage("%s\n%s%s", message, parser:get_usage(), more)
end

-- Accepts `help` and `help COMMAND`, as many programs do.
local function with_help(argv)
  if argv[1] ~= "help" then return argv end
  return argv[2] and { argv[2], "--help" } or { "--help" }
end

local function command_named(name)
  for _, command in ipairs(arguments.commands()) do
    if command.name == name then return command end
  end
end

local function run(self, argv)
  argv = with_help(argv)
  local columns = math.min(100, (terminal.size()))
  local parser = arguments.parser(columns, core.version, wrong_usage, argv[1])
  local args = parser:parse(argv)
  args.panel, args.key_file = args.panel or args.early_panel, args.key_file or args.early_key_file
  args.debug = args.debug or args.early_debug
  self.parser, self.args = parser, args
  local code = command_named(args.command).run(self, args)
  terminal.flush(io.stdout)
  return code or 0
end

local function complain(self, text)
  self:say("smmpanel: %s", text)
end

-- A bug in this program.
local function internal(thrown)
  return ("internal error: %s; please report it with the command line and the output of smmpanel --version"):format(
    text_helpers.one_line(tostring(thrown), 300))
end

-- After Ctrl-C. Returns what was done by then, or why that could not be written.
local function done_of(self)
  if self.asking then
    terminal.show "\n"
    return "nothing was sent"
  end
  if not self.on_interrupt then return nil end
  local ok, done = pcall(self.on_interrupt)
  if ok or fail.is(done) or done == terminal.CLOSED then return done and tostring(done) end
  return internal(done)
end

-- Returns the exit code.
local function end_of(self, thrown)
  if thrown == terminal.CLOSED then return 141 end -- as if SIGPIPE had ended it
  if fail.is(thrown) then
    if thrown.message ~= "" then complain(self, thrown.message) end
    return thrown.code
  end
  if guard.is_interrupt(thrown) then
    io.stdout:flush()
    local done = done_of(self)
    complain(self, "stopped" .. (done and ": " .. done or ""))
    return fail.INTERRUPTED
  end
  complain(self, internal(thrown))
  return fail.SOME
end

-- What is written of a large catalogue, and dropped again, must not double the memory in use.
local PAUSE, SPEED = 115, 400 -- percent: of the memory in use when a collection begins; of the speed of allocation

local function collect_early()
  if _VERSION == "Lua 5.5" then
    collectgarbage("param", "pause", PAUSE)
    collectgarbage("param", "stepmul", SPEED)
  elseif _VERSION == "Lua 5.4" then
    collectgarbage("incremental", PAUSE, SPEED)
  else
    collectgarbage("setpause", PAUSE)
    collectgarbage("setstepmul", SPEED)
  end
end

--- Runs the command line.
---@param argv string[]
---@return integer exit code
function cli.main(argv)
  collect_early()
  local self = context.new {}
  local ok, result = pcall(run, self, argv)
  local code = ok and result or end_of(self, result)
  pcall(self.close, self)
  return code
end

return cli
