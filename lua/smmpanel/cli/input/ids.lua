--- The ids that a command is given: as arguments, in a file, on the standard input.
-- @module smmpanel.cli.input.ids

local ids = {}

local fail = require "smmpanel.cli.fail"
local terminal = require "smmpanel.cli.views.terminal"

--- The arguments and options of a command on ids.
---@param what string
---@return smmpanel.cli.Argument[]
---@return smmpanel.cli.Option
function ids.arguments(what)
  return {
    { name = "id", args = "*", about = ("The %s ids."):format(what) },
  }, { flags = "-f --from", arg = "FILE",
    about = "Read ids from a file (-: the standard input), apart by white space or commas; # is a comment." }
end

--- The whole of a file, - for the standard input. Ends the command where it cannot be read.
---@param path string
---@return string
function ids.read_file(path)
  if path == "-" then return io.stdin:read "*a" end
  local file, problem = io.open(path, "rb")
  if not file then fail.usage("%s", problem) end
  local content, why = file:read "*a"
  file:close()
  return content or fail.usage("%s: %s", path, why)
end

-- Adds the ids in a text that are not there yet.
local function add_from(text, list, seen)
  for line in (text .. "\n"):gmatch "(.-)[\r\n]" do
    for id in line:gsub("#.*", ""):gmatch "[^ \t,;\v\f]+" do
      if not seen[id] then
        seen[id] = true
        list[#list + 1] = id
      end
    end
  end
end

--- The ids, each once. Ends the command where there is none.
---@param args { id: string[], from: string? }
---@return string[]
function ids.gather(args)
  local list, seen = {}, {}
  for _, id in ipairs(args.id) do add_from(id == "-" and ids.read_file "-" or id, list, seen) end
  if args.from then
    add_from(ids.read_file(args.from), list, seen)
  elseif #args.id == 0 and not terminal.is_tty(io.stdin) then
    add_from(ids.read_file "-", list, seen)
  end
  if #list == 0 then fail.usage "no ids: give them as arguments, or in a file (--from FILE)" end
  return list
end

return ids
