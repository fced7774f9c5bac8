--- The outcomes of uncertain orders as the user gives them: on the command line, or in a CSV file with the columns ref
-- and order.
-- @module smmpanel.cli.input.resolutions

local resolutions = {}

local argerror = require "smmpanel.util.argerror"
local columns = require "smmpanel.cli.input.columns"
local fail = require "smmpanel.cli.fail"
local from = require "smmpanel.cli.input.from"
local text = require "smmpanel.util.text"

---@class smmpanel.cli.Resolution
---@field ref string
---@field order string|false false: the order was not placed

local NOT_PLACED = { ["not placed"] = true, ["not-placed"] = true, ["not_placed"] = true }

local function order_of(cell)
  if cell == nil then return nil, "give the order's id, or 'not placed'" end
  if NOT_PLACED[text.lower(cell)] then return false end
  if text.is_rounded(cell) then return nil, ("'%s' is not an id: a spreadsheet has rounded it"):format(cell) end
  if text.is_id(cell) then return cell end
  return nil, argerror.describe(cell) .. " is neither an id nor 'not placed'"
end

local function read_file(args)
  local rows, problems = from.records(args.from, { needs = { "ref", "order" }, known = columns.KNOWN,
    ignore = args.ignore_columns })
  local list, seen, orders = {}, {}, {}
  for _, row in ipairs(rows) do
    local function note(column, problem)
      problems[#problems + 1] = ("line %d, column '%s': %s"):format(row.line, column, problem)
    end
    local ref, cell = row.values.ref, row.values.order
    local order, wrong = order_of(cell and text.trim(cell))
    if order and orders[order] then wrong = ("order %s is already in line %d"):format(order, orders[order]) end
    if wrong then note("order", wrong) end
    if order then orders[order] = row.line end
    if not ref then
      note("ref", "the ref is missing")
    elseif seen[ref] then
      note("ref", ("the ref %s is already in line %d"):format(argerror.describe(ref), seen[ref]))
    else
      seen[ref] = row.line
    end
    list[#list + 1] = { ref = ref, order = order }
  end
  from.refuse(args.from, problems)
  if #list == 0 then fail.usage("%s: the file has no refs", args.from) end
  return list
end

--- Reads the outcomes. Ends the command if one is wrong.
---@param args table
---@return smmpanel.cli.Resolution[]
function resolutions.read(args)
  if args.from then
    if args.ref or args.not_placed then fail.usage "--from takes no REF and no --not-placed: put them in the file" end
    return read_file(args)
  end
  if not args.ref then fail.usage "no ref given: pass REF and ORDER_ID, or --from FILE" end
  if (args.order ~= nil) == (args.not_placed ~= nil) then
    fail.usage "pass either the order's id or --not-placed"
  end
  if not args.order then return { { ref = args.ref, order = false } } end
  local order, wrong = order_of(args.order)
  if not order then fail.usage("%s", wrong or "to record that it was not placed, pass --not-placed") end
  return { { ref = args.ref, order = order } }
end

return resolutions
