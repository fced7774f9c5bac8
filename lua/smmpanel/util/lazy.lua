--- A module that is loaded when one of its functions is first used: what few programs need costs the others no
-- start-up time. Not for what an order passes through: it must not be loaded from files that were replaced meanwhile.
-- @module smmpanel.util.lazy

---@param name string the module's
---@return table module
return function(name)
  return setmetatable({}, { __index = function(_, key) return require(name)[key] end })
end
