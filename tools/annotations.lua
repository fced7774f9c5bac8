--- Reads the annotations (LuaLS) of the sources: the public modules' functions and all classes of `smmpanel.`.
local annotations = {}

-- A type ends at a space outside all brackets: "fun(a: b): c the rest" -> "fun(a: b): c", "the rest".
local function split_type(text)
  local depth = 0
  for i = 1, #text do
    local c = text:sub(i, i)
    if c:find "[%(<{%[]" then depth = depth + 1 end
    if c:find "[%)>}%]]" then depth = depth - 1 end
    local joins = text:sub(1, i - 1):find "[:|,]$" or text:find("^ *|", i)
    if c == " " and depth == 0 and not joins then return text:sub(1, i - 1), text:sub(i + 1) end
  end
  return text, ""
end

local function named(rest)
  local name, optional, more = rest:match "^([%w_%.]+)(%??)%s+(.*)"
  if not name then return nil end
  local kind, text = split_type(more)
  return { name = name, optional = optional == "?", type = kind, text = text }
end

-- Returns a list of blocks: the lines of a comment that begins with `---`, and the line of code after it.
local function blocks_of(path)
  local blocks, block = {}, nil
  for line in io.lines(path) do
    local starts = line:match "^%s*%-%-%-(.*)"
    local more = block and line:match "^%s*%-%-(.*)"
    if starts or more then
      block = block or {}
      block[#block + 1] = starts or more
    elseif block then
      block.code = line
      blocks[#blocks + 1], block = block, nil
    end
  end
  if block then blocks[#blocks + 1] = block end
  return blocks
end

local add = {}

function add.param(entry, rest) table.insert(entry.params, named(rest)) end

function add.field(entry, rest) if entry.class then table.insert(entry.class.fields, named(rest)) end end

function add.overload(entry, rest) table.insert(entry.overloads, rest) end

add["return"] = function(entry, rest)
  local kind, text = split_type(rest)
  table.insert(entry.returns, { type = kind, text = text })
end

local function new_class(entry, name, text)
  entry.class = { name = name, text = text, fields = {} }
  table.insert(entry.classes, entry.class)
end

function add.class(entry, rest)
  local name, parent, text = rest:match "^([%w_%.]+):%s*([%w_%.]+)%s*(.*)"
  if not name then name, text = rest:match "^([%w_%.]+)%s*(.*)" end
  new_class(entry, name, text)
  entry.class.parent = parent
end

function add.alias(entry, rest)
  local name, more = rest:match "^([%w_%.]+)%s*(.*)"
  local kind, text = split_type(more)
  new_class(entry, name, text)
  entry.class.alias = kind
end

local CONTINUED = { param = true, field = true, ["return"] = true }

-- Joins each tag with its continuation lines.
local function joined(block)
  local lines, continues = {}, false
  for _, line in ipairs(block) do
    local tag = line:match "^%s*@(%w+)"
    if continues and not tag and line:find "%S" then
      lines[#lines] = lines[#lines] .. " " .. line:match "^%s*(.*)"
    else
      lines[#lines + 1] = line
      continues = CONTINUED[tag]
    end
  end
  return lines
end

local function parse(block)
  local entry, text = { params = {}, returns = {}, overloads = {}, classes = {} }, {}
  for _, line in ipairs(joined(block)) do
    local tag, rest = line:match "^%s*@(%w+)%s*(.*)"
    if tag == "module" or tag == "classmod" then
      entry.module = rest
    elseif tag then
      if add[tag] then add[tag](entry, rest) end
    elseif entry.class and line:match "^|" then
      entry.class.alias = entry.class.alias .. " " .. line
    else
      text[#text + 1] = (line:gsub("^ ", ""))
    end
  end
  entry.text = table.concat(text, "\n")
  return entry
end

local function all_sources()
  local list, pipe = {}, io.popen "find lua/smmpanel -name '*.lua' | LC_ALL=C sort"
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

-- "function Panel:status(x, given)" -> "panel:status", "panel:status(x, given)"
local function signature(code, module)
  local owner, dot, name, arguments = (code or ""):match "^function%s+([%w_]+)([.:])([%w_]+)(%b())"
  if not owner then return nil end
  local shown = dot == ":" and owner:lower() or module
  return shown .. dot .. name, shown .. dot .. name .. arguments
end

local function collect_classes(found, entry)
  for _, class in ipairs(entry.classes) do
    if class.name:find "^smmpanel%." then
      if class.text == "" then class.text = entry.text end
      found.classes[class.name] = class
    end
  end
end

local function add_text(entry, texts)
  for _, list in ipairs { entry.params or {}, entry.returns or {}, entry.fields or {} } do
    for _, one in ipairs(list) do texts[#texts + 1] = one.type end
  end
  for _, overload in ipairs(entry.overloads or {}) do texts[#texts + 1] = overload end
  texts[#texts + 1] = entry.parent
  texts[#texts + 1] = entry.alias
end

-- The public classes: those that the public functions accept or return, those in their fields, and so on.
local function keep_public(found)
  local texts, public = {}, {}
  for _, module in ipairs(found.modules) do
    for _, one in ipairs(module.functions) do add_text(one, texts) end
  end
  while texts[1] do
    for name in table.remove(texts):gmatch "smmpanel%.%u%w*" do
      if found.classes[name] and not public[name] then
        public[name] = found.classes[name]
        add_text(public[name], texts)
      end
    end
  end
  found.classes, found.class_names = public, {}
  for name in pairs(public) do table.insert(found.class_names, name) end
  table.sort(found.class_names)
end

--- Reads all files. Returns { modules = { { name, text, functions } }, classes = { [name] = … }, class_names = sorted }
function annotations.read()
  local public = {}
  for i, path in ipairs(dofile "tools/doc_sources.lua") do public[path] = i end
  local found = { modules = {}, classes = {} }
  for _, path in ipairs(all_sources()) do
    local module = { name = path:gsub("^lua/", ""):gsub("/init%.lua$", ""):gsub("%.lua$", ""):gsub("/", "."), text = "",
      functions = {}, place = public[path] }
    for _, block in ipairs(blocks_of(path)) do
      local entry = parse(block)
      collect_classes(found, entry)
      if entry.module then module.name, module.text = entry.module, entry.text end
      entry.name, entry.signature = signature(block.code, module.name)
      if entry.name and not entry.name:find "[.:]_" then table.insert(module.functions, entry) end
    end
    if module.place then table.insert(found.modules, module) end
  end
  table.sort(found.modules, function(a, b) return a.place < b.place end)
  keep_public(found)
  return found
end

return annotations
