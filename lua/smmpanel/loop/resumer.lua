--- What a suspended call yields to the resumer of its coroutine. An event loop ignores it. A loop over a generator
-- (coroutine.wrap) would take it for a row, so any use of it throws an explanation.
-- @module smmpanel.loop.resumer

local resumer = {}

local WHY = "smmpanel: a call waits in this coroutine, but a generator's loop or caller resumed it, not the event " ..
  "loop: collect the answers outside the generator, or give the panel loop = 'blocking'"

local turn_of = setmetatable({}, { __mode = "k" }) -- value of resumer.probe -> its turn

local function throw(left, right)
  for _, value in pairs { left, right } do
    local turn = turn_of[value]
    if turn then turn.is_misused = true end
  end
  error(WHY, 2)
end

local meta = { __tostring = function() return WHY end }
for _, name in ipairs { "__index", "__newindex", "__call", "__concat", "__len", "__unm", "__add", "__sub", "__mul",
                        "__div", "__mod", "__pow", "__lt", "__le", "__pairs", "__ipairs" } do
  meta[name] = throw
end

--- The value to yield while a request is in flight.
resumer.waits = setmetatable({}, meta)

--- Returns the value to yield before anything is sent. Its use also sets `turn.is_misused`.
---@param turn table
---@return table
function resumer.probe(turn)
  local value = setmetatable({}, meta)
  turn_of[value] = turn
  return value
end

--- Throws the error for a coroutine that the event loop did not resume.
function resumer.refuse()
  error(WHY, 0)
end

return resumer
