--- The ids for a command: from arguments, a file or the standard input. All of them are checked before anything is
-- sent.
-- @module smmpanel.cli.input.ids

local ids = {}

local argerror = require "smmpanel.util.argerror"
local columns = require "smmpanel.cli.input.columns"
local fail = require "smmpanel.cli.fail"
local formats = require "smmpanel.cli.views.formats"
local from = require "smmpanel.cli.input.from"
local known = require "smmpanel.cli.known"
local terminal = require "smmpanel.cli.views.terminal"
local text = require "smmpanel.util.text"

--- The arguments and options of a command on ids.
---@param what string "order" or "refill": and the name of the column
---@return smmpanel.cli.Argument[]
---@return smmpanel.cli.Option[]
function ids.arguments(what)
  local options = from.options(("Read ids from a CSV file with a column '%s', or with one id per line "
    .. "(-: standard input)."):format(what))
  if what == "order" then
    options[3] = { flags = "--ref", arg = "REF", count = "*", about = "The order that was placed with this ref." }
    options[4] = { flags = "--ledger", arg = "FILE", about = "Use this ledger file, not the default one." }
  end
  return { { name = "id", args = "*", about = ("The %s ids."):format(what) } }, options
end

-- Returns the problem with an id, or nil.
local function wrong(id)
  if text.is_rounded(id) then return ("'%s' is not an id: a spreadsheet has rounded it"):format(id) end
  if not text.is_id(id) then return argerror.describe(id) .. " is not an id" end
end

local function add(list, seen, id)
  if seen[id] then return end
  seen[id] = true
  list[#list + 1] = id
end

local function add_file(list, seen, path, what, ignore)
  local values, problems, empty = from.column(path, what, { known = columns.KNOWN, ignore = ignore })
  for _, entry in ipairs(values) do
    local problem = wrong(entry.value)
    if problem then
      problems[#problems + 1] = ("line %d, column '%s': %s"):format(entry.line, what, problem)
    end
    add(list, seen, entry.value)
  end
  from.refuse(path, problems)
  return empty
end

local function add_arguments(list, seen, given)
  for _, argument in ipairs(given) do
    for id in argument:gmatch "[^,]+" do
      local problem = wrong(id)
      if problem then fail.usage("%s", problem) end
      add(list, seen, id)
    end
  end
end

-- Adds the orders that the ledger has for refs.
local function add_refs(context, list, seen, refs)
  local panel = context:new_panel { ledger = context:ledger() }
  for _, ref in ipairs(refs) do
    local entry = known.of(panel, ref)
    if entry.state == "new" then fail.with(fail.REFUSED, "the ledger has no order '%s'", ref) end
    if entry.state ~= "made" then
      fail.with(fail.UNCERTAIN, "the outcome of '%s' is unknown; see: smmpanel pending", ref)
    end
    if not entry.made or not entry.made.order then
      fail.with(fail.REFUSED, "'%s' was placed, but the panel gave it no id", ref)
    end
    add(list, seen, formats.text(entry.made.order))
  end
  panel:close()
end

-- Returns the file to read in addition to the arguments.
local function source_of(args)
  if args.from or args.ref and args.ref[1] then return args.from end
  if #args.id == 1 and args.id[1] == "-" then return "-" end
  return #args.id == 0 and not terminal.is_tty(io.stdin) and "-" or nil
end

--- Returns the ids without repetitions. Ends the command if there are none or one is wrong.
---@param context smmpanel.cli.Context
---@param what string "order" or "refill"
---@return string[]
function ids.gather(context, what)
  local args, list, seen = context.args, {}, {}
  local path, empty = source_of(args), 0
  if args.id[1] ~= "-" then add_arguments(list, seen, args.id) end
  if args.ref and args.ref[1] then add_refs(context, list, seen, args.ref) end
  if path then empty = add_file(list, seen, path, what, args.ignore_columns) end
  if #list == 0 then
    fail.usage("no %s ids: give them as arguments, or in a file (--from FILE)", what)
  end
  if empty > 0 then context:say("%d rows without %s id were skipped", empty, what) end
  return list
end

return ids
