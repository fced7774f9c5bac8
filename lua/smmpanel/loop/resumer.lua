--- The value that a waiting call yields to the resumer of its coroutine. An event loop ignores it. A loop over a
-- generator (coroutine.wrap) would take it for a row, so any use of it throws an explanation.
-- @module smmpanel.loop.resumer

local resumer = {}

local WHY = "smmpanel: a call waits in this coroutine, but a generator's loop or caller resumed it, not the event " ..
  "loop: collect the answers outside the generator, or give the panel loop = 'blocking'"

local function throw() error(WHY, 2) end

local meta = { __tostring = function() return WHY end }
for _, name in ipairs { "__index", "__newindex", "__call", "__concat", "__len", "__unm", "__add", "__sub", "__mul",
                        "__div", "__mod", "__pow", "__lt", "__le", "__pairs", "__ipairs" } do
  meta[name] = throw
end

--- The value to yield.
resumer.waits = setmetatable({}, meta)

--- Throws the error for a coroutine that was resumed before the response arrived.
function resumer.too_early()
  error(WHY, 0)
end

return resumer
