--- Groups of coroutines that one call has started, and whether that call was interrupted. After Ctrl-C the coroutines
-- of `smmpanel.all`, of a list or of a watch still exist, and a later call of the program continues them. They get the
-- answers to what they have sent, but must send nothing more.
-- @module smmpanel.loop.groups

local groups = {}

local group_of = setmetatable({}, { __mode = "k" }) -- coroutine -> its group

-- Plain Lua 5.1 returns nil for the main program, which is in no group.
local function here()
  local co = coroutine.running()
  return co and group_of[co]
end

---@class smmpanel.Group coroutines that were started together
---@field parent? smmpanel.Group the group of the coroutine that started them
---@field is_left boolean the call that started them was interrupted, or has thrown

--- Makes a group for coroutines that the running one is about to start.
---@return smmpanel.Group
function groups.new()
  return { parent = here(), is_left = false }
end

--- Adds the running coroutine to a group.
---@param group? smmpanel.Group
---@return thread running
function groups.join(group)
  local co = coroutine.running()
  group_of[co] = group
  return co
end

--- Removes a coroutine that has ended from its group, because OpenResty may use it again for another request.
---@param co thread|boolean|nil true if it never began; nil if it was removed before
function groups.leave(co)
  if co then group_of[co] = nil end
end

--- Returns the group of the running coroutine.
---@return smmpanel.Group?
groups.here = here

--- Returns whether the running coroutine must send nothing more.
---@return boolean
function groups.is_left()
  local group = here()
  while group and not group.is_left do group = group.parent end
  return group ~= nil
end

return groups
