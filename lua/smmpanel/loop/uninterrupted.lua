--- HAProxy suspends a task after each 10,000 instructions (tune.lua.forced-yield), wherever it is, and runs others.
-- Our code expects to be suspended only where it waits: otherwise two tasks could take the same function of a list, or
-- use one ledger connection in turns. In HAProxy this function removes the hook that does it, until HAProxy resumes the
-- task after its next wait; elsewhere it does nothing. Each public function calls it first.
-- @module smmpanel.loop.uninterrupted

if require("smmpanel.util.host").haproxy then return function() debug.sethook() end end

return function() end
