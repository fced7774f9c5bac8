--- The command line: reads the arguments, runs the command, and ends with its exit code whatever happens.
-- @module smmpanel.cli

local cli = {}

local arguments = require "smmpanel.cli.arguments"
local context = require "smmpanel.cli.context"
local core = require "smmpanel.core"
local fail = require "smmpanel.cli.fail"
local terminal = require "smmpanel.cli.views.terminal"

local function wrong_usage(parser, message)
  -- The first usage line says enough; what was wrong is what matters.
  local more = message:find "command" and "\n`smmpanel --help` lists the commands." or ""
  fail.usage("%s\n%s%s", message, parser:get_usage(), more)
end

-- `help` and `help COMMAND`, as many other programs have it.
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
  self.parser, self.args = parser, args
  local code = command_named(args.command).run(self, args)
  terminal.flush(io.stdout)
  return code or 0
end

local function interrupted(thrown)
  return type(thrown) == "string" and thrown:find "interrupted!$" ~= nil
end

local function complain(self, text)
  self:say("smmpanel: %s", text)
end

-- A mistake of ours, unlike all that is foreseen: with where it happened.
local function with_trace(thrown)
  if type(thrown) ~= "string" or interrupted(thrown) then return thrown end
  return debug.traceback(thrown, 2)
end

-- -> exit code
local function end_of(self, thrown)
  if thrown == terminal.CLOSED then return 141 end -- as if SIGPIPE had ended it
  if fail.is(thrown) then
    complain(self, thrown.message)
    return thrown.code
  end
  if interrupted(thrown) then
    pcall(io.stdout.flush, io.stdout)
    local done = self.on_interrupt and self.on_interrupt()
    complain(self, "stopped" .. (done and ": " .. done or ""))
    return fail.INTERRUPTED
  end
  complain(self, tostring(thrown))
  return fail.SOME
end

--- Runs the command line.
---@param argv string[]
---@return integer exit code
function cli.main(argv)
  local self = context.new {}
  local ok, result = xpcall(function() return run(self, argv) end, with_trace)
  local code = ok and result or end_of(self, result)
  pcall(self.close, self)
  return code
end

return cli
