--- The context of a command: the panel, its catalogue, its output, questions to the user.
-- @classmod smmpanel.cli.Context

local catalog = require "smmpanel.catalog"
local core = require "smmpanel.core"
local debug_log = require "smmpanel.cli.debug"
local fail = require "smmpanel.cli.fail"
local ledger_file = require "smmpanel.cli.input.ledger_file"
local lfs = require "lfs"
local private = require "smmpanel.cli.input.private"
local profiles = require "smmpanel.cli.input.profiles"
local records = require "smmpanel.cli.views.records"
local smmpanel = require "smmpanel"
local terminal = require "smmpanel.cli.views.terminal"
local width = require "smmpanel.cli.views.width"

local NO_HOME = "no home directory: set HOME"

---@class smmpanel.cli.Context
---@field args table from argparse
---@field on_interrupt? fun(): string called after Ctrl-C; returns a message that says what was done
---@field bar? table the progress bar, which must be cleared before anything else is written
local Context = {}
Context.__index = Context

local context = {}

--- Returns the context of one run of the program.
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

--- Returns the options of the panel from the user's settings.
---@return table
function Context:settings() return chosen(self) end

-- --debug: prints the exchanges on stderr, in addition to the command's own use of these options.
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

--- Returns a new panel with the same settings, with amounts as the panel's own text. The caller closes it.
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

--- Returns the command's panel. The first call creates it; later calls ignore `more`.
---@param more? table further options of smmpanel.new
---@return smmpanel.Panel
function Context:panel(more)
  if self.made then return self.made end
  local panel = self:new_panel(more)
  self.made = panel
  records.class_of = function(status) return panel:state(status) end
  return panel
end

--- Returns the path of a cache file of this account, or nil and the reason why there is none.
---@param suffix string
---@return string? path
---@return string? problem
function Context:cache_path(suffix)
  local directory = profiles.cache_directory()
  if not directory then return nil, NO_HOME end
  local ok, problem = private.directory(directory)
  return ok and directory .. "/" .. profiles.account_name(chosen(self)) .. suffix or nil, problem
end

-- Returns the panel's ledger in the user's state directory.
local function own_ledger(self)
  local directory = profiles.state_directory()
  if not directory then fail.usage("no directory for the ledger: %s", NO_HOME) end
  local ok, problem = private.directory(directory)
  local path, note
  if ok then path, problem, note = ledger_file.path(directory, profiles.place(chosen(self).url)) end
  if not path then fail.usage("%s", problem) end
  if note then self:say("%s", note) end
  return path
end

-- A mistyped path would be a ledger without any ref: all orders of a list would be placed again.
local function check_given_ledger(self, path, may_create)
  if not path or lfs.attributes(path) then return end
  if not may_create then fail.usage("--ledger: there is no ledger %s", path) end
  self:say("%s is a new ledger: it has no refs yet", path)
end

--- Returns the panel's ledger, for orders with a ref.
---@param may_create? boolean the command places orders, so the file of --ledger need not exist
---@return smmpanel.Ledger
function Context:ledger(may_create)
  chosen(self)
  check_given_ledger(self, self.args.ledger, may_create)
  local path = self.args.ledger or self.ledger_path or own_ledger(self)
  ledger_file.protect(path)
  local ok, ledger = pcall(smmpanel.ledger.sqlite, path)
  if not ok then fail.thrown(ledger) end
  return ledger
end

--- Returns the catalogue, from the cache if that is not too old.
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

--- Returns a text with each line made harmless for a terminal.
---@param text string
---@return string
function Context:cleaned(text) return cleaned(text) end -- luacheck: ignore self

--- Writes one line of the result for people. No argument can end the line or send control codes to the terminal.
---@param format string
---@param ... string|number
function Context:print(format, ...) -- luacheck: ignore self
  local parts = { ... }
  for i, part in ipairs(parts) do parts[i] = type(part) == "string" and width.clean(part) or part end
  terminal.write(io.stdout, format:format((table.unpack or unpack)(parts)), "\n")
end

--- Writes a text for programs, unchanged.
---@param text string
function Context:write(text) -- luacheck: ignore self
  terminal.write(io.stdout, text, "\n")
end

--- Writes a message to the user on stderr.
---@param text string
---@param ... any
function Context:say(text, ...)
  if select("#", ...) > 0 then text = text:format(...) end
  if self.bar then self.bar:clear() end
  io.stdout:flush() -- if both go to one place, the result must come first
  terminal.show(cleaned(text) .. "\n") -- in one write, so that other writers do not split it
end

--- Writes a message on stderr if that is a terminal.
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

--- Asks a question and returns the line that was typed. Ends the command at the end of the input.
---@param question string
---@return string
function Context:ask(question)
  if self.bar then self.bar:clear() end
  terminal.flush(io.stdout)
  terminal.show(width.clean(question), " ")
  self.asking = true
  repeat until core.input_ready(60) -- in LuaJIT, a read would continue after Ctrl-C
  local answer = io.stdin:read "*l"
  self.asking = false
  if not answer then
    terminal.show "\n"
    fail.with(fail.INTERRUPTED, "nothing was sent")
  end
  return answer
end

--- Asks a yes/no question; every answer except yes means no.
---@param question string
---@return boolean
function Context:confirm(question)
  local answer = self:ask(question .. " [y/N]"):lower()
  return answer == "y" or answer == "yes"
end

--- Asks before a write, unless --yes was given. Without a terminal, or if the answer is not yes, the command ends with
-- an error.
---@param what string completes "pass --yes to ..."
---@param question string
---@param show? fun() shows what the question is about
---@param nothing? string the message if the answer is not yes ("nothing was sent")
function Context:agree(what, question, show, nothing)
  if self.args.yes then return end
  if not self:can_ask() then fail.usage("not a terminal: pass --yes to %s", what) end
  if show then show() end
  if not self:confirm(question) then fail.with(fail.SOME, "%s", nothing or "nothing was sent") end
end

--- Closes the panel and the ledger.
function Context:close()
  if self.made then self.made:close() end
end

return context
