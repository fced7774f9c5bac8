--- A module that is loaded when one of its functions is first used, to save start-up time and memory.
--
-- A module that an order needs after its request was sent must be loaded before: loading can fail. In nginx and
-- HAProxy all modules are loaded at once: their processes run for months, start new ones, and may lose access to files.
-- @module smmpanel.util.lazy

local core = require "smmpanel.core"
local host = require "smmpanel.util.host"

local AT_ONCE = host.nginx or host.haproxy

-- An installation replaces all files. A part of another version must not be loaded beside those that are in use.
local path = debug and debug.getinfo(1, "S").source:match "^@(.*)"
local identity = path and core.file(path)

local function check_files()
  if not identity or core.file(path) == identity then return end
  error("smmpanel: the module's files were replaced or removed while the program was running; restart the program", 0)
end

---@param name string the module's
---@return table module
return function(name)
  if AT_ONCE then return require(name) end
  return setmetatable({}, { __index = function(proxy, key)
    if not package.loaded[name] then check_files() end
    local module = require(name)
    for k, value in pairs(module) do rawset(proxy, k, value) end
    return module[key]
  end })
end
