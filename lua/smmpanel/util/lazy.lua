--- A module that is loaded when one of its functions is first used, to save start-up time. Do not use it for code that
-- places orders: the files may be replaced by another version before they are loaded.
-- @module smmpanel.util.lazy

---@param name string the module's
---@return table module
return function(name)
  return setmetatable({}, { __index = function(_, key) return require(name)[key] end })
end
