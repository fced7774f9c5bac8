--- A module that is loaded when one of its functions is first used, to save start-up time and memory.
--
-- A module that an order needs after its request was sent must be loaded before: loading can fail. In nginx and
-- HAProxy all modules are loaded at once: their processes run for months, start new ones, and may lose access to files.
-- In LÖVE and Luanti too, because a frame must not wait for files.
-- @module smmpanel.util.lazy

local core = require "smmpanel.core"
local host = require "smmpanel.util.host"

local AT_ONCE = host.nginx or host.haproxy or host.frames

-- An installation replaces all files. A part of another version must not be loaded beside those that are in use.
local path = debug and debug.getinfo(1, "S").source:match "^@(.*)"
local identity = path and core.file(path)

local function check_files()
  if not identity or core.file(path) == identity then return end
  error("smmpanel: the module's files were replaced or removed while the program was running; restart the program", 0)
end

local lazy = {}

local NAME = {} -- the key of the module's name, in a table whose module is not loaded yet

local function load_into(late)
  local name = rawget(late, NAME)
  if not package.loaded[name] then check_files() end
  for key, value in pairs(require(name)) do late[key] = value end
  late[NAME] = nil
  setmetatable(late, nil)
end

--- Loads modules now, if they are not loaded yet.
---@param ... table modules as returned by lazy
function lazy.load(...)
  for _, late in ipairs { ... } do
    if rawget(late, NAME) then load_into(late) end
  end
end

local LATE = { __index = function(late, key)
  load_into(late)
  return late[key]
end }

-- Returns a table that loads the module when one of its functions is first used, and then has its functions.
---@param name string the module's
---@return table module
local function new(_, name)
  if AT_ONCE then return require(name) end
  return setmetatable({ [NAME] = name }, LATE)
end

return setmetatable(lazy, { __call = new })
