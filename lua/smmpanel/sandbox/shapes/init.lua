--- Builds answers as documented, or in the unusual shapes that a request names.
-- @module smmpanel.sandbox.shapes

local documented = require "smmpanel.sandbox.panel.documented"
local host = require "smmpanel.util.host"
local json = require "smmpanel.sandbox.panel.php_json"

local shapes = {}

-- `list` and `by_name` are filled when a shape is first asked for: most requests ask for none, and a short test should
-- not pay for reading them.
setmetatable(shapes, { __index = function(self, name)
  if name ~= "list" and name ~= "by_name" then return nil end
  self.list, self.by_name = {}, {}
  for _, part in ipairs { "list", "wrapped" } do
    for _, entry in ipairs(require("smmpanel.sandbox.shapes." .. part)) do
      self.list[#self.list + 1] = entry
      self.by_name[entry.name:match("^[^:]+")] = entry
    end
  end
  return self[name]
end })

-- nginx's workers are another user, who may not be allowed to read the files: there all is read at the start, as root.
if host.nginx then assert(shapes.list) end

local function each_asked(asked, place, action, work)
  for _, one in ipairs(asked or {}) do
    local entry = shapes.by_name[one.name] or error("unknown shape " .. one.name, 0)
    if entry.place == place and (not entry.on or entry.on == action) then
      work(entry, one.arg)
    end
  end
end

--- What the shapes need from the panel itself.
---@param asked? { name: string, arg: string? }[]
---@return table wishes
function shapes.wishes(asked)
  local wishes = {}
  for _, one in ipairs(asked or {}) do
    local entry = shapes.by_name[one.name]
    if entry and entry.place == "wish" then
      entry.work(wishes, one.arg)
    end
  end
  return wishes
end

local function build_error(answer, asked)
  local tree = documented.error(documented.top_error(answer))
  each_asked(asked, "error", answer.action, function(entry)
    tree = entry.work(answer) or tree
  end)
  return tree
end

local function build(answer, asked)
  if documented.top_error(answer) then
    return build_error(answer, asked)
  elseif answer.list and answer.action ~= "services" then
    return answer.list
  end
  local way = documented.actions[answer.action]
  each_asked(asked, "build", answer.action, function(entry)
    way = entry.work
  end)
  return way(answer)
end

--- The text of an answer.
---@param answer table from `Panel:answer`
---@param asked? { name: string, arg: string? }[] the shapes; none: as documented
---@return string
function shapes.encode(answer, asked)
  local style = {}
  each_asked(asked, "style", answer.action, function(entry)
    style[entry.name] = true
  end)
  each_asked(asked, "change", answer.action, function(entry, arg)
    entry.work(answer, arg)
  end)
  local tree = build(answer, asked)
  each_asked(asked, "finish", answer.action, function(entry)
    tree = entry.work(tree, answer)
  end)
  return (style.pretty and "\n" or "") .. json.encode(tree, style)
end

--- One name for a set of shapes, for use as a cache key.
---@param asked? { name: string, arg: string? }[]
---@return string
function shapes.name(asked)
  local names = {}
  for i, one in ipairs(asked or {}) do
    names[i] = one.name .. ":" .. (one.arg or "")
  end
  return table.concat(names, ",")
end

return shapes
