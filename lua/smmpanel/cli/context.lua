--- The context of a command: the panel, its catalogue, its output, questions to the user.
-- @classmod smmpanel.cli.Context

local catalog = require "smmpanel.catalog"
local core = require "smmpanel.core"
local debug_log = require "smmpanel.cli.debug"
local fail = require "smmpanel.cli.fail"
local ledger_file = require "smmpanel.cli.input.ledger_file"
local private = require "smmpanel.cli.input.private"
local profiles = require "smmpanel.cli.input.profiles"
local records = require "smmpanel.cli.views.records"
local smmpanel = require "smmpanel"
local terminal = require "smmpanel.cli.views.terminal"
local width = require "smmpanel.cli.views.width"

local NO_HOME = "there is no home directory: set HOME"

---@class smmpanel.cli.Context
---@field args table what argparse read
---@field on_interrupt? fun(): string what was done when Ctrl-C came, for the user
---@field bar? table the progress bar that is to be taken away before anything else is written
local Context = {}
Context.__index = Context

local context = {}

--- A context for a run.
---@param args table
---@return smmpanel.cli.Context
function context.new(args)
  return setmetatable({ args = args }, Context)
end

local function chosen(self)
  if not self.options then
    local options, name = profiles.choose(self.args)
    if not options then fail.usage("%s", name) end
    self.options, self.profile = options, name
    self.ledger_path = options.ledger
    options.ledger, options.decimals = nil, "string"
  end
  return self.options
end

--- The options of the panel as the user has set them up.
---@return table
function Context:settings() return chosen(self) end

-- --debug: what goes over the wire, on stderr, beside what the command itself looks at.
local function add_debug(self, options)
  local place, record, on_event = profiles.address(options.url), options.record, options.on_event
  function options.record(line)
    self:say("%s", debug_log.exchange(line, place))
    if record then record(line) end
  end
  function options.on_event(event)
    local text = debug_log.event(event)
    if text then self:say("%s", text) end
    if on_event then on_event(event) end
  end
end

--- Another panel of the same settings, with money as the panel's own text. The caller closes it.
---@param more? table further options of smmpanel.new
---@return smmpanel.Panel
function Context:new_panel(more)
  local options = {}
  for name, value in pairs(chosen(self)) do options[name] = value end
  for name, value in pairs(more or {}) do options[name] = value end
  if self.args.debug then add_debug(self, options) end
  local ok, panel = pcall(smmpanel.new, options)
  if not ok then fail.thrown(panel, "the panel's settings: ") end
  return panel
end

--- The panel that the command works with. Its options are those of the first call.
---@param more? table further options of smmpanel.new
---@return smmpanel.Panel
function Context:panel(more)
  if self.made then return self.made end
  local panel = self:new_panel(more)
  self.made = panel
  records.class_of = function(status) return panel:state(status) end
  return panel
end

--- Where something of this account is kept, or nil and why that cannot be.
---@param suffix string
---@return string? path
---@return string? problem
function Context:cache_path(suffix)
  local directory = profiles.cache_directory()
  if not directory then return nil, NO_HOME end
  local ok, problem = private.directory(directory)
  return ok and directory .. "/" .. profiles.account_name(chosen(self)) .. suffix or nil, problem
end

-- The panel's ledger in the user's state directory.
local function own_ledger(self)
  local directory = profiles.state_directory()
  if not directory then fail.usage("there is no directory for the ledger: %s", NO_HOME) end
  local ok, problem = private.directory(directory)
  local path, note
  if ok then path, problem, note = ledger_file.path(directory, profiles.place(chosen(self).url)) end
  if not path then fail.usage("%s", problem) end
  if note then self:say("%s", note) end
  return path
end

--- The panel's ledger, for orders with a ref.
---@return smmpanel.Ledger
function Context:ledger()
  chosen(self)
  local path = self.args.ledger or self.ledger_path or own_ledger(self)
  ledger_file.protect(path)
  local ok, ledger = pcall(smmpanel.ledger.sqlite, path)
  if not ok then fail.thrown(ledger) end
  return ledger
end

--- The catalogue, from the copy that was kept where it is not too old.
---@param max_age number seconds
---@return smmpanel.Catalog
function Context:catalog(max_age)
  local path = self:cache_path ".json"
  local list, err = self:panel():services { cache = path, max_age = path and max_age }
  if not list then fail.client(err) end
  if err then self:say("%s", tostring(err):gsub("^smmpanel: ", "")) end
  return catalog.new(list)
end

-- ---- writing --------------------------------------------------------------------------------

local function cleaned(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = width.clean(line) end
  return table.concat(lines, "\n")
end

--- A text with each of its lines made harmless for a terminal.
---@param text string
---@return string
function Context:cleaned(text) return cleaned(text) end -- luacheck: ignore self

--- Writes a line of a command's result for people: no part of it can end the line or steer a terminal.
---@param format string
---@param ... string|number
function Context:print(format, ...) -- luacheck: ignore self
  local parts = { ... }
  for i, part in ipairs(parts) do parts[i] = type(part) == "string" and width.clean(part) or part end
  terminal.write(io.stdout, format:format((table.unpack or unpack)(parts)), "\n")
end

--- Writes a text for programs, as it is.
---@param text string
function Context:write(text) -- luacheck: ignore self
  terminal.write(io.stdout, text, "\n")
end

--- Says something to the user, beside the result.
---@param text string
---@param ... any
function Context:say(text, ...)
  if select("#", ...) > 0 then text = text:format(...) end
  if self.bar then self.bar:clear() end
  io.stdout:flush() -- where both go to one place, the result comes first
  terminal.show(cleaned(text) .. "\n") -- in one piece, whoever else writes there
end

--- Says something where a person is looking.
---@param text string
---@param ... any
function Context:remark(text, ...)
  if terminal.is_tty(io.stderr) then self:say(text, ...) end
end

--- Returns whether the user can be asked: stdin and stderr are a terminal.
---@return boolean
function Context:can_ask() -- luacheck: ignore self
  return terminal.is_tty(io.stdin) and terminal.is_tty(io.stderr)
end

--- Asks, and gives what was typed; ends the command where the input ends.
---@param question string
---@return string
function Context:ask(question)
  if self.bar then self.bar:clear() end
  terminal.flush(io.stdout)
  terminal.show(width.clean(question), " ")
  self.asking = true
  repeat until core.input_ready(60) -- LuaJIT would go on reading after Ctrl-C
  local answer = io.stdin:read "*l"
  self.asking = false
  if not answer then
    terminal.show "\n"
    fail.with(fail.INTERRUPTED, "nothing was sent")
  end
  return answer
end

--- Asks yes or no; anything but a yes is a no.
---@param question string
---@return boolean
function Context:confirm(question)
  local answer = self:ask(question .. " [y/N]"):lower()
  return answer == "y" or answer == "yes"
end

--- Closes what is open.
function Context:close()
  if self.made then self.made:close() end
end

return context
